package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Settle ends a job whose outcome is unknown by what somebody has found out about it elsewhere,
// such as on the platform's pages for merchants: it has Succeeded, or it has Failed and nothing of
// it took effect. The jobs behind it in its order go on. It returns [ErrMoved] for a job whose
// outcome is not unknown, or not any more: Retry may have queued it meanwhile. To settle a job
// again as it was changes nothing.
func (q *Queue) Settle(ctx context.Context, job Result, state State) error {
	if state != Succeeded && state != Failed {
		return fmt.Errorf("fleet: a job cannot be settled as %s: only as succeeded or failed", state)
	}
	key := (&Job{Method: job.Method, Path: job.Path, Number: job.Number}).key(q.digests, q.identity)
	defer q.postRest(ctx)
	return q.engine.ride(ctx, rideSetup, func(ctx context.Context) error { return q.settleJob(ctx, key, state) })
}

// settleJob is one try of Settle. It completes an earlier one that broke off.
func (q *Queue) settleJob(ctx context.Context, key string, state State) error {
	r, err := q.record(ctx, key)
	switch {
	case err != nil:
		return err
	case r == nil || r.State != Unknown && !(r.Settled && r.State == state):
		return fmt.Errorf("%w: its outcome is not unknown", ErrMoved)
	case r.State == Unknown:
		next := *r
		next.State, next.Settled, next.Ended, next.Claim = state, true, time.Now(), q.claim()
		if err := q.replace(ctx, key, &next); errors.Is(err, ErrMoved) {
			return ErrMoved
		} else if err != nil {
			return err
		}
	}
	if r.Lane == "" {
		return q.unbury(ctx, key)
	}
	_, err = q.wakeLane(ctx, r.Lane)
	return err
}
