//go:build go1.25

package middleware_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
)

type tracer struct {
	n     int
	ended []middleware.Attempt
}

type tracedKey struct{}

func (t *tracer) BeginAttempt(ctx context.Context) context.Context {
	t.n++
	return context.WithValue(ctx, tracedKey{}, t.n)
}

func (t *tracer) EndAttempt(a middleware.Attempt) { t.ended = append(t.ended, a) }

func TestTracer(t *testing.T) {
	lost := errors.New("lost")
	slow := limiterFunc(func(context.Context, middleware.LimitKey, fact.Rate) (func(), error) {
		time.Sleep(time.Second)
		return nil, nil
	})
	for name, c := range map[string]struct {
		body     io.ReadCloser
		statuses []int // 0 loses the response
		outcomes []middleware.Outcome
		history  int
	}{
		"success": {statuses: []int{200}, outcomes: []middleware.Outcome{middleware.Confirmed}},
		"retry": {statuses: []int{0, 500, 200},
			outcomes: []middleware.Outcome{middleware.Unknown, middleware.Unknown, middleware.Confirmed}, history: 3},
		"failure": {statuses: []int{0, 0, 0},
			outcomes: []middleware.Outcome{middleware.Unknown, middleware.Unknown, middleware.Unknown}, history: 3},
		"body that cannot be read": {body: io.NopCloser(iotest.ErrReader(lost)), outcomes: []middleware.Outcome{middleware.NotSent}},
	} {
		synctest.Test(t, func(t *testing.T) {
			t.Log(name)
			var follow tracer
			sent := 0
			transport := middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
				call := middleware.CallFrom(req.Context())
				require.NotNil(t, call)
				call.Reached = true
				sent++
				assert.Equal(t, sent, req.Context().Value(tracedKey{}), "the attempt runs under the tracer's context")
				if status := c.statuses[sent-1]; status > 0 {
					return &http.Response{StatusCode: status, Body: http.NoBody, Header: http.Header{}}, nil
				}
				return nil, lost
			})
			call := &middleware.Call{Method: http.MethodGet, Template: "/v3/x", Tracer: &follow}
			req, err := http.NewRequestWithContext(middleware.WithCall(t.Context(), call), http.MethodGet, "https://api.mch.weixin.qq.com/v3/x", c.body)
			require.NoError(t, err)
			chain := middleware.Retry(&middleware.RetryConfig{Attempts: 3})(middleware.Limit(slow, "mchid 1900000109")(transport))
			_, _ = chain.RoundTrip(req)
			var outcomes []middleware.Outcome
			for _, a := range follow.ended {
				outcomes = append(outcomes, a.Outcome)
				assert.False(t, a.Ended.IsZero())
				assert.Equal(t, "api.mch.weixin.qq.com", a.Host)
			}
			assert.Equal(t, c.outcomes, outcomes)
			assert.Equal(t, len(c.outcomes), follow.n)
			assert.Len(t, call.History, c.history)
		})
	}
}
