package webhook

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
)

const (
	// askAgain is the interval of questions to a Deduper without Wait.
	askAgain = 200 * time.Millisecond
	// storeTimeout bounds Done and Release, which also run after the end of the request.
	storeTimeout = 10 * time.Second
)

// reject ends a rejected delivery.
func (t *delivery) reject(ctx context.Context, err error) Response {
	out := t.failed(err)
	t.h.tell(ctx, out.observation)
	return out.answer
}

// outcome is the end of a delivery.
type outcome struct {
	answer      Response
	observation Observation
}

// failed returns the outcome of an error.
func (t *delivery) failed(err error) outcome {
	answer, kind := rejection(err)
	return outcome{answer, t.observation(answer.Status, kind, err)}
}

// succeeded returns the outcome of a response.
func (t *delivery) succeeded(answer Response) outcome {
	return outcome{answer, t.observation(answer.Status, "", nil)}
}

// process ends a delivery with a verified event: it finds the function, runs it, and waits for it
// within the budget.
func (t *delivery) process(ctx context.Context) Response {
	w := &work{delivery: t, ended: make(chan outcome, 1)}
	lasting := context.WithoutCancel(ctx) // the work may outlive the request
	asked, isInquiry := t.h.inquiry(t.event)
	if isInquiry {
		if asked.fn == nil {
			return t.reject(ctx, fmt.Errorf("%w: it is an inquiry: register a function with OnInquiry(%q, …)", ErrNoHandler, redact.Printable(t.event.Type)))
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, t.begin.Add(asked.budget))
		defer cancel()
		w.phase.Store(running)
		w.do = func() outcome { return w.answer(ctx, asked) }
	} else {
		fn, routed := t.h.route(t.event)
		switch {
		case !routed && aboutMoney(t.event):
			name := redact.Printable(t.event.Type)
			return t.reject(ctx, fmt.Errorf("%w: it tells of money, so it is not acknowledged: register a function "+
				"with On(%q, …), or say Ignore(%q)", ErrNoHandler, name, name))
		case fn == nil:
			out := t.succeeded(received)
			out.observation.Unhandled, out.observation.Ignored = !routed, routed
			t.h.tell(ctx, out.observation)
			return out.answer
		}
		w.do = func() outcome { return w.once(ctx, lasting, fn) }
	}
	t.h.running.add()
	go w.run(lasting)

	var out outcome
	select {
	case out = <-w.ended:
	case <-ctx.Done():
		switch {
		case w.phase.CompareAndSwap(claiming, abandoned):
			out = w.failed(tooLate(ctx, ErrBusy))
		case w.phase.CompareAndSwap(running, late):
			out = w.failed(tooLate(ctx, ErrOverrun))
		case w.phase.CompareAndSwap(done, acknowledged):
			return received // the work's side observes it
		default: // it ended at the same moment
			out = <-w.ended
		}
	}
	t.h.tell(ctx, out.observation)
	return out.answer
}

// tooLate tells why the wait ended: the budget, or the sender.
func tooLate(ctx context.Context, byBudget error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return byBudget
	}
	return errGone
}

// work is the part of a delivery that may outlive its request.
type work struct {
	*delivery
	phase atomic.Int32
	do    func() outcome
	ended chan outcome // holds one, so that sending never waits
}

// Phases of work. The request's side leaves claiming, running and done at the end of the budget, the
// work's side at the end of the step. The first swap decides.
const (
	claiming     int32 = iota // the function has not begun
	running                   // the function runs
	done                      // the function has succeeded; the Deduper records it
	finished                  // the outcome is in the channel
	abandoned                 // the response was sent; the function will not begin
	late                      // the response was sent; the function still runs
	acknowledged              // the response was sent: the function has succeeded, whatever the Deduper says
)

// run does the work and passes its outcome on, or observes it if nobody waits.
func (w *work) run(ctx context.Context) {
	defer w.h.running.done()
	out, returned := outcome{}, false
	defer func() {
		if cause := recover(); cause != nil { // of a Deduper or an ResponseSigner; those of functions are caught in call
			out = w.failed(functionFailed(&PanicError{Value: cause, Stack: debug.Stack()}))
		} else if !returned { // runtime.Goexit
			out = w.failed(functionFailed(errExited))
		}
		if w.phase.CompareAndSwap(claiming, finished) || w.phase.CompareAndSwap(running, finished) || w.phase.CompareAndSwap(done, finished) {
			w.ended <- out
			return
		}
		switch w.phase.Load() {
		case late:
			out.observation.Late, out.observation.Status = true, http.StatusInternalServerError
			out.observation.Duration = time.Since(w.begin)
			w.h.tell(ctx, out.observation)
		case acknowledged:
			w.h.tell(ctx, out.observation)
		}
	}()
	out = w.do()
	returned = true
}

