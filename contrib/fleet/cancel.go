package fleet

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Cancel ends the jobs that wait when it begins, and that were certainly never sent: they are
// Cancelled. It returns how many those are. Jobs in hand go on, and so do jobs that may have been
// sent. A cancelled job can be submitted again, also with another request under its number; with
// the same one only if it has no order, because its turn has passed. It returns [ErrLost] while
// records are missing: nobody is certain of anything then.
func (q *Queue) Cancel(ctx context.Context) (int, error) {
	if l, err := q.readLoss(ctx, keyLost); err != nil {
		return 0, err
	} else if l != nil {
		return 0, fmt.Errorf("%w: %s", ErrLost, l.pause().Reason)
	}
	defer q.postRest(ctx)
	var count atomic.Int64
	err := abreast(ctx, func(ask func(func(context.Context) error) error) error {
		return q.scan(ctx, &filter{}, true, func(m jetstream.Msg) error {
			if State(m.Headers().Get(headerState)) != Waiting {
				return nil
			}
			key := lastToken(m.Subject())
			return ask(func(ctx context.Context) error {
				claim, done := q.claim(), false
				err := q.engine.ride(ctx, rideSetup, func(ctx context.Context) (err error) {
					done, err = q.cancel(ctx, key, claim)
					return err
				})
				if err != nil {
					return fmt.Errorf("fleet: cancelling jobs: %w", q.engine.Explain(err))
				}
				if done {
					count.Add(1)
				}
				return nil
			})
		})
	})
	return int(count.Load()), err
}

// cancel is one try to cancel a job. It reports whether the job is cancelled under that claim.
func (q *Queue) cancel(ctx context.Context, key, claim string) (bool, error) {
	r, err := q.record(ctx, key)
	if err != nil || r == nil || r.State != Waiting || !r.Doubt.IsZero() {
		return err == nil && r != nil && r.State == Cancelled && r.Claim == claim, err
	}
	next := *r
	next.State, next.Ended, next.Claim, next.Message = Cancelled, time.Now(), claim, "cancelled by "+q.by
	next.NotBefore, next.Since, next.Unsigned = time.Time{}, time.Time{}, 0
	if err := q.replace(ctx, key, &next); errors.Is(err, ErrMoved) { // a worker was faster
		return false, nil
	} else if err != nil {
		return false, err
	}
	// If it is not there now, or cannot be removed, the worker that gets it finds that it has
	// ended.
	s, subject := q.jobs, q.jobSubject(key)
	if r.Lane != "" {
		s, subject = q.lanes, q.laneSubject(r.Lane, key)
	}
	if m, err := s.GetLastMsgForSubject(ctx, subject); err == nil {
		_ = s.DeleteMsg(ctx, m.Sequence)
	}
	return true, nil
}
