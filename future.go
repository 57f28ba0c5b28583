package wxpay

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
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
	for _, run := range next {
		run()
	}
}

// Done is closed when the call has ended.
func (f *Future) Done() <-chan struct{} { return f.done }

// Wait waits for the call to end and returns what it brought. When ctx ends first, Wait returns its error and the call
// goes on.
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
		return nil, fmt.Errorf("wxpay: the call goes on, waiting for it ended: %w", ctx.Err())
	}
}

// Then runs step with the answer when the call succeeds, and returns a future that ends after step: with the answer, or
// with step's error. When the call fails, step is not run and the new future has the call's error. A panic in step
// becomes its error.
//
// step runs on a goroutine of the client, after the call has given its place to the next one.
func (f *Future) Then(step func(*Response) error) *Future {
	after := newFuture()
	run := func() {
		if f.err != nil {
			after.end(nil, f.err)
			return
		}
		after.end(f.res, guarded(step, f.res))
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

// guarded runs step and turns a panic into an error. The call itself succeeded, so the outcome of either is Confirmed.
func guarded(step func(*Response) error, res *Response) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = &PanicError{Value: cause, Stack: debug.Stack()}
		}
		if err != nil {
			failure := res.flight.error(StageCallback, Confirmed, err)
			failure.Response = res
			err = failure
		}
	}()
	return step(res)
}

// PanicError is a panic in a callback of a Future.
type PanicError struct {
	// Value is what was passed to panic. It is not in the error's text, for it may hold anything.
	Value any
	// Stack is the stack at the panic.
	Stack []byte
}

func (e *PanicError) Error() string {
	if err, ok := e.Value.(error); ok {
		return fmt.Sprintf("the callback panicked with %T", err)
	}
	return fmt.Sprintf("the callback panicked with a %T", e.Value)
}

// Unwrap returns the panic's value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// All waits for every future and returns their answers in the same order, nil where a call failed, and the errors
// joined. When ctx ends first, the futures that have not ended count as failed with its error.
func All(ctx context.Context, futures ...*Future) ([]*Response, error) {
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
	if err := ctx.Err(); err != nil {
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
	j.future.end(nil, j.flight.error(StageQueue, NotSent, context.Cause(j.ctx)))
}

// run makes a job's call, hands its place to the next, and only then ends the future, so that callbacks hold no place.
func (q *queue) run(j *job) {
	res, err := j.flight.send(j.ctx)
	q.mu.Lock()
	if next := q.pop(); next != nil {
		go q.run(next)
	} else {
		q.active--
	}
	q.mu.Unlock()
	j.future.end(res, err)
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
