package wxpay

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Future is an asynchronous call: it ends once, with an answer or an error. It is safe for concurrent use.
type Future struct {
	done chan struct{}

	mu    sync.Mutex
	next  []func() // what runs when the call has ended
	ended bool
	res   *Response
	err   error
}

// String tells whether the call has ended, and how.
func (f *Future) String() string {
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

// Format prints what String returns under every verb.
func (f *Future) Format(s fmt.State, verb rune) { redact.Format(s, verb, f.String()) }

// MarshalText gives encodings what String returns.
func (f *Future) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

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
		err := errExited
		defer func() { // also when step ends its goroutine
			if err != nil {
				failure := f.res.flight.error(StageCallback, Confirmed, err) // the call itself succeeded
				failure.Response = f.res
				after.end(f.res, failure)
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

// PanicError is a panic in code that was given to the client (a middleware, an observer, a reader, a step given to
// [Future.Then]) and ran on a goroutine of the client's, where nobody else could recover.
type PanicError struct {
	// Value is what was passed to panic. It is not in the error's text, for it may hold anything.
	Value any
	// Stack is the stack at the panic.
	Stack []byte

	where string
}

func (e *PanicError) Error() string {
	return fmt.Sprintf("%s panicked with a %T", cmp.Or(e.where, "it"), e.Value)
}

// Format prints the error's text under every verb: value and stack may hold anything.
func (e PanicError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText gives encodings the error's text.
func (e PanicError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// Unwrap returns the panic's value if it is an error. Nothing of this module is found in it.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return fault.Outside(err)
}

// errExited is how code ended that ended its goroutine.
var errExited = fault.ErrExited

// caught makes an error of a panic. Defer it.
func caught(where string, err *error) {
	if cause := recover(); cause != nil {
		*err = &PanicError{Value: cause, Stack: debug.Stack(), where: where}
	}
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

// queue runs asynchronous calls: some at once, some more waiting in line. It keeps no goroutine: one begins with a
// call, is followed by one for the next in line, and none is left when the line is empty.
type queue struct {
	running, waiting int // how many may run, and wait

	mu     sync.Mutex
	active int
	line   list.List // of *job, oldest first
}

func newQueue(running, waiting int) *queue { return &queue{running: running, waiting: waiting} }

// job is a call in the queue.
type job struct {
	ctx    context.Context
	flight *flight
	future *Future
	place  *list.Element // nil once the job has left the line
	leave  func() bool   // stops watching ctx; false if the job was cancelled
}

func (q *queue) submit(ctx context.Context, f *flight) *Future {
	if err := fault.Cause(ctx); err != nil {
		return failed(f.error(StageQueue, NotSent, err))
	}
	j := &job{ctx: ctx, flight: f, future: newFuture()}
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.active < q.running:
		q.active++
		go q.run(j)
	case q.line.Len() < q.waiting:
		j.place = q.line.PushBack(j)
		j.leave = context.AfterFunc(ctx, func() { q.cancel(j) })
	default:
		return failed(f.error(StageQueue, NotSent, ErrQueueFull))
	}
	return j.future
}

// cancel ends a waiting job whose context ended.
func (q *queue) cancel(j *job) {
	q.mu.Lock()
	if j.place != nil {
		q.line.Remove(j.place)
		j.place = nil
	}
	q.mu.Unlock()
	j.future.end(nil, j.flight.error(StageQueue, NotSent, fault.Cause(j.ctx)))
}

// run makes a job's call, hands its place to the next, and only then ends the future, so that callbacks hold no place.
func (q *queue) run(j *job) {
	var res *Response
	err, returned := errExited, false
	defer func() { // also when a middleware, an observer or the like panics or ends the goroutine
		if !returned {
			res, err = nil, j.flight.error(StageSend, j.flight.Outcome(), err)
		}
		q.mu.Lock()
		if next := q.pop(); next != nil {
			go q.run(next)
		} else {
			q.active--
		}
		q.mu.Unlock()
		j.future.end(res, err)
	}()
	defer caught("a middleware, an observer or other code given to the client", &err)
	res, err = j.flight.send(j.ctx)
	returned = true
}

// pop takes the oldest job that was not cancelled, nil if there is none.
func (q *queue) pop() *job {
	for front := q.line.Front(); front != nil; front = q.line.Front() {
		j := q.line.Remove(front).(*job)
		j.place = nil
		if j.leave() {
			return j
		}
	}
	return nil
}
