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

// Future is an asynchronous call: it ends once, with a response or an error. It is safe for
// concurrent use.
type Future struct {
	done chan struct{}

	mu    sync.Mutex
	next  []func() // run when the call has ended
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

// failed returns a future that has already ended.
func failed(err error) *Future {
	f := newFuture()
	f.end(nil, err)
	return f
}

// end ends the future and runs its next functions, on the caller's goroutine.
func (f *Future) end(res *Response, err error) {
	f.mu.Lock()
	f.res, f.err, f.ended = res, err, true
	next := f.next
	f.next = nil
	f.mu.Unlock()
	close(f.done)
	runAll(next)
}

// runAll runs next in order. It runs the later functions even if an earlier one ends the goroutine.
func runAll(next []func()) {
	if len(next) > 0 {
		defer runAll(next[1:])
		next[0]()
	}
}

// Done returns a channel that is closed when the call has ended. Wait then returns at once, even if
// its context has ended.
func (f *Future) Done() <-chan struct{} { return f.done }

// Wait waits for the end of the call and returns its result, every time it is called; [Into]
// decodes the result in one expression:
//
//	order, err := wxpay.Into[Order](future.Wait(ctx))
//
// If ctx ends first, the call goes on, and the error is [ErrOutcomeUnknown]: wait again, or find
// out later.
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
		return nil, fmt.Errorf("wxpay: the call goes on, only the wait for it ended: %w; %w", fault.Cause(ctx), ErrOutcomeUnknown)
	}
}

// Then runs step with the response if the call succeeds, and returns a future that ends after step:
// with the response, or with step's error. If the call fails, Then does not run step, and the new
// future has the call's error. A panic in step becomes its error, a [*PanicError]; so does the end
// of its goroutine (runtime.Goexit). In step's error, errors.Is and errors.As find no error of this
// module: an API error of another call that step made does not count as one of this call.
//
// step runs on a goroutine of the client, after the call has freed its slot in the queue.
func (f *Future) Then(step func(*Response) error) *Future {
	after := newFuture()
	run := func() {
		if f.err != nil {
			after.end(nil, f.err)
			return
		}
		err := fault.ErrExited
		defer func() { // even if step ends its goroutine
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

// whenEnded runs run when the call ends. If the call has ended already, it returns false and does
// nothing.
func (f *Future) whenEnded(run func()) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.ended {
		f.next = append(f.next, run)
	}
	return !f.ended
}

// WaitAll waits for every future and returns the responses in the same order, nil for a failed
// call, and the joined errors. If ctx ends first, the futures that have not ended count as failed
// with its error. [OutcomeOf] of the joined error tells only what is true of every failed call.
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

// Run makes the call. Code of the user may panic in it or end the goroutine.
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

// Cancel ends the future of a waiting call.
func (a *asyncCall) Cancel() {
	a.future.end(nil, a.call.Failed(call.StageQueue, NotSent, fault.Cause(a.ctx)))
}
