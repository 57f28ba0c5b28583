package batch

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/contrib/fleet"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
)

// meter counts the work of this process.
type meter struct {
	mu      sync.Mutex
	ended   map[[2]string]int // jobs, by state and code
	answers map[int]int       // to requests, by status; 0 for none
	waits   []int             // for the limit, by waitBounds, and above them
	waited  time.Duration     // all of them
}

// waitBounds are the upper bounds, in seconds, by which waits for the limit are counted.
var waitBounds = []float64{0.01, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 300}

func newMeter() *meter {
	return &meter{ended: make(map[[2]string]int), answers: make(map[int]int), waits: make([]int, len(waitBounds)+1)}
}

// beside counts the results that observe is told of.
func (m *meter) beside(observe func(fleet.Result)) func(fleet.Result) {
	return func(r fleet.Result) {
		m.mu.Lock()
		m.ended[[2]string{string(r.State), r.Code}]++
		m.mu.Unlock()
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
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answers[attempt.Status]++
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
		wait := time.Since(begin)
		t.mu.Lock()
		defer t.mu.Unlock()
		i, _ := slices.BinarySearch(waitBounds, wait.Seconds())
		t.waits[i]++
		t.waited += wait
	}
	return done, err
}

// write writes what was counted.
func (m *meter) write(e *exposition) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e.family("wxpay_batch_ended_jobs_total", "counter", "Jobs that ended in this process, by state and code of the platform.")
	for _, key := range slices.SortedFunc(maps.Keys(m.ended), func(a, b [2]string) int { return strings.Compare(a[0]+" "+a[1], b[0]+" "+b[1]) }) {
		e.sample("wxpay_batch_ended_jobs_total", float64(m.ended[key]), "state", key[0], "code", key[1])
	}
	e.family("wxpay_batch_requests_total", "counter", "Requests of this process by the status of the answer; 0 without one.")
	for _, status := range slices.Sorted(maps.Keys(m.answers)) {
		e.sample("wxpay_batch_requests_total", float64(m.answers[status]), "status", strconv.Itoa(status))
	}
	e.family("wxpay_batch_limiter_wait_seconds", "histogram", "Waits of this process for the shared limit.")
	count := 0
	for i, n := range m.waits {
		bound := "+Inf"
		if i < len(waitBounds) {
			bound = strconv.FormatFloat(waitBounds[i], 'g', -1, 64)
		}
		count += n
		e.sample("wxpay_batch_limiter_wait_seconds_bucket", float64(count), "le", bound)
	}
	e.sample("wxpay_batch_limiter_wait_seconds_sum", m.waited.Seconds())
	e.sample("wxpay_batch_limiter_wait_seconds_count", float64(count))
}
