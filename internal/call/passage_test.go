package call_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/internal/call"
	"github.com/wxpay-go/wxpay/internal/calltest"
	"github.com/wxpay-go/wxpay/middleware"
)

// What is believed of that which the user's middlewares return.
func TestPassage(t *testing.T) {
	const text = `{"no":"N1"}`
	own := errors.New("the middleware's own")
	made := func(body string) *http.Response {
		return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader([]byte(body)))}
	}
	var late func() error
	for name, tt := range map[string]struct {
		reply    calltest.Reply
		pass     func(next http.RoundTripper, req *http.Request) (*http.Response, error)
		verified bool
		err      error  // with these
		says     string // words
		outcome  middleware.Outcome
	}{
		"passes on": {calltest.OK(text), func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
			return next.RoundTrip(req)
		}, true, nil, "", middleware.Confirmed},
		"reads along": {calltest.OK(text), func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
			res, err := next.RoundTrip(req)
			raw, _ := io.ReadAll(res.Body)
			res.Body = io.NopCloser(bytes.NewReader(raw))
			return res, err
		}, true, nil, "", middleware.Confirmed},
		"changes the body": {calltest.OK(text), func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
			res, err := next.RoundTrip(req)
			res.Body = io.NopCloser(bytes.NewReader([]byte(`{"no":"N2"}`)))
			return res, err
		}, false, nil, "", middleware.Confirmed},
		"takes the body away": {calltest.OK(text), func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
			res, err := next.RoundTrip(req)
			res.Body = nil
			return res, err
		}, false, nil, "", middleware.Confirmed},
		"changes the status": {calltest.OK(text), func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
			res, err := next.RoundTrip(req)
			res.StatusCode = http.StatusCreated
			return res, err
		}, false, nil, "", middleware.Confirmed},
		"answers itself": {calltest.OK(text), func(http.RoundTripper, *http.Request) (*http.Response, error) {
			return made(text), nil
		}, false, nil, "", middleware.Confirmed},
		"answers after a failure": {calltest.Reset, func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
			_, _ = next.RoundTrip(req)
			return made(text), nil
		}, false, nil, "", middleware.Confirmed},
		"gives up": {calltest.OK(text), func(http.RoundTripper, *http.Request) (*http.Response, error) {
			return nil, own
		}, false, own, "the middleware's own", middleware.NotSent},
		"gives up after a success": {calltest.OK(text), func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
			_, _ = next.RoundTrip(req)
			return nil, own
		}, false, own, "the middleware's own", middleware.Confirmed},
		"wraps the error": {calltest.Reset, func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
			_, err := next.RoundTrip(req)
			return nil, fmt.Errorf("audited: %w", err)
		}, false, calltest.Reset.Err, "audited: ", middleware.Unknown},
		"returns nothing": {calltest.OK(text), func(http.RoundTripper, *http.Request) (*http.Response, error) {
			return nil, nil
		}, false, nil, "neither a response nor an error", middleware.NotSent},
		"loses the context": {calltest.OK(text), func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
			return next.RoundTrip(req.WithContext(context.Background()))
		}, false, nil, "does not descend from it", middleware.NotSent},
		"sends it on too late": {calltest.OK(text), func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
			late = func() error { _, err := next.RoundTrip(req); return err }
			return nil, own
		}, false, own, "", middleware.NotSent},
	} {
		t.Run(name, func(t *testing.T) {
			gateway := calltest.Play(tt.reply)
			line := calltest.NewLine(t, gateway, calltest.NewFacts(create), func(next http.RoundTripper) http.RoundTripper {
				return middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) { return tt.pass(next, req) })
			})
			c, err := line.Prepare(t.Context(), &call.Spec{Path: create.Path}, create.Method, text)
			require.NoError(t, err)
			res, err := c.Send(t.Context())
			assert.Equal(t, tt.outcome, line.Errors.Outcome(err), "%v", err)
			if tt.err == nil && tt.says == "" {
				require.NoError(t, err)
				assert.Equal(t, tt.verified, res.Verified)
				return
			}
			require.ErrorContains(t, err, tt.says)
			if tt.err != nil {
				require.ErrorIs(t, err, tt.err)
			}
			if late != nil {
				require.ErrorContains(t, late(), "after it had returned")
				assert.Empty(t, gateway.Seen())
				late = nil
			}
		})
	}
}
