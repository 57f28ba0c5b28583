//go:build go1.25

package middleware_test

import (
	"context"
	"crypto"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/middleware"
)

type noKeys struct{}

func (noKeys) Key(context.Context, string) (crypto.PublicKey, error) {
	return nil, apiv3.ErrUnknownSerial
}

// body counts what is read from it.
type body struct {
	io.Reader
	read   int
	closed bool
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.read += n
	return n, err
}

func (b *body) Close() error { b.closed = true; return nil }

// stream makes one call of a link through retry and verify.
func stream(ctx context.Context, call *middleware.Call, answer http.Response, path string) (*http.Response, error) {
	pipeline := middleware.Retry(&middleware.RetryConfig{Attempts: 1})(middleware.Verify(&middleware.VerifyConfig{
		Scheme: apiv3.RSA(), Keys: noKeys{}, Clock: time.Now, MaxResponse: 10,
	})(middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		answer.Request = req
		return &answer, nil
	})))
	req, err := http.NewRequestWithContext(middleware.WithCall(ctx, call), http.MethodGet, "https://api.mch.weixin.qq.com"+path, nil)
	if err != nil {
		return nil, err
	}
	return pipeline.RoundTrip(req)
}

// An unsigned file is handed up unread, whatever its size, and untouched. Everything else is read and verified as ever.
func TestStreamIsHandedUpUnread(t *testing.T) {
	const bill, content = "/v3/billdownload/file", "more than ten bytes"
	for name, tt := range map[string]struct {
		path            string
		stream, vouched bool
		status          int
		unread          bool
		is              error
	}{
		"a family":             {bill, true, false, 200, true, nil},
		"a link":               {"/v3/new/file", true, true, 200, true, nil},
		"no stream wanted":     {bill, false, false, 200, false, middleware.ErrResponseTooLarge},
		"no family":            {"/v3/new/file", true, false, 200, false, middleware.ErrResponseTooLarge},
		"a refusal":            {bill, true, false, 400, false, middleware.ErrResponseTooLarge},
		"without its digest":   {"/v3/global/statements", true, false, 200, false, middleware.ErrResponseTooLarge},
		"a link of statements": {"/v3/global/statements", true, true, 200, false, middleware.ErrResponseTooLarge},
	} {
		source := &body{Reader: strings.NewReader(content)}
		call := &middleware.Call{Method: http.MethodGet, Stream: tt.stream, Vouched: tt.vouched}
		res, err := stream(context.Background(), call, http.Response{StatusCode: tt.status, Header: http.Header{}, Body: source, ContentLength: -1}, tt.path)
		if tt.is != nil {
			require.ErrorIs(t, err, tt.is, name)
			assert.True(t, source.closed)
			continue
		}
		require.NoError(t, err, name)
		assert.Zero(t, source.read, name)
		got, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		assert.Equal(t, content, string(got))
		require.NoError(t, res.Body.Close())
		assert.True(t, source.closed)
		assert.False(t, call.Verified)
	}
}

// The limit on standing still counts the time of each read alone, and ends the attempt's context.
func TestStreamStandsStill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		still := errors.New("it stands still")
		limits := &middleware.TimeLimits{Total: time.Minute, Attempt: time.Minute, Still: 10 * time.Second, StillErr: still}
		call := &middleware.Call{Method: http.MethodGet, Stream: true, Limits: limits, Deadline: time.Now().Add(time.Minute)}
		r, w := io.Pipe()
		res, err := stream(context.Background(), call,
			http.Response{StatusCode: 200, Header: http.Header{}, Body: r, ContentLength: -1}, "/v3/billdownload/file")
		require.NoError(t, err)
		context.AfterFunc(res.Request.Context(), func() { w.CloseWithError(context.Cause(res.Request.Context())) })
		go func() {
			for range 20 {
				time.Sleep(9 * time.Second)
				_, _ = w.Write([]byte("x"))
			}
		}()
		one := make([]byte, 1)
		for range 20 {
			time.Sleep(time.Hour) // the reader takes its time
			_, err := res.Body.Read(one)
			require.NoError(t, err)
		}
		began := time.Now()
		_, err = res.Body.Read(one)
		require.ErrorIs(t, err, still)
		assert.Equal(t, 10*time.Second, time.Since(began))
		require.NoError(t, res.Body.Close())
	})
}
