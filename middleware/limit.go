package middleware

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/fault"
)

// LimitKey identifies a limit.
type LimitKey struct {
	// Identity is the signer: the number of a merchant, a service provider or a brand, after its
	// kind, such as "mchid 1900000109".
	Identity string
	// Method and Template name the operation.
	Method, Template string
}

// Limiter admits requests one at a time. Implement it to share limits between processes. It must be
// safe for concurrent use.
type Limiter interface {
	// Acquire waits until a request may be sent. documented is the rate in the catalogue, zero if
	// unknown. Limit calls done, which may be nil, at the end of the request. An error keeps the
	// request back; wrap ErrLimited if the reason is the limit. errors.Is and errors.As find
	// nothing else of this module in it.
	Acquire(ctx context.Context, key LimitKey, documented fact.Rate) (done func(), err error)
}

// Limit makes every request, including retries, wait for limiter. identity is that of [LimitKey].
// The wait counts towards the time of the call, not of the attempt.
func Limit(limiter Limiter, identity string) Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			key := LimitKey{Identity: identity, Method: req.Method, Template: req.URL.Path}
			call := CallFrom(req.Context())
			if call == nil {
				call = &Call{Stream: true}
			} else {
				key.Template = call.Template
			}
			var documented fact.Rate
			if call.Operation != nil {
				documented = call.Operation.Rate
			}
			done, waited, err := admit(req.Context(), limiter, call, key, documented)
			if err != nil {
				return nil, err
			}
			if done != nil {
				defer done()
			}
			if waited && !call.Stream {
				ctx, stop, _ := attemptContext(call.outer, call)
				defer stop()
				req = req.WithContext(ctx)
			}
			return next.RoundTrip(req)
		})
	}
}

// admit waits for limiter while the call lasts, and reports whether it had to wait.
func admit(ctx context.Context, limiter Limiter, call *Call, key LimitKey, documented fact.Rate) (done func(), waited bool, err error) {
	if call.outer == nil || call.Stream {
		done, err = limiter.Acquire(ctx, key, documented)
		return done, false, keptBack(ctx, err)
	}
	if own, ok := limiter.(*Limits); ok {
		return own.acquire(call.outer, call.Deadline, key, documented)
	}
	if ctx = call.outer; !call.Deadline.IsZero() && call.Limits != nil {
		var stop context.CancelFunc
		ctx, stop = context.WithDeadlineCause(ctx, call.Deadline, call.Limits.TotalErr)
		defer stop()
	}
	begin := time.Now()
	done, err = limiter.Acquire(ctx, key, documented)
	return done, time.Since(begin) > time.Millisecond, keptBack(ctx, err)
}

// keptBack is a limiter's error. It keeps only ErrLimited of this module.
func keptBack(ctx context.Context, err error) error {
	if errors.Is(err, ErrLimited) {
		return fault.Holding(err, errors.Join(ErrLimited, fault.Cause(ctx)))
	}
	return fault.During(ctx, err)
}

// Rule is your own limit. The first rule that fits an operation replaces the documented rate.
type Rule struct {
	// Method and Template name the operation; an empty one fits all.
	Method, Template string
	// PerSecond bounds the requests that begin within any second; 0 is no bound.
	PerSecond int
	// InFlight bounds the concurrent requests; 0 is no bound.
	InFlight int
}

// Limits is a [Limiter] for one process. Without a rule it keeps the documented rate, for each
// operation and signing number. A request without rule or documented rate does not wait.
//
// It admits no more requests within any second than the rate: the first of a burst start at once,
// the others wait. A request that would wait past its deadline fails at once. Limits is safe for
// concurrent use and needs a few hundred bytes for each operation.
type Limits struct {
	rules []Rule

	mu    sync.Mutex
	gates map[LimitKey]*gate
}

var _ Limiter = (*Limits)(nil)

// NewLimits returns limits with your own rules before the documented ones.
func NewLimits(rules ...Rule) *Limits {
	return &Limits{rules: rules, gates: map[LimitKey]*gate{}}
}

