//go:build go1.25

package wxpay_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/iotest"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/transport"
	"github.com/wxpay-go/wxpay/wxcode"
)

// A merchant who has only the public key: the rejection of the list is explained, nothing was sent, and it is not asked for
// again with every call.
func TestNoCertificatesIsExplained(t *testing.T) {
	for name, code := range map[string]string{"as documented": "", "as a library has it": "NOT_FOUND"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sb := unpaced(t, sandbox.WithKeyMode(sandbox.PublicKeyOnly))
				var log bytes.Buffer
				rt := listInterceptor(sb, func(res *http.Response, _ []byte) {
					if code != "" {
						res.Body = io.NopCloser(strings.NewReader(`{"code":"` + code + `","message":"x"}`))
						res.ContentLength = -1
						for name := range res.Header {
							if strings.HasPrefix(name, "Wechatpay-") {
								delete(res.Header, name)
							}
						}
					}
				})
				client := certificateClient(t, sb, wxpay.WithTransport(rt), wxpay.WithLogger(slog.New(slog.NewJSONHandler(&log, nil))))
				for range 100 {
					err := post(t.Context(), client)
					require.ErrorIs(t, err, wxpay.ErrNoCertificates)
					require.ErrorIs(t, err, wxpay.StageKeys)
					assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
					assert.False(t, wxpay.IsCode(err, wxcode.ResourceNotExists, wxcode.NotFound), "the refusal of the list is not one of the call")
					assert.ErrorContains(t, err, "pass WithPublicKey(id, key) in place of WithCertificates")
				}
				require.Equal(t, 1, listed(sb))
				assert.Contains(t, log.String(), `"level":"WARN","msg":"wxpay platform certificates not refreshed"`)
				assert.Contains(t, log.String(), `"failure":"this merchant has no platform certificates, only the WeChat Pay public key: `)
				status := client.KeyStatus()
				assert.ErrorIs(t, status.Err, wxpay.ErrNoCertificates)
				assert.Equal(t, 1, status.Failures)
				assert.WithinRange(t, status.Next, time.Now().Add(30*time.Minute), time.Now().Add(time.Hour))
				var refusal *wxpay.APIError
				var failure *wxpay.KeysError
				require.ErrorAs(t, status.Err, &failure)
				if code != "" {
					require.ErrorAs(t, failure.Cause, &refusal)
					assert.Equal(t, 404, refusal.Status)
				}

				// The merchant turns certificates on: asked for by hand at once, by itself after the pause.
				require.NoError(t, sb.Keys.SetMode(sandbox.BothKeys))
				code = ""
				require.NoError(t, client.RefreshKeys(t.Context()))
				require.NoError(t, post(t.Context(), client))
				assert.NoError(t, client.KeyStatus().Err)
			})
		})
	}
	t.Run("no trouble beside a public key", func(t *testing.T) {
		sb := unpaced(t, sandbox.WithKeyMode(sandbox.PublicKeyOnly))
		log := new(iotest.Buffer)
		client := certificateClient(t, sb, wxpay.WithPublicKey(sb.Keys.PublicKeyID(), sb.Keys.PublicKey()), wxpay.WithLogger(slog.New(slog.NewJSONHandler(log, nil))))
		for range 10 {
			require.NoError(t, post(t.Context(), client))
		}
		require.ErrorIs(t, client.RefreshKeys(t.Context()), wxpay.ErrNoCertificates)
		require.NoError(t, post(t.Context(), client))
		assert.LessOrEqual(t, listed(sb), 2)
		assert.Contains(t, log.String(), `"level":"INFO","msg":"wxpay platform certificates not refreshed"`)
		assert.NotContains(t, log.String(), "ERROR")
	})
}

// listInterceptor lets change see and bend every answer to a read of the certificate list.
func listInterceptor(sb *sandbox.Sandbox, change func(res *http.Response, body []byte)) http.RoundTripper {
	inner := sb.Transport()
	return middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		res, err := inner.RoundTrip(req)
		if err != nil || !strings.HasSuffix(req.URL.Path, "/certificates") {
			return res, err
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			return nil, err
		}
		res.Body = io.NopCloser(bytes.NewReader(body))
		change(res, body)
		return res, nil
	})
}

