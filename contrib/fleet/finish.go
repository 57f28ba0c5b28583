package fleet

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wxpay-go/wxpay"
)

// giveBack makes a job wait again, as if it had never begun unless it may have been sent.
func (r *running) giveBack(ctx context.Context, c *claim, outcome wxpay.Outcome, again time.Duration) (ending, error) {
	waits := c.rec.NotBefore.After(time.Now()) // for its next step, and the doubt has to age meanwhile
	if !c.began && !waits && !(outcome == wxpay.Unknown && c.rec.Attempts > 0) {
		return ending{again: again}, nil
	}
	next := *c.rec
	if !c.began {
		next.Claim = r.claim()
	}
	next.Result.State, next.Doubt, next.Asking = Waiting, c.doubt, false
	if next.Attempts > 0 && !c.tells { // else the last response is the one of before
		next.Status, next.Code, next.RequestID = 0, "", ""
	}
	next.Attempts = 0
	if outcome != wxpay.NotSent && !c.tells {
		next.Message = ""
	}
	if outcome == wxpay.Unknown && (c.rec.Attempts > 0 || c.doubt.IsZero()) { // else it was not sent now, and the doubt is as old as it was
		next.Doubt = time.Now()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.lease/3)
	defer cancel()
	switch err := r.replace(ctx, c.key, &next); {
	case errors.Is(err, ErrMoved):
		return ending{left: true}, nil
	case err != nil:
		return ending{}, err // it stays begun, which is the careful side
	}
	return ending{again: again}, nil
}

// store stores the end of a job. It keeps trying while the job is this worker's.
func (r *running) store(ctx context.Context, c *claim) (ending, error) {
	held := context.WithoutCancel(ctx)
	held, cancel := context.WithTimeout(held, r.lease/2)
	defer cancel()
	c.rec.Asking, c.rec.NotBefore, c.rec.Since, c.rec.Unsigned = false, time.Time{}, time.Time{}, 0
	if !c.began {
		c.rec.Claim = r.claim()
	}
	stuck := c.lane && c.rec.State == Unknown
	dead := (c.rec.State == Refused || c.rec.State == Unknown) && !stuck
	for pause := 50 * time.Millisecond; ; pause *= 2 {
		var err error
		var buried uint64
		if dead {
			buried, err = r.bury(held, c)
		}
		if err == nil {
			err = r.replace(held, c.key, c.rec)
		}
		switch {
		case err == nil:
			if !dead && !c.doubt.IsZero() { // an earlier worker may have come as far as to bury it
				r.trouble(r.unbury(held, c.key))
			}
			return ending{done: true, stuck: stuck, result: &c.rec.Result}, nil
		case errors.Is(err, ErrMoved):
			if buried != 0 {
				r.trouble(r.unburyMoved(held, c, buried))
			}
			return ending{left: true}, nil
		case errors.Is(context.Cause(ctx), errLease), !sleep(held, pause):
			return ending{}, err // the next worker finds that it had begun
		}
	}
}

// bury keeps a job for Retry, and returns where.
func (r *running) bury(ctx context.Context, c *claim) (seq uint64, err error) {
	m := &nats.Msg{Subject: r.deadSubject(c.key), Data: c.sealed, Header: nats.Header{
		headerVersion: {recordVersion}, headerState: {string(c.rec.State)}, headerHeld: {strconv.FormatBool(c.rec.Held)},
	}}
	ack, err := r.publish(ctx, m)
	if err != nil {
		return 0, fmt.Errorf("fleet: keeping a job for a retry: %w", r.engine.Explain(err))
	}
	return ack.Sequence, nil
}

// unburyMoved corrects the copy for a retry of a job that somebody else has ended. Another worker
// that ended it without need for a retry may have looked for the copy before it was there. A worker
// that has kept a copy as well finds it by the state that the job ended with.
func (r *running) unburyMoved(ctx context.Context, c *claim, seq uint64) error {
	have, err := r.record(ctx, c.key)
	switch {
	case err != nil || have == nil || !have.State.Ended():
		return err
	case have.State != Unknown && have.State != Refused:
		return r.deleteDead(ctx, seq)
	case have.State != c.rec.State || have.Held != c.rec.Held:
		c.rec = have
		_, err = r.bury(ctx, c)
	}
	return err
}
