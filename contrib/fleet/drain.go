package fleet

import (
	"context"
	"fmt"
	"time"
)

// Drain closes the queue to new jobs and waits until nothing waits or runs any more. Jobs that
// stand behind one whose outcome is unknown cannot run, and are not waited for; [Queue.Status]
// counts them. The queue stays closed until Resume. A queue that is paused does not get empty:
// Drain returns an error then. A Submit that is under way may still queue what it has in hand, some
// hundred jobs, before it returns ErrClosed: drain once more after it.
func (q *Queue) Drain(ctx context.Context) error {
	if err := q.engine.ride(ctx, askMost, func(ctx context.Context) error {
		_, err := q.control.Put(ctx, keyClosed, []byte("1"))
		return err
	}); err != nil {
		return fmt.Errorf("fleet: closing the queue: %w", q.engine.Explain(err))
	}
	return q.Idle(ctx)
}

// Idle waits until nothing waits or runs. A pause ends it with an error that tells why, and so does
// an engine that cannot be reached for half a minute.
func (q *Queue) Idle(ctx context.Context) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		empty := false
		if err := q.engine.insist(ctx, func() error {
			ask, answered := q.asking(ctx)
			info, err := q.jobs.Info(ask)
			answered()
			if err != nil {
				return fmt.Errorf("fleet: reading the state of the queue: %w", q.engine.Explain(err))
			}
			if info.State.Msgs > 0 {
				return nil
			}
			left, err := q.wake(ctx)
			empty = err == nil && left == 0
			return err
		}); err != nil || empty {
			return err
		}
		if p, err := q.Paused(ctx); err != nil {
			return err
		} else if p != nil {
			return &PausedError{*p}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
