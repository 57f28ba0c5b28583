package wxsql

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Worker makes the calls of an outbox. Any number of workers in any number of processes share one
// outbox. The zero value with an Outbox is useful.
//
// A worker takes a job for a lease and in the same statement writes down that it has begun; only
// then it calls wxpay.Chain.Ensure. So nothing is lost if it dies at any moment: when the lease
// ends, another worker takes the job, knows that it may have been sent, and goes on by
// wxpay.Chain.SentBefore:
//
//   - Where the platform can be asked (orders, refunds, transfers, profit sharing), it is asked
//     first.
//   - Where a repeat is documented or assumed to be harmless (member feeds), the same request is
//     repeated.
//   - Everything else is not sent again: its outcome stays [Unknown] until [Outbox.Settle].
//
// A job of unknown outcome is held and asked again, after a minute and growing pauses up to an
// hour. The number and the request of a job never change.
//
// The pace is that of the client's limiter (wxpay.WithLimiter). A call that the limiter or the
// platform's limits keep back waits and comes again.
type Worker struct {
	Outbox *Outbox
	// Calls is how many calls run at once; the default is 8.
	Calls int
	// Lease is how long a job stays with a worker that has died; the default is 30 s, the least
	// 1 s. A worker that lives renews it.
	Lease time.Duration
	// Poll is how often an idle worker looks for jobs; the default is 1 s.
	Poll time.Duration
	// Patience bounds one Ensure; the default is 10 minutes.
	Patience time.Duration
	// Grace is how long calls may take to end after Run was told to stop; the default is 20 s. A
	// longer call is broken off, and its outcome is unknown.
	Grace time.Duration
	// OnUnknown is that of wxpay.Chain.OnUnknown; zero leaves it to the facts, by which a member feed
	// may be shown twice. It must be the same for all workers of an outbox.
	OnUnknown wxpay.UnknownPolicy
	// OnResult runs in the transaction that stores the end of a job, so that the shop's own change
	// and the result are there both or neither: it runs again until both are committed. It must
	// neither commit nor roll back. After an error nothing is stored: the job is asked about again.
	OnResult func(ctx context.Context, tx *sql.Tx, result Result) error
	// OnError gets errors that are no result of a job: the database is away, the platform rejects
	// every call of the merchant, OnResult failed. The worker goes on by itself. Several goroutines
	// may call it at once.
	OnError func(error)
}

// Run works until ctx ends, then finishes what it has in hand within Grace and returns nil. It
// returns an error only for a mistake in the Worker.
func (w *Worker) Run(ctx context.Context) error {
	r := running{Worker: *w}
	switch {
	case r.Outbox == nil:
		return errors.New("wxsql: the worker has no outbox")
	case r.Lease != 0 && r.Lease < time.Second:
		return fmt.Errorf("wxsql: Worker.Lease is %s, it must be at least 1s", r.Lease)
	}
	orElse(&r.Calls, 8)
	orElse(&r.Lease, 30*time.Second)
	orElse(&r.Poll, time.Second)
	orElse(&r.Patience, 10*time.Minute)
	orElse(&r.Grace, 20*time.Second)
	r.run(ctx)
	return nil
}

func orElse[T int | time.Duration](value *T, usual T) {
	if *value <= 0 {
		*value = usual
	}
}

// running is one Run.
type running struct {
	Worker
	// trouble counts calls in a row that ended without a usable response, or by a rejection that
	// concerns the merchant.
	trouble atomic.Int64
}

var errStopped = errors.New("wxsql: the worker was stopped")

func (r *running) run(ctx context.Context) {
	working, breakOff := context.WithCancelCause(context.WithoutCancel(ctx))
	defer breakOff(nil)
	slots := make(chan struct{}, r.Calls)
	var hands sync.WaitGroup
	for ctx.Err() == nil {
		free := r.free(ctx, slots)
		claims, err := r.take(working, free)
		for range free - len(claims) {
			<-slots
		}
		for _, c := range claims {
			hands.Go(func() {
				defer func() { <-slots }()
				r.carry(working, c, ctx.Err() != nil)
			})
		}
		if err != nil {
			r.report(err)
		}
		if rest := r.rest(len(claims) < free); rest > 0 {
			sleep(ctx, rest)
		}
	}
	giveUp := time.AfterFunc(r.Grace, func() { breakOff(errStopped) })
	hands.Wait()
	giveUp.Stop()
}

// free waits for a slot, and occupies all that are free; none if ctx ends before.
func (r *running) free(ctx context.Context, slots chan struct{}) (n int) {
	select {
	case slots <- struct{}{}:
		n = 1
	case <-ctx.Done():
		return 0
	}
	for n < r.Calls {
		select {
		case slots <- struct{}{}:
			n++
		default:
			return n
		}
	}
	return n
}

