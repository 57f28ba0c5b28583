package wxpay

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/wxpay-go/wxpay/internal/call"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/queue"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// ErrQueueFull means that the queue of asynchronous calls is full. Nothing was sent.
var ErrQueueFull = fault.New("the queue of asynchronous calls is full (WithConcurrency sets its size)")

// Future is an asynchronous call: it ends once, with an answer or an error. It is safe for concurrent use.
type Future struct {
	done chan struct{}

	mu    sync.Mutex
	next  []func() // what runs when the call has ended
	ended bool
	res   *Response
	err   error
}

func (f *Future) text() string {
	select {
	case <-f.done:
	default:
		return "wxpay.Future{under way}"
	}
	if f.err != nil {
		return "wxpay.Future{failed}"
	}
	return fmt.Sprintf("wxpay.Future{%v}", f.res)
}

// Format prints whether the call has ended, and how, under every verb.
func (f *Future) Format(s fmt.State, verb rune) { redact.Format(s, verb, f.text()) }

func newFuture() *Future { return &Future{done: make(chan struct{})} }

// failed returns a future that has ended already.
func failed(err error) *Future {
	f := newFuture()
	f.end(nil, err)
	return f
}

// end ends the future and runs what waits for it, on the caller's goroutine.
func (f *Future) end(res *Response, err error) {
	f.mu.Lock()
	f.res, f.err, f.ended = res, err, true
	next := f.next
	f.next = nil
	f.mu.Unlock()
	close(f.done)
	runAll(next)
}

// runAll runs one after the other, the later ones also when an earlier one ends the goroutine.
func runAll(next []func()) {
	if len(next) > 0 {
		defer runAll(next[1:])
		next[0]()
	}
}

// Done is closed when the call has ended. Then Wait returns at once, whatever became of its context.
func (f *Future) Done() <-chan struct{} { return f.done }

// Wait waits for the call to end and returns what it brought, as often as it is asked; [Into] decodes that in one expression:
//
//	order, err := wxpay.Into[Order](future.Wait(ctx))
//
// When ctx ends first, the call goes on, and the error is [ErrOutcomeUnknown]: wait again, or find out later.
func (f *Future) Wait(ctx context.Context) (*Response, error) {
	select {
	case <-f.done:
		return f.res, f.err
	default:
	}
	if ctx == nil {
		return nil, errors.New("wxpay: the context given to Wait is nil: pass context.Background() if there is none")
	}
	select {
	case <-f.done:
		return f.res, f.err
	case <-ctx.Done():
		return nil, fmt.Errorf("wxpay: the call goes on, waiting for it ended: %w; %w", fault.Cause(ctx), ErrOutcomeUnknown)
	}
}

// Then runs step with the answer when the call succeeds, and returns a future that ends after step: with the answer, or
// with step's error. When the call fails, step is not run and the new future has the call's error. A panic in step
// becomes its error, a [*PanicError]; so does its goroutine's end (runtime.Goexit). In the error of a step, errors.Is and
// errors.As find nothing of this module: a refusal of another call that step made is none of this one.
//
// step runs on a goroutine of the client, after the call has given its place to the next one.
func (f *Future) Then(step func(*Response) error) *Future {
	after := newFuture()
	run := func() {
		if f.err != nil {
			after.end(nil, f.err)
			return
		}
		err := fault.ErrExited
		defer func() { // also when step ends its goroutine
			if err != nil {
				from := &f.res.from
				after.end(f.res, from.Call.FailedWith(from, call.StageCallback, Confirmed, err)) // the call itself succeeded
				return
			}
			after.end(f.res, nil)
		}()
		defer caught("the step given to Then", &err)
		err = fault.Outside(step(f.res))
	}
	if !f.whenEnded(run) {
		go run()
	}
	return after
}

// whenEnded has run run when the call ends. It returns false, and does nothing, if that has been.
func (f *Future) whenEnded(run func()) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.ended {
		f.next = append(f.next, run)
	}
	return !f.ended
}

// WaitAll waits for every future and returns their answers in the same order, nil where a call failed, and the errors
// joined. When ctx ends first, the futures that have not ended count as failed with its error.
func WaitAll(ctx context.Context, futures ...*Future) ([]*Response, error) {
	answers := make([]*Response, len(futures))
	errs := make([]error, len(futures))
	for i, f := range futures {
		answers[i], errs[i] = f.Wait(ctx)
	}
	return answers, errors.Join(errs...)
}

// asyncCall is a call in the queue.
type asyncCall struct {
	ctx    context.Context
	call   *call.Call
	future *Future
	res    *Response
	err    error
}

// submit queues a call.
func submit(ctx context.Context, q *queue.Queue, c *call.Call) *Future {
	if err := fault.Cause(ctx); err != nil {
		return failed(c.Failed(call.StageQueue, NotSent, err))
	}
	a := &asyncCall{ctx: ctx, call: c, future: newFuture()}
	if !q.Submit(ctx, a) {
		return failed(c.Failed(call.StageQueue, NotSent, ErrQueueFull))
	}
	return a.future
}

// Run makes the call. Code of the user's may panic in it or end the goroutine.
func (a *asyncCall) Run() {
	cause := fault.ErrExited
	defer func() {
		if cause != nil {
			a.res, a.err = nil, a.call.Failed(call.StageSend, a.call.Outcome(), cause)
		}
	}()
	defer caught("a middleware, an observer or other code given to the client", &cause)
	a.res, a.err = send(a.ctx, a.call)
	cause = nil
}

// End ends the future.
func (a *asyncCall) End() { a.future.end(a.res, a.err) }

// Cancel ends the future of a call that waited.
func (a *asyncCall) Cancel() {
	a.future.end(nil, a.call.Failed(call.StageQueue, NotSent, fault.Cause(a.ctx)))
}