// gate is the limit of one key.
type gate struct {
	slots   chan struct{} // nil without a limit in flight
	release func()        // gives a slot back

	mu     sync.Mutex
	begun  []time.Time // begins of the last requests: a ring as long as the rate, nil without one
	oldest int
}

// limitWindow is a second and a margin for requests that draw closer on the way.
const limitWindow = time.Second + 10*time.Millisecond

// Acquire waits for the limit; see [Limiter].
func (l *Limits) Acquire(ctx context.Context, key LimitKey, documented fact.Rate) (func(), error) {
	done, _, err := l.acquire(ctx, time.Time{}, key, documented)
	return done, err
}

// acquire is Acquire with a deadline besides that of ctx, zero for none. It reports whether it
// waited.
func (l *Limits) acquire(ctx context.Context, end time.Time, key LimitKey, documented fact.Rate) (done func(), waited bool, err error) {
	g := l.gate(key, documented)
	if g == nil {
		return nil, false, nil
	}
	if deadline, ok := ctx.Deadline(); ok && (end.IsZero() || deadline.Before(end)) {
		end = deadline
	}
	if g.slots != nil {
		if waited, err = g.enter(ctx, end); err != nil {
			return nil, waited, err
		}
	}
	late, err := g.wait(ctx, end)
	if err != nil {
		if g.release != nil {
			g.release()
		}
		return nil, waited, err
	}
	return g.release, waited || late, nil
}

// enter takes a slot in flight.
func (g *gate) enter(ctx context.Context, end time.Time) (waited bool, err error) {
	select {
	case g.slots <- struct{}{}:
		return false, nil
	default:
	}
	var late <-chan time.Time
	if !end.IsZero() {
		timer := time.NewTimer(time.Until(end))
		defer timer.Stop()
		late = timer.C
	}
	select {
	case g.slots <- struct{}{}:
		return true, nil
	case <-late:
		return true, fmt.Errorf("%w: too many requests are on the way", ErrLimited)
	case <-ctx.Done():
		return true, fmt.Errorf("%w: %w", ErrLimited, fault.Cause(ctx))
	}
}

func (l *Limits) gate(key LimitKey, documented fact.Rate) *gate {
	l.mu.Lock()
	defer l.mu.Unlock()
	if g, ok := l.gates[key]; ok {
		return g
	}
	rule := Rule{PerSecond: documented.PerSecond}
	for _, r := range l.rules {
		if (r.Method == "" || r.Method == key.Method) && (r.Template == "" || r.Template == key.Template) {
			rule = r
			break
		}
	}
	var g *gate
	if rule.PerSecond > 0 || rule.InFlight > 0 {
		g = &gate{}
		if rule.PerSecond > 0 {
			g.begun = make([]time.Time, rule.PerSecond)
		}
		if rule.InFlight > 0 {
			g.slots = make(chan struct{}, rule.InFlight)
			g.release = func() { <-g.slots }
		}
	}
	l.gates[key] = g
	return g
}

// wait takes the next place in time and waits for it. An abandoned place is lost to the others,
// which is on the careful side.
func (g *gate) wait(ctx context.Context, end time.Time) (waited bool, err error) {
	if g.begun == nil {
		return false, nil
	}
	g.mu.Lock()
	now := time.Now()
	at := now
	if free := g.begun[g.oldest].Add(limitWindow); free.After(now) {
		at = free
	}
	if !end.IsZero() && at.After(end) {
		g.mu.Unlock()
		return false, fmt.Errorf("%w: the next place is %s away, past the deadline", ErrLimited, at.Sub(now).Round(time.Millisecond))
	}
	g.begun[g.oldest] = at
	g.oldest = (g.oldest + 1) % len(g.begun)
	g.mu.Unlock()
	if !at.After(now) {
		return false, nil
	}
	timer := time.NewTimer(at.Sub(now))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true, nil
	case <-ctx.Done():
		return true, fmt.Errorf("%w: %w", ErrLimited, fault.Cause(ctx))
	}
}
