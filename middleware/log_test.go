package middleware_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
)

// steps is a clock that goes on by a second at every look.
func steps() func() time.Time {
	now := time.Unix(1735689600, 0)
	return func() time.Time {
		now = now.Add(time.Second)
		return now
	}
}

func request(t *testing.T, call *middleware.Call) *http.Request {
	t.Helper()
	ctx := middleware.WithCall(context.Background(), call)
	req, err := http.NewRequestWithContext(ctx, call.Method, "https://api.mch.weixin.qq.com/v3/x/oSECRET?openid=oSECRET", nil)
	require.NoError(t, err)
	return req
}

// refusing answers with a rejection, read by Verify as in the pipeline.
func refusing(status int, body string) http.RoundTripper {
	verify := middleware.Verify(&middleware.VerifyConfig{Scheme: apiv3.RSA(), Clock: time.Now, MaxResponse: 1 << 10})
	return verify(middleware.RoundTripFunc(func(*http.Request) (*http.Response, error) {
		header := http.Header{"Request-Id": {"08C7-1"}}
		return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}, nil
	}))
}

func failing(err error) http.RoundTripper {
	return middleware.RoundTripFunc(func(*http.Request) (*http.Response, error) { return nil, err })
}

func succeeding() http.RoundTripper {
	return middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		call := middleware.CallFrom(req.Context())
		call.Attempts, call.Verified = 1, true
		return &http.Response{StatusCode: 200, Header: http.Header{"Request-Id": {"08C7-0"}}, Body: http.NoBody}, nil
	})
}

func TestLog(t *testing.T) {
	tests := []struct {
		name string
		next http.RoundTripper
		want map[string]any
	}{
		{"success", succeeding(), map[string]any{
			"level": "INFO", "msg": "wxpay call", "method": "GET", "path": "/v3/x/{id}", "status": 200.0, "request_id": "08C7-0",
			"attempts": 1.0, "duration": 1e9, "verified": true,
		}},
		{"refusal", refusing(400, `{"code":"PARAM_ERROR","message":"oSECRET"}`), map[string]any{
			"level": "WARN", "msg": "wxpay call failed", "method": "GET", "path": "/v3/x/{id}", "status": 400.0, "request_id": "08C7-1",
			"attempts": 0.0, "duration": 1e9, "verified": false, "code": "PARAM_ERROR", "outcome": "outcome unknown", "advice": readAgain,
		}},
		{"a page", refusing(502, "<html>oSECRET"), map[string]any{
			"level": "WARN", "msg": "wxpay call failed", "method": "GET", "path": "/v3/x/{id}", "status": 502.0, "request_id": "08C7-1",
			"attempts": 0.0, "duration": 1e9, "verified": false, "outcome": "outcome unknown", "advice": readAgain,
		}},
		{"transport", failing(errors.New("dial oSECRET")), failed("transport", 0, "")},
		{"timeout", failing(context.DeadlineExceeded), failed("timeout", 0, "")},
		{"cancelled", failing(context.Canceled), failed("cancelled", 0, "")},
		{"signing", failing(&middleware.SignError{Err: errors.New("oSECRET")}), failed("signing", 0, "")},
		{"limited", failing(fmt.Errorf("%w: oSECRET", middleware.ErrLimited)), failed("limit", 0, "")},
		{"unverified", failing(&middleware.VerifyError{Status: 200, Header: http.Header{"Request-Id": {"08C7-0"}}, Reason: apiv3.ErrSignature}),
			with(failed("unverified response", 200, "08C7-0"), "error", "signature does not match")},
		{"a clock", failing(&middleware.VerifyError{Status: 200, Header: http.Header{}, Reason: fmt.Errorf("oSECRET: %w", &apiv3.ClockError{Skew: time.Hour})}),
			with(failed("unverified response", 200, ""), "error",
				"the timestamp is 1h0m0s after the local clock, at most 5m0s are allowed: check this machine's clock first")},
		{"untold", failing(&middleware.VerifyError{Status: 200, Header: http.Header{}, Reason: errors.New("oSECRET")}), failed("unverified response", 200, "")},
		{"probe", failing(&middleware.VerifyError{Status: 200, Header: http.Header{}, Reason: apiv3.ErrSignature, Probe: true}), map[string]any{
			"level": "INFO", "msg": "wxpay response was a signature test of the platform", "method": "GET",
			"path": "/v3/x/{id}", "status": 200.0, "request_id": "",
			"attempts": 0.0, "duration": 1e9, "verified": false, "failure": "unverified response",
			"error": "signature does not match", "outcome": "outcome unknown", "advice": readAgain,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			logger := slog.New(slog.NewJSONHandler(&out, nil))
			res, err := middleware.Log(logger, steps())(judged(tt.next)).RoundTrip(request(t, &middleware.Call{Method: "GET", Template: "/v3/x/{id}"}))
			require.True(t, (res == nil) != (err == nil))
			assert.NotContains(t, out.String(), "SECRET")
			var got map[string]any
			require.NoError(t, json.Unmarshal(out.Bytes(), &got), "exactly one record: %s", out.String())
			delete(got, "time")
			assert.Equal(t, tt.want, got)
		})
	}
}

