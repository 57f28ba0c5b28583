package batch

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
)

// meter counts the work of this process.
type meter struct {
	registry *prometheus.Registry
	ended    *prometheus.CounterVec // jobs, by state and code
	answers  *prometheus.CounterVec // to requests, by status
	waits    prometheus.Histogram   // for the limit
}

func newMeter() *meter {
	m := &meter{
		registry: prometheus.NewRegistry(),
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wxpay_batch_ended_jobs_total", Help: "Jobs that ended in this process, by state and code of the platform.",
		}, []string{"state", "code"}),
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wxpay_batch_requests_total", Help: "Requests of this process by the status of the response; 0 without one.",
		}, []string{"status"}),
		waits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "wxpay_batch_limiter_wait_seconds", Help: "Waits of this process for the shared limit.",
			Buckets: []float64{0.01, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300},
		}),
	}
	m.registry.MustRegister(m.ended, m.answers, m.waits)
	return m
}

// beside counts the results that observe is told of.
func (m *meter) beside(observe func(fleet.Result)) func(fleet.Result) {
	return func(r fleet.Result) {
		m.ended.WithLabelValues(string(r.State), strings.ToValidUTF8(r.Code, "")).Inc()
		observe(r)
	}
}

// attempts is a middleware.Tracer that counts the answers to the requests of a call.
type attempts struct {
	*meter
	call *middleware.Call
}

func (a attempts) BeginAttempt(ctx context.Context) context.Context { return ctx }

func (a attempts) EndAttempt(attempt middleware.Attempt) {
	if !a.call.Reached {
		return
	}
	a.answers.WithLabelValues(strconv.Itoa(attempt.Status)).Inc()
}

// follow is a middleware that counts the answers to all requests.
func (m *meter) follow(next http.RoundTripper) http.RoundTripper {
	return middleware.RoundTripFunc(func(r *http.Request) (*http.Response, error) {
		if call := middleware.CallFrom(r.Context()); call != nil && call.Tracer == nil {
			call.Tracer = attempts{m, call}
		}
		return next.RoundTrip(r)
	})
}

// timed is a limiter whose waits are counted.
type timed struct {
	middleware.Limiter
	*meter
}

func (t timed) Acquire(ctx context.Context, key middleware.LimitKey, documented fact.Rate) (func(), error) {
	begin := time.Now()
	done, err := t.Limiter.Acquire(ctx, key, documented)
	if err == nil {
		t.waits.Observe(time.Since(begin).Seconds())
	}
	return done, err
}