// once claims the event within ctx and runs the function, unless another delivery has done so.
func (w *work) once(ctx, lasting context.Context, fn Func) (out outcome) {
	key, owner := w.event.Key(), rand.Text()
	switch state, err := w.claim(ctx, key, owner); {
	case err != nil:
		return w.failed(err)
	case state == Processed:
		out = w.succeeded(received)
		out.observation.Duplicate = true
		return out
	}
	var err error
	returned := false
	defer func() { // also when the function ends its goroutine
		if !returned {
			err = functionFailed(errExited)
		}
		storeErr := w.settle(lasting, key, owner, err)
		switch {
		case err != nil:
			out = w.failed(errors.Join(err, storeErr))
		case storeErr != nil: // the work is done all the same
			out = w.failed(storeErr)
			out.answer, out.observation.Status = received, received.Status
		default:
			out = w.succeeded(received)
		}
	}()
	if !w.phase.CompareAndSwap(claiming, running) {
		err, returned = ErrBusy, true // already the response
		return out
	}
	own, cancel := context.WithTimeout(lasting, w.h.timeout)
	defer cancel()
	err = call(func() error { return fn(own, w.event) })
	if err == nil {
		w.phase.CompareAndSwap(running, done)
	}
	returned = true
	return out // which the deferred function makes
}

// claim takes the event for owner, waiting while another has it. The state is Claimed or Processed.
func (w *work) claim(ctx context.Context, key, owner string) (State, error) {
	for {
		state, err := w.h.deduper.Claim(ctx, key, owner)
		switch {
		case err != nil:
			w.giveBack(ctx, key, owner)
			return 0, fmt.Errorf("%w: claiming: %w", ErrDeduper, fault.During(ctx, err))
		case state == Claimed || state == Processed:
			return state, nil
		case state != Busy:
			return 0, fmt.Errorf("%w: Claim returned the state %d", ErrDeduper, state)
		}
		if waiter, ok := w.h.deduper.(Waiter); ok {
			err = waiter.Wait(ctx, key)
		} else {
			err = pause(ctx, askAgain)
		}
		switch {
		case ctx.Err() != nil:
			return 0, tooLate(ctx, ErrBusy)
		case err != nil:
			return 0, fmt.Errorf("%w: waiting: %w", ErrDeduper, fault.Outside(err))
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// settle ends the claim: done after success, released after a failure. ctx does not end. A panic of
// the Deduper is an error like another: it does not undo the function's work.
func (w *work) settle(ctx context.Context, key, owner string, failure error) error {
	if failure != nil {
		if err := guarded(func() error { return w.release(ctx, key, owner) }); err != nil {
			return fmt.Errorf("%w: releasing: %w", ErrDeduper, shielded(err))
		}
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	if err := guarded(func() error { return w.h.deduper.Done(ctx, key, owner) }); err != nil {
		return fmt.Errorf("%w: noting that it is done: %w", ErrDeduper, shielded(err))
	}
	return nil
}

// giveBack releases a claim that the store may have recorded. The response does not wait for it.
func (w *work) giveBack(ctx context.Context, key, owner string) {
	w.h.running.add()
	go func() {
		defer w.h.running.done()
		_ = call(func() error { return w.release(ctx, key, owner) })
	}()
}

func (w *work) release(ctx context.Context, key, owner string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	return w.h.deduper.Release(ctx, key, owner)
}

// respond calls the function and builds the response to the inquiry.
func (w *work) answer(ctx context.Context, a asked) outcome {
	answer := Response{Status: http.StatusOK}
	err := call(func() (err error) {
		reply, err := a.fn(ctx, w.event)
		if err == nil {
			answer.Body, err = replyBody(reply)
		}
		return err
	})
	if err == nil && a.signed {
		sign := w.h.signer
		if sign == nil {
			sign = w.h.signResponse
		}
		if answer.Authorization, err = sign(ctx, w.merchant, &w.arrived, answer.Body); err != nil {
			err = &signError{err}
		}
	}
	if err != nil {
		return w.failed(err)
	}
	return w.succeeded(answer)
}

// call runs a user's function. Its error or panic becomes a *functionError.
func call(fn func() error) error {
	if err := guarded(fn); err != nil {
		return functionFailed(err)
	}
	return nil
}