// The list cannot be read, in every way, while calls go on: the keys at hand stay, no call fails, the failure is visible,
// and it ends by itself.
func TestRefreshFails(t *testing.T) {
	down := errors.New("connection refused")
	for name, test := range map[string]struct {
		bend func(*http.Response, []byte)
		fail error
		slow time.Duration
		kind string
	}{
		"down": {fail: down, kind: `"sending"`},
		"slow": {slow: time.Hour, kind: `"sending"`},
		"HTML": {bend: func(res *http.Response, _ []byte) {
			res.Body = io.NopCloser(strings.NewReader("<html>"))
			res.ContentLength = -1
		}, kind: fmt.Sprintf("%q", wxpay.StageVerify.Error())},
		"garbage": {bend: func(res *http.Response, body []byte) {
			body[len(body)/2] ^= 1
			res.Body = io.NopCloser(bytes.NewReader(body))
		}, kind: fmt.Sprintf("%q", wxpay.StageVerify.Error())},
		"502": {bend: func(res *http.Response, _ []byte) {
			res.StatusCode, res.Header = 502, http.Header{"Content-Type": {"text/html"}}
		}, kind: `{"method":"GET","path":"/v3/certificates","status":502,`},
		"unsigned": {bend: func(res *http.Response, _ []byte) { res.Header.Del("Wechatpay-Signature") }, kind: fmt.Sprintf("%q", wxpay.StageVerify.Error())},
		"empty": {bend: func(res *http.Response, _ []byte) { res.Body, res.ContentLength = http.NoBody, 0 },
			kind: fmt.Sprintf("%q", wxpay.StageVerify.Error())},
		"another signer": {bend: func(res *http.Response, _ []byte) { res.Header.Set("Wechatpay-Serial", strings.Repeat("7", 40)) },
			kind: fmt.Sprintf("%q", wxpay.StageVerify.Error())},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				scheme := quick{apiv3.RSA()}
				sb := unpaced(t, sandbox.WithKeyMode(sandbox.CertificatesOnly), sandbox.WithScheme(scheme))
				var broken atomic.Bool
				var reads atomic.Int64
				good := listInterceptor(sb, func(res *http.Response, body []byte) {
					if broken.Load() && test.bend != nil {
						test.bend(res, body)
					}
				})
				rt := middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
					if strings.HasSuffix(req.URL.Path, "/certificates") {
						if reads.Add(1); broken.Load() && test.slow > 0 {
							select {
							case <-time.After(test.slow):
							case <-req.Context().Done():
								return nil, context.Cause(req.Context())
							}
						}
						if broken.Load() && test.fail != nil {
							return nil, test.fail
						}
					}
					return good.RoundTrip(req)
				})
				log := new(iotest.Buffer)
				client := certificateClient(t, sb, wxpay.WithTransport(rt), wxpay.WithScheme(scheme), wxpay.WithAttempts(1),
					wxpay.WithLogger(slog.New(slog.NewJSONHandler(log, nil))))
				require.NoError(t, post(t.Context(), client))
				before := client.KeyStatus()

				broken.Store(true)
				time.Sleep(6 * time.Hour)
				for range 200 { // more than six hours without a list
					begin := time.Now()
					require.NoError(t, post(t.Context(), client))
					assert.Zero(t, time.Since(begin), "no call waits for it")
					time.Sleep(2 * time.Minute)
				}
				status := client.KeyStatus()
				assert.Equal(t, serialsOf(before.Keys), serialsOf(status.Keys), "the old keys stay")
				assert.Equal(t, before.Fetched, status.Fetched)
				assert.Greater(t, status.Failures, 10)
				assert.Less(t, reads.Load(), int64(450), "a failure is followed by a pause")
				var failure *wxpay.KeysError
				require.ErrorAs(t, status.Err, &failure)
				assert.NotContains(t, status.Err.Error(), "\n")
				record := `"msg":"wxpay platform certificates not refreshed","mchid":"1900000109","failure":` + test.kind
				assert.True(t, strings.Contains(log.String(), record), "logged as %s", record)

				broken.Store(false)
				time.Sleep(3 * time.Minute)
				require.NoError(t, post(t.Context(), client))
				synctest.Wait()
				assert.NoError(t, client.KeyStatus().Err)
				assert.Zero(t, client.KeyStatus().Failures)
				assert.True(t, client.KeyStatus().Fetched.After(before.Fetched))
			})
		})
	}
}

// A first call that cannot have a key says so, and sends nothing; the next ones do not wait for the network in vain, and
// after the pause all is well.
func TestNoKeyNoCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sb := newSandbox(t)
		down := true
		rt := middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			if down {
				return nil, &transport.UnsentError{Err: errors.New("connection refused")}
			}
			return sb.Transport().RoundTrip(req)
		})
		client := certificateClient(t, sb, wxpay.WithTransport(rt), wxpay.WithAttempts(1))
		for range 3 {
			err := post(t.Context(), client)
			require.ErrorIs(t, err, wxpay.StageKeys)
			assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
			assert.ErrorContains(t, err, "the platform certificates could not be fetched: ")
			assert.ErrorContains(t, err, "connection refused")
			assert.ErrorContains(t, err, "not tried again before")
			_, _, err = client.Encrypt(t.Context(), "x")
			assert.ErrorContains(t, err, "could not be fetched")
			_, err = client.Chain(feedsPath).Request(t.Context(), "POST", feed())
			assert.ErrorIs(t, err, wxpay.StageKeys)
		}
		assert.Equal(t, 1, client.KeyStatus().Failures)
		down = false
		time.Sleep(time.Second)
		require.NoError(t, post(t.Context(), client))
	})
}

// A logger may ask the client for what it has just been told.
func TestLoggersMayAsk(t *testing.T) {
	sb := newSandbox(t)
	var client *wxpay.Client
	asked := 0
	client = certificateClient(t, sb, wxpay.WithLogger(slog.New(slog.NewTextHandler(writerFunc(func(p []byte) (int, error) {
		if bytes.Contains(p, []byte("refreshed")) {
			asked = len(client.KeyStatus().Keys)
		}
		return len(p), nil
	}), nil))))
	require.NoError(t, client.RefreshKeys(t.Context()))
	assert.Equal(t, 2, asked)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// A call that is cancelled while it waits for the list ends at once; the list is read to its end for the others.
func TestWaitingForTheListHonoursTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sb := newSandbox(t)
		rt := middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			if strings.HasSuffix(req.URL.Path, "/certificates") {
				time.Sleep(3 * time.Second)
			}
			return sb.Transport().RoundTrip(req)
		})
		client := certificateClient(t, sb, wxpay.WithTransport(rt))
		begin := time.Now()
		left := errors.New("the customer left")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, left)
		defer cancel()
		err := post(ctx, client)
		require.ErrorIs(t, err, left)
		assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
		assert.Equal(t, time.Second, time.Since(begin))
		require.NoError(t, post(t.Context(), client))
		assert.Equal(t, 3*time.Second, time.Since(begin), "the first reading served")
		assert.Equal(t, 1, listed(sb))
	})
}
