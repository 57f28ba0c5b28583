package middleware_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
)

// stack is what stands around signing and verifying: observe, log, retry and limit.
func stack(next http.RoundTripper) http.RoundTripper {
	stages := []middleware.Middleware{
		middleware.Observe(time.Now, func(context.Context, middleware.Observation) {}),
		middleware.Log(slog.New(slog.DiscardHandler), time.Now),
		middleware.Retry(&middleware.RetryConfig{Attempts: 3, Hosts: middleware.NewHosts(time.Now, "api.mch.weixin.qq.com", "api2.mch.weixin.qq.com")}),
		middleware.Limit(middleware.NewLimits(middleware.Rule{PerSecond: 1 << 20}), "mchid 1900000109"),
	}
	for i := len(stages) - 1; i >= 0; i-- {
		next = stages[i](next)
	}
	return next
}

// done answers every request with the same success, as a transport that has done its work.
var done = middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
	middleware.CallFrom(req.Context()).Reached = true
	return succeeded, nil
})

var succeeded = &http.Response{StatusCode: 200, Header: http.Header{"Request-Id": {"08C7-0"}}, Body: http.NoBody}

// trip makes one call of the pipeline's own making through rt.
func trip(tb testing.TB, rt http.RoundTripper) func() {
	req, err := http.NewRequest(http.MethodPost, "https://api.mch.weixin.qq.com/v3/x", nil)
	require.NoError(tb, err)
	limits := &middleware.TimeLimits{Total: 30 * time.Second, Attempt: 10 * time.Second, TotalErr: errors.New("late"), AttemptErr: errors.New("late")}
	return func() {
		call := &middleware.Call{Method: http.MethodPost, Template: "/v3/x", Operation: new(fact.Operation),
			Limits: limits, Deadline: time.Now().Add(30 * time.Second)}
		res, err := rt.RoundTrip(req.WithContext(middleware.WithCall(context.Background(), call)))
		if err != nil || res.StatusCode != 200 {
			tb.Fatal(err)
		}
	}
}

// The difference of the two is what the whole stack adds to a successful call.
func BenchmarkStack(b *testing.B) {
	for name, rt := range map[string]http.RoundTripper{"without": done, "with": stack(done)} {
		b.Run(name, func(b *testing.B) {
			call := trip(b, rt)
			b.ReportAllocs()
			for b.Loop() {
				call()
			}
		})
	}
}

func TestStackAllocations(t *testing.T) {
	without, with := testing.AllocsPerRun(200, trip(t, done)), testing.AllocsPerRun(200, trip(t, stack(done)))
	t.Logf("%.0f allocations without, %.0f with", without, with)
	assert.LessOrEqual(t, with-without, 6.0)
}