const readAgain = "it was a read, so retrying is safe"

// judged is next as one attempt that was on the wire.
func judged(next http.RoundTripper) http.RoundTripper {
	return middleware.Retry(&middleware.RetryConfig{Attempts: 1})(middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		middleware.CallFrom(req.Context()).Reached = true
		return next.RoundTrip(req)
	}))
}

func with(record map[string]any, name string, value any) map[string]any {
	record[name] = value
	return record
}

func failed(kind string, status float64, id string) map[string]any {
	return map[string]any{
		"level": "WARN", "msg": "wxpay call failed", "method": "GET", "path": "/v3/x/{id}", "status": status, "request_id": id,
		"attempts": 0.0, "duration": 1e9, "verified": false, "failure": kind, "outcome": "outcome unknown", "advice": readAgain,
	}
}

// A record of a failure says whether money may have moved, and what to do; the merchant's number is in it on demand only.
func TestLogOfDoubt(t *testing.T) {
	refund := &fact.Operation{Conduct: fact.Conduct{MovesMoney: true, Link: &fact.Link{Query: "/v3/refund/domestic/refunds/{out_refund_no}"}}}
	reset, probe := failing(errors.New("reset")), failing(&middleware.VerifyError{Status: 200, Header: http.Header{}, Reason: apiv3.ErrSignature, Probe: true})
	unsent := middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		middleware.CallFrom(req.Context()).Reached = false
		return nil, middleware.ErrLimited
	})
	for _, tt := range []struct {
		name  string
		call  *middleware.Call
		next  http.RoundTripper
		level string
		says  map[string]any
	}{
		{"money", &middleware.Call{Method: "POST", Template: "/v3/refund/domestic/refunds", Operation: refund}, reset, "WARN", map[string]any{
			"outcome": "outcome unknown", "money_may_have_moved": true,
			"advice": "it may have taken effect: ask GET /v3/refund/domestic/refunds/{out_refund_no} before repeating, as Client.Resolve does",
		}},
		{"money that no catalogue knows", &middleware.Call{Method: "POST", Template: "/v3/refund/x"}, reset, "WARN", map[string]any{
			"outcome": "outcome unknown", "money_may_have_moved": true,
			"advice": "it may have taken effect: query it by your own number before repeating, and repeat only with the same number",
		}},
		{"no money", &middleware.Call{Method: "POST", Template: "/v3/x"}, reset, "WARN", map[string]any{
			"outcome": "outcome unknown",
			"advice":  "it may have taken effect: query it by your own number before repeating, and repeat only with the same number",
		}},
		{"a signature test that a write met", &middleware.Call{Method: "POST", Template: "/v3/refund/x"}, probe, "WARN", map[string]any{
			"outcome": "outcome unknown", "money_may_have_moved": true,
		}},
		{"nothing sent", &middleware.Call{Method: "POST", Template: "/v3/refund/x"}, unsent, "WARN", map[string]any{
			"outcome": "not sent", "advice": "nothing was sent, so the call can be made again",
		}},
		{"a number on demand", &middleware.Call{Method: "POST", Template: "/v3/x", Number: func() string { return "R-1\n2" }}, reset, "WARN", map[string]any{
			"number": "R-12",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			logger := slog.New(slog.NewJSONHandler(&out, nil))
			_, err := middleware.Log(logger, steps())(judged(tt.next)).RoundTrip(request(t, tt.call))
			require.Error(t, err)
			var got map[string]any
			require.NoError(t, json.Unmarshal(out.Bytes(), &got), "exactly one record: %s", out.String())
			assert.Equal(t, tt.level, got["level"])
			for name, value := range tt.says {
				assert.Equal(t, value, got[name], name)
			}
			for _, name := range []string{"money_may_have_moved", "number"} {
				if _, wanted := tt.says[name]; !wanted {
					assert.NotContains(t, got, name)
				}
			}
		})
	}
}

