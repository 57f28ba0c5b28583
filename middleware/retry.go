package middleware

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/fault"
)

// Figures of Retry. They are choices of this package; the platform documents none.
const (
	retryBase  = 200 * time.Millisecond // the first pause is up to this, each further one up to twice the last
	retryBusy  = time.Second            // the same after 429 and 503
	retryMost  = 5 * time.Second        // no pause is longer, unless the platform asks for it
	retryLeast = 500 * time.Millisecond // an attempt with less time than this left is not begun
)

// RetryConfig configures [Retry].
type RetryConfig struct {
	// Attempts bounds the requests of one call, including the first.
	Attempts int
	// Passing reports whether an API error is temporary, so that a retry may succeed. nil means 429
	// and 5xx.
	Passing func(status int, code string) bool
	// Hosts are the hosts to choose from; nil keeps the request's own.
	Hosts *Hosts
}

// Retry makes the attempts of a call and knows their outcome ([Call.Outcome]).
//
//   - It sends every request again that had no connection: nothing was sent.
//   - Otherwise it retries only if [Call.CanRetry] allows it, and only after network errors,
//     untrusted responses and temporary API errors (5xx, 429).
//   - Each pause is random up to a bound that doubles (full jitter), or as long as Retry-After
//     says. It begins no attempt that could not end before the deadline; the last result then
//     stands.
//   - Each attempt has its own time limit and signature, and the same bytes. The first uses the
//     pipeline's own request, later ones a clone.
//   - After a failure of a host the next attempt goes to another one.
func Retry(r *RetryConfig) Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			call := CallFrom(req.Context())
			if call == nil {
				call = &Call{Method: req.Method}
				req = req.WithContext(WithCall(req.Context(), call))
			}
			return r.run(call, req, next)
		})
	}
}

func (r *RetryConfig) run(call *Call, req *http.Request, next http.RoundTripper) (*http.Response, error) {
	ctx, host := req.Context(), call.Host
	if host == "" && r.Hosts != nil && r.Hosts.has(req.URL.Host) {
		host = r.Hosts.first(call.CanRetry())
	}
	try := req
	for n := 1; ; n++ {
		call.outer = ctx
		if call.Tracer != nil {
			call.outer = call.Tracer.BeginAttempt(ctx)
		}
		attempt, stop, lift := attemptContext(call.outer, call)
		if err := call.prepare(&try, attempt, n); err != nil {
			stop()
			if call.Tracer != nil {
				call.Tracer.EndAttempt(Attempt{Host: try.URL.Host, Outcome: NotSent, Err: err, Ended: time.Now()})
			}
			return nil, err
		}
		if host != "" && host != try.URL.Host {
			address := *try.URL
			address.Host = host
			try.URL, try.Host = &address, host
		}
		call.begin(try)
		res, err := next.RoundTrip(try)
		if end := streams(call, res, err, lift); end != nil {
			res.Body = newStreamBody(res.Body, attempt, end, call.Limits)
		} else {
			stop()
		}
		outcome := call.judge(res, err)
		if r.Hosts != nil && call.Reached {
			r.report(try.URL.Host, call.ServedBy, res, err)
		}
		if outcome == Confirmed {
			call.Answered = res
		}
		call.ended(res, err, outcome)
		if n >= r.Attempts || outcome == Confirmed || ctx.Err() != nil || !r.again(call, res, err, outcome) {
			return res, err
		}
		if !call.pause(ctx, pauseAfter(n, res, outcome)) {
			return res, err
		}
		if r.Hosts != nil && call.Host == "" && hostFailed(res, err) && r.Hosts.has(call.ServedBy) {
			host = r.Hosts.other(call.ServedBy)
		}
	}
}

// report tells Hosts which hosts failed. If the transport moved on to another host, the first one
// failed.
func (r *RetryConfig) report(asked, took string, res *http.Response, err error) {
	if took != asked {
		r.Hosts.report(asked, true)
	}
	r.Hosts.report(took, hostFailed(res, err))
}

// again decides about another attempt.
func (r *RetryConfig) again(call *Call, res *http.Response, err error, outcome Outcome) bool {
	var untrusted *VerifyError
	switch {
	case outcome == NotSent:
		return call.Reached // else it failed on this side: signing, a limit, a cancelled context
	case !call.CanRetry():
		return false
	case asVerifyError(err, &untrusted):
		return !lasting(untrusted.Reason)
	case err != nil:
		return true
	case r.Passing != nil:
		return r.Passing(res.StatusCode, errorCode(res))
	}
	return res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500
}

// lasting reports whether a retry would fail in the same way.
func lasting(reason error) bool {
	for _, same := range []error{apiv3.ErrClock, apiv3.ErrUnknownSerial, ErrResponseTooLarge, ErrResponseCoded, ErrResponseAmbiguous} {
		if errors.Is(reason, same) {
			return true
		}
	}
	return false
}

// prepare makes try the request of the nth attempt.
func (c *Call) prepare(try **http.Request, ctx context.Context, n int) error {
	if n > 1 {
		return c.renew(try, ctx)
	}
	*try = (*try).WithContext(ctx)
	if err := c.settle(*try); err != nil { // so that the body can be sent twice
		return &SignError{err}
	}
	return nil
}

// renew replaces try by a fresh request with the same bytes. An earlier attempt may still read its
// own.
func (c *Call) renew(try **http.Request, ctx context.Context) error {
	before := *try
	next := before.Clone(ctx)
	if before.Body != nil && before.Body != http.NoBody {
		if before.GetBody == nil {
			return errors.New("the body cannot be sent twice")
		}
		body, err := before.GetBody()
		if err != nil {
			return fault.Outside(err)
		}
		next.Body = body
		if before.Body == c.body {
			c.body = body
		}
	}
	*try = next
	return nil
}

// pauseAfter is the pause after the nth attempt.
func pauseAfter(n int, res *http.Response, outcome Outcome) time.Duration {
	base := retryBase
	if res != nil && (res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusServiceUnavailable) {
		base = retryBusy
	}
	if outcome == NotSent && n == 1 {
		return 0 // another host, or another address of this one, may be there at once
	}
	pause := rand.N(min(base<<min(n-1, 10), retryMost) + 1)
	if res != nil {
		pause = max(pause, retryAfter(res.Header.Get("Retry-After")))
	}
	return pause
}

// retryAfter parses the header Retry-After: seconds, or a date.
func retryAfter(value string) time.Duration {
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil && seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil {
		return time.Until(date)
	}
	return 0
}

// pause waits, and reports whether there is time for another attempt afterwards.
func (c *Call) pause(ctx context.Context, wait time.Duration) bool {
	least := retryLeast
	if c.Limits != nil && c.Limits.Attempt > 0 {
		least = min(least, c.Limits.Attempt)
	}
	ready := time.Now().Add(wait + least)
	if !c.Deadline.IsZero() && ready.After(c.Deadline) {
		return false
	}
	end, bounded := ctx.Deadline()
	if bounded && ready.After(end) {
		return false
	}
	if !bounded && c.Deadline.IsZero() && c.Limits != nil && wait > max(c.Limits.Total, c.Limits.Still) {
		return false // nothing else would end a wait that Retry-After asks for
	}
	if wait <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