// take claims jobs. It does not end with the worker: jobs that were claimed and not received would
// be in doubt.
func (r *running) take(ctx context.Context, free int) ([]*claim, error) {
	if free == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.Lease/2)
	defer cancel()
	return r.Outbox.take(ctx, free, r.Lease)
}

// A worker in trouble takes fewer jobs. The first few calls may have failed by chance.
const (
	mayFail     = 5
	longestRest = time.Minute
)

// rest returns the pause before the next jobs are taken.
func (r *running) rest(idle bool) time.Duration {
	switch n := r.trouble.Load() - mayFail; {
	case n >= 0: // twice as long for each round of calls
		return min(time.Second<<min(n/int64(r.Calls), 10), longestRest)
	case idle:
		return r.Poll
	}
	return 0
}

func (r *running) report(err error) {
	if r.OnError != nil {
		defer func() { _ = recover() }() // there is nobody left to tell
		r.OnError(err)
	}
}

// carry makes the call of a claim and stores what came of it.
func (r *running) carry(ctx context.Context, c *claim, stopping bool) {
	ctx, lose := context.WithCancelCause(ctx)
	var keeping sync.WaitGroup
	defer keeping.Wait()
	defer lose(nil) // also if code of the client ends the goroutine: the lease then ends
	keeping.Go(func() { r.keep(ctx, c, lose) })
	var e ending
	if stopping {
		e = c.back(0)
	} else {
		e = r.call(ctx, c)
	}
	r.store(ctx, c, e)
}

// keep renews the lease of a claim, each time that a third of it has passed, until ctx ends. If it
// cannot, it ends ctx.
func (r *running) keep(ctx context.Context, c *claim, lose context.CancelCauseFunc) {
	until := c.until
	for wait := time.Until(until) - r.Lease*2/3; sleep(ctx, wait); {
		asking, cancel := context.WithDeadline(ctx, until)
		renewed, err := r.Outbox.renew(asking, c, r.Lease)
		cancel()
		switch {
		case err == nil:
			until = renewed
			wait = time.Until(until) - r.Lease*2/3
		case errors.Is(err, errLost) || !time.Now().Before(until):
			lose(errLost)
			return
		default:
			wait = min(r.Lease/20, time.Until(until))
		}
	}
}

// back gives a claim back as it was.
func (c *claim) back(again time.Duration) ending {
	e := ending{state: Waiting, again: again, code: c.code}
	if !c.sent.IsZero() {
		e.state = Unknown
	}
	return e
}

// call makes the call of a claim.
func (r *running) call(ctx context.Context, c *claim) (e ending) {
	text, err := r.Outbox.sealer.open(place("request", c.job), c.request)
	var sent request
	if err == nil {
		err = json.Unmarshal(text, &sent)
	}
	if err != nil {
		r.report(err)
		return c.back(longestRest)
	}
	defer func() {
		if cause := recover(); cause != nil { // of a limiter, say; the job may have been sent
			r.report(fmt.Errorf("wxsql: code given to the client: %w", &wxpay.PanicError{Value: cause, Stack: debug.Stack()}))
			e = c.unknown(true)
		}
	}()
	chain := sent.chain(r.Outbox.client)
	if r.OnUnknown != 0 {
		chain = chain.OnUnknown(r.OnUnknown)
	}
	if !c.sent.IsZero() {
		chain = chain.SentBefore(c.sent)
	}
	ctx, cancel := context.WithTimeout(ctx, r.Patience)
	defer cancel()
	verdict, err := chain.Ensure(ctx, sent.body())
	if err != nil {
		return r.judge(ctx, c, err)
	}
	r.trouble.Store(0)
	e.state = State(verdict.State)
	e.details.Inferred, e.details.Unbound, e.details.Missing = verdict.Inferred, verdict.Unbound, verdict.Missing
	e.details.answered(verdict.Response)
	return e
}

// answered takes over a verified response.
func (d *Details) answered(res *wxpay.Response) {
	if res == nil {
		return
	}
	d.Status, d.RequestID = res.Status, res.RequestID
	if json.Valid(res.Raw()) {
		d.Response = res.Raw()
	}
}