func TestLogLevels(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn}))
	call := func(next http.RoundTripper) {
		_, _ = middleware.Log(logger, steps())(next).RoundTrip(request(t, &middleware.Call{Method: "GET", Template: "/v3/x"}))
	}
	call(succeeding())
	assert.Empty(t, out.String(), "success is Info")
	call(refusing(400, "{}"))
	assert.Contains(t, out.String(), "level=WARN")
}

func TestObserve(t *testing.T) {
	var got []middleware.Observation
	observe := middleware.Observe(steps(), func(_ context.Context, o middleware.Observation) { got = append(got, o) })
	call := func(next http.RoundTripper) {
		_, _ = observe(judged(next)).RoundTrip(request(t, &middleware.Call{Method: "GET", Template: "/v3/x/{id}"}))
	}
	call(succeeding())
	call(refusing(404, `{"code":"ORDER_NOT_EXIST"}`))
	call(failing(io.ErrUnexpectedEOF))
	assert.Equal(t, []middleware.Observation{
		{Method: "GET", Template: "/v3/x/{id}", Status: 200, RequestID: "08C7-0", Attempts: 1, Duration: time.Second,
			Verified: true, Outcome: middleware.Confirmed},
		{Method: "GET", Template: "/v3/x/{id}", Status: 404, Code: "ORDER_NOT_EXIST", RequestID: "08C7-1", Duration: time.Second},
		{Method: "GET", Template: "/v3/x/{id}", Duration: time.Second, Err: io.ErrUnexpectedEOF},
	}, got)
}

// The body that Verify leaves can be read as any body, and taken whole.
func TestReadBody(t *testing.T) {
	const whole = " {\"a\":\"\xff\"}\n"
	res, err := refusing(400, whole).RoundTrip(request(t, &middleware.Call{Method: "GET"}))
	require.NoError(t, err)
	raw, text, err := middleware.ReadBody(res)
	require.NoError(t, err)
	assert.Equal(t, whole, string(raw))
	assert.Equal(t, " {\"a\":\"\ufffd\"}\n", string(text))
	read, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	assert.Equal(t, whole, string(read))
	raw, text, err = middleware.ReadBody(res)
	require.NoError(t, err)
	assert.Empty(t, raw, "it was read already")
	assert.Nil(t, text)

	for body, json := range map[string]string{"plain": "", " [1] ": " [1] ", `{"a":1,"A":1}`: ""} {
		raw, text, err = middleware.ReadBody(&http.Response{Body: io.NopCloser(strings.NewReader(body))})
		require.NoError(t, err)
		assert.Equal(t, body, string(raw))
		assert.Equal(t, json, string(text))
	}
}

// Observer and log tell the same duration, and the clock is read once for both to begin with.
func TestOneBeginning(t *testing.T) {
	now, readings := time.Unix(1735689600, 0), 0
	clock := func() time.Time {
		readings++
		now = now.Add(time.Second)
		return now
	}
	var out bytes.Buffer
	answer := middleware.RoundTripFunc(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 204, Header: http.Header{}}, nil
	})
	inner := middleware.Log(slog.New(slog.NewTextHandler(&out, nil)), clock)(answer)
	var observed middleware.Observation
	outer := middleware.Observe(clock, func(_ context.Context, o middleware.Observation) { observed = o })(inner)
	for range 2 {
		readings = 0
		req, err := http.NewRequestWithContext(middleware.WithCall(t.Context(), &middleware.Call{}), "GET", "https://example.com/", nil)
		require.NoError(t, err)
		_, err = outer.RoundTrip(req)
		require.NoError(t, err)
		assert.Equal(t, 3, readings)
		assert.Equal(t, 2*time.Second, observed.Duration)
		assert.Contains(t, out.String(), "duration=1s")

		_, err = inner.RoundTrip(req) // without the observer
		require.NoError(t, err)
		assert.Equal(t, 5, readings, "the observer's moment does not outlive its call")
	}
}
