package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/jserror"
)

// Retry queues again the jobs that stand at one of states, which are Unknown and Refused; without
// states it takes the unknown. It returns how many those are. A job whose outcome is unknown is
// resolved rather than sent: its worker goes on by Chain.SentBefore, as [Worker] tells. One that
// was refused is sent again as it was, which helps only if the reason is gone; but not if it has an
// order, because its turn has passed.
func (q *Queue) Retry(ctx context.Context, states ...State) (int, error) {
	if len(states) == 0 {
		states = []State{Unknown}
	}
	for _, s := range states {
		if s != Unknown && s != Refused {
			return 0, fmt.Errorf("fleet: jobs that are %s cannot be retried: only unknown and refused ones can", s)
		}
	}
	defer q.postRest(ctx)
	count := 0
	err := q.read(ctx, q.dead, reading{}, func(m jetstream.Msg) error {
		if !slices.Contains(states, State(m.Headers().Get(headerState))) {
			return nil
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		var done bool
		err = q.engine.insist(ctx, func() (err error) {
			done, err = q.revive(ctx, lastToken(m.Subject()), m, meta.Sequence.Stream)
			return err
		})
		if done {
			count++
		}
		return err
	})
	if err != nil || !slices.Contains(states, Unknown) {
		return count, err
	}
	err = q.engine.insist(ctx, func() error {
		lanes, err := q.unblock(ctx)
		count += lanes
		return err
	})
	return count, err
}

// revive queues a dead job again.
func (q *Queue) revive(ctx context.Context, key string, m jetstream.Msg, seq uint64) (bool, error) {
	r, err := q.record(ctx, key)
	if err == nil && r == nil { // it was given up for its age
		r, err = q.exhumed(key, m)
	}
	if err != nil || r.Lane != "" {
		return false, err
	}
	switch {
	case r.State == Unknown || r.State == Refused:
		if err := q.again(ctx, key, r); errors.Is(err, ErrMoved) {
			return false, nil
		} else if err != nil {
			return false, err
		}
	case r.State == Waiting: // a retry that broke off here
	case r.State.Ended(): // kept by a worker that was broken off before it wrote that down; another one has ended the job
		return false, q.unbury(ctx, key)
	default:
		return false, nil
	}
	job := &nats.Msg{Subject: q.jobSubject(key), Data: m.Data(), Header: nats.Header{headerVersion: m.Headers()[headerVersion], headerRetry: {strconv.FormatUint(r.seq, 10)}}}
	for deadline := time.Now().Add(retryWait); ; {
		// By its id a leader tells what is stored from what is on its way to the other copies, and
		// may be lost with it.
		_, err := q.publish(ctx, job, jetstream.WithMsgID(key+".retry."+job.Header.Get(headerRetry)))
		if err == nil {
			return true, q.deleteDead(ctx, seq)
		}
		if !jserror.SubjectFull(err) {
			return false, fmt.Errorf("fleet: queueing a job again: %w", q.engine.Explain(err))
		}
		// The message that is there is of this retry, which broke off here, or its worker is about
		// to take it off the queue. If it has died before that the message comes again, and the
		// record says what to do. The dead job stays for a worker that is slow.
		have, err := q.jobMessage(ctx, key)
		if err != nil {
			return false, err
		}
		if have != nil && have.Header.Get(headerRetry) == job.Header.Get(headerRetry) {
			return true, q.deleteDead(ctx, seq)
		}
		if time.Now().After(deadline) || !sleep(ctx, 20*time.Millisecond) {
			return true, context.Cause(ctx)
		}
	}
}

// exhumed is the record of a dead job, as far as the job tells.
func (q *Queue) exhumed(key string, m jetstream.Msg) (*record, error) {
	job, submitted, err := q.openJob(key, m.Headers(), m.Data())
	if err != nil {
		return nil, err
	}
	r := q.newRecord(job, submitted, "")
	r.State, r.Ended = State(m.Headers().Get(headerState)), time.Now()
	r.Held, _ = strconv.ParseBool(m.Headers().Get(headerHeld))
	return r, nil
}

// retryWait is how long a retry waits for a worker that has stored how a job ended to take it off
// the queue.
const retryWait = 2 * time.Second

// unblock queues the unknown heads of lanes again.
func (q *Queue) unblock(ctx context.Context) (int, error) {
	ask, answered := context.WithTimeout(ctx, rideSetup)
	defer answered()
	lanes, err := q.laneLengths(ask)
	if err != nil {
		return 0, err
	}
	count := 0
	for lane := range lanes {
		m, err := q.head(ctx, lane)
		if err != nil {
			return count, err
		}
		if m == nil {
			continue
		}
		key := lastToken(m.Subject)
		r, err := q.record(ctx, key)
		if err != nil {
			return count, err
		}
		if r != nil && r.State == Unknown {
			if err := q.again(ctx, key, r); errors.Is(err, ErrMoved) {
				continue
			} else if err != nil {
				return count, err
			}
			count++
		}
		// Also one that waits: the process that changed it may have broken off here.
		if _, err := q.wakeLane(ctx, lane); err != nil {
			return count, err
		}
	}
	return count, nil
}
