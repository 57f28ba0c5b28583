// Package queue runs some jobs at once and keeps more waiting in line. Each job runs on a new
// goroutine, which starts the one for the next job in line; an empty queue has no goroutine.
package queue

import (
	"container/list"
	"context"
	"sync"
)

// Job is one job.
type Job interface {
	// Run does the job, on a goroutine of the queue. It may panic or end the goroutine; End is
	// still called.
	Run()
	// End is called after Run, once the job has freed its slot.
	End()
	// Cancel is called in place of Run and End if the job's context ends while it waits.
	Cancel()
}

// Queue runs jobs, the oldest first.
type Queue struct {
	running, waiting int // the most jobs that run, and that wait

	mu     sync.Mutex
	active int
	line   list.List // of *waiter, oldest first
}

// New returns a queue that runs at most running jobs and keeps at most waiting more.
func New(running, waiting int) *Queue { return &Queue{running: running, waiting: waiting} }

// waiter is a job in line.
type waiter struct {
	job   Job
	place *list.Element // nil once the job has left the line
	leave func() bool   // stops watching the context; false if the job was cancelled
}

// Submit runs j at once or appends it to the line. It returns false if the line is full.
func (q *Queue) Submit(ctx context.Context, j Job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.active < q.running:
		q.active++
		go q.run(j)
	case q.line.Len() < q.waiting:
		w := &waiter{job: j}
		w.place = q.line.PushBack(w)
		w.leave = context.AfterFunc(ctx, func() { q.cancel(w) })
	default:
		return false
	}
	return true
}

// cancel ends a waiting job whose context ended.
func (q *Queue) cancel(w *waiter) {
	q.mu.Lock()
	if w.place != nil {
		q.line.Remove(w.place)
		w.place = nil
	}
	q.mu.Unlock()
	w.job.Cancel()
}

// run does a job and passes its slot to the next job before it ends.
func (q *Queue) run(j Job) {
	defer func() { // even if the job panics or ends the goroutine
		q.mu.Lock()
		if next := q.pop(); next != nil {
			go q.run(next)
		} else {
			q.active--
		}
		q.mu.Unlock()
		j.End()
	}()
	j.Run()
}

// pop removes and returns the oldest job that was not cancelled, nil if there is none.
func (q *Queue) pop() Job {
	for front := q.line.Front(); front != nil; front = q.line.Front() {
		w := q.line.Remove(front).(*waiter)
		w.place = nil
		if w.leave() {
			return w.job
		}
	}
	return nil
}