// judge decides what the error of a call means.
func (r *running) judge(ctx context.Context, c *claim, err error) (e ending) {
	var rejection *wxpay.APIError
	var failure *wxpay.CallError
	attempts := 0
	switch {
	case errors.As(err, &rejection):
		attempts = rejection.Attempts
	case errors.As(err, &failure):
		attempts = failure.Attempts
	}
	if errors.Is(context.Cause(ctx), errLost) {
		return c.unknown(true) // it is not stored, and tells nothing of the platform
	}
	switch outcome := wxpay.OutcomeOf(err); {
	case outcome == wxpay.Confirmed: // a later local step failed
		r.trouble.Store(0)
		e.state = Taken
		if failure != nil {
			e.details.answered(failure.Response)
		}
	case errors.Is(err, wxpay.StageBuild) && c.sent.IsZero():
		e.state = Refused
	case outcome == wxpay.NotSent:
		e = c.back(pause(time.Second, c.begun))
		if !errors.Is(err, middleware.ErrLimited) {
			r.trouble.Add(1)
		}
	case outcome == wxpay.Rejected && ofMerchant(rejection):
		e = c.back(pause(10*time.Second, c.begun))
		r.trouble.Add(mayFail)
		r.report(fmt.Errorf("wxsql: a job waits, and so will the others: %w", err))
	case outcome == wxpay.Rejected && passing(rejection):
		e = c.back(pause(time.Second, c.begun))
	case outcome == wxpay.Rejected:
		r.trouble.Store(0)
		e.state = Refused
	default:
		e = c.unknown(attempts > 0 || c.sent.IsZero())
		r.trouble.Add(1)
	}
	if errors.Is(context.Cause(ctx), errStopped) {
		e.again = 0
	}
	e.details.Message = strings.TrimPrefix(err.Error(), "wxpay: ")
	if rejection != nil {
		e.code = string(rejection.Code)
		e.details.Status, e.details.RequestID = rejection.Status, rejection.RequestID
		if rejection.Message != "" {
			e.details.Message = rejection.Message
		}
	}
	return e
}

// unknown holds a claim. A worker that only asked has sent nothing, so the doubt stays as old as it
// was: else the job would never get past the minute after which it may be sent again.
func (c *claim) unknown(sent bool) ending {
	return ending{state: Unknown, doubted: sent, again: pause(time.Minute, c.begun), code: c.code}
}

// pause returns the pause before a job is taken again: first, doubled each time, up to an hour for
// those of unknown outcome and a minute for others.
func pause(first time.Duration, begun int) time.Duration {
	return min(first<<min(max(begun-1, 0), 6), 60*first)
}

// ofMerchant reports whether every other call would be rejected alike.
func ofMerchant(rejection *wxpay.APIError) bool {
	if rejection == nil {
		return false
	}
	for _, info := range wxcode.All() {
		if info.Code == rejection.Code && info.Merchant {
			return true
		}
	}
	return rejection.Status == http.StatusUnauthorized
}

// passing reports whether the same call may be taken later.
func passing(rejection *wxpay.APIError) bool {
	return rejection == nil || rejection.Status == http.StatusTooManyRequests ||
		rejection.Class() == wxcode.ClassWait || rejection.Class() == wxcode.ClassSame
}

// store stores the end of a claim. It tries again while the lease lasts; afterwards the job has
// begun, and the next worker asks what became of it.
func (r *running) store(ctx context.Context, c *claim, e ending) {
	own, cancel := storing(ctx, r.Lease)
	defer cancel()
	for wait := 50 * time.Millisecond; ; wait *= 2 {
		err := r.storeOnce(own, c, &e)
		switch {
		case err == nil:
			return
		case errors.Is(err, errLost) || errors.Is(context.Cause(ctx), errLost):
			// Or an earlier try has committed and failed to say so.
			r.report(fmt.Errorf("%w; what this worker knows is not stored, the other one asks", errLost))
			return
		case !sleep(own, wait):
			r.report(fmt.Errorf("wxsql: storing what became of a job, which another worker will ask about: %w", err))
			return
		}
	}
}

// storing returns the time to store an end: that of the lease, and after a stop of the worker one
// more lease at most.
func storing(ctx context.Context, lease time.Duration) (context.Context, context.CancelFunc) {
	own, cancel := context.WithTimeout(context.WithoutCancel(ctx), lease)
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(context.Cause(ctx), errLost) {
			cancel()
		}
	})
	return own, func() { stop(); cancel() }
}

func (r *running) storeOnce(ctx context.Context, c *claim, e *ending) (err error) {
	var commit func(*sql.Tx, Result) error
	if e.state.Ended() && r.OnResult != nil {
		commit = func(tx *sql.Tx, result Result) (err error) {
			defer func() {
				if cause := recover(); cause != nil {
					err = &wxpay.PanicError{Value: cause, Stack: debug.Stack()}
				}
			}()
			if err = r.OnResult(ctx, tx, result); err != nil {
				err = fmt.Errorf("Worker.OnResult: %w", err)
			}
			return err
		}
	}
	return r.Outbox.store(ctx, c, e, commit)
}

// sleep waits, and reports whether ctx is still alive.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
