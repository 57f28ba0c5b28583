package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/jserror"
)

// keyTally is where the control bucket keeps the tally.
const keyTally = "tally"

// tellers is how many additions the tally names: more than there can be before a process knows of
// its own whether it was stored.
const tellers = 32

// told is what the bucket holds.
type told struct {
	tally
	By []string `json:"by"` // the last additions
}

// tell adds to the tally what was stored since the last time.
func (q *Queue) tell(ctx context.Context) error {
	for {
		if q.untold.unsure == nil {
			all := q.untold.take()
			if all.equal(tally{}) {
				return nil
			}
			q.untold.unsure = &telling{all, q.claim()}
		}
		if err := q.addTally(ctx, q.untold.unsure); err != nil {
			return err
		}
		q.untold.unsure = nil
	}
}

// addTally adds to the tally, once however often it is tried.
func (q *Queue) addTally(ctx context.Context, more *telling) error {
	for try := 0; ; {
		have, revision, err := q.readTally(ctx)
		if err != nil {
			return err
		}
		if slices.Contains(have.By, more.by) {
			return nil
		}
		have.add(more.tally)
		have.fold()
		have.By = append(have.By, more.by)
		have.By = have.By[max(0, len(have.By)-tellers):]
		err = q.putTally(ctx, have, revision)
		switch {
		case err == nil:
			return nil
		case jserror.WrongSequence(err), errors.Is(err, jetstream.ErrKeyExists): // another process was faster, or this one before
		default:
			if try++; try > 2 {
				return fmt.Errorf("fleet: counting jobs: %w", q.engine.Explain(err))
			}
		}
		if !sleep(ctx, 10*time.Millisecond+spread(10*time.Millisecond, 0)) {
			return context.Cause(ctx)
		}
	}
}

// readTally reads the tally. The revision is 0 if there is none.
func (q *Queue) readTally(ctx context.Context) (t told, revision uint64, err error) {
	ctx, cancel := q.asking(ctx)
	defer cancel()
	have, err := q.control.Get(ctx, keyTally)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return t, 0, nil
	}
	if err == nil {
		err = json.Unmarshal(have.Value(), &t)
	}
	if err != nil {
		return t, 0, fmt.Errorf("fleet: reading how jobs stand: %w", q.engine.Explain(err))
	}
	return t, have.Revision(), nil
}

// putTally stores the tally in place of the one with a revision.
func (q *Queue) putTally(ctx context.Context, t told, revision uint64) error {
	text, err := json.Marshal(t)
	if err != nil {
		return err
	}
	ctx, cancel := q.asking(ctx)
	defer cancel()
	if revision == 0 {
		_, err = q.control.Create(ctx, keyTally, text)
	} else {
		_, err = q.control.Update(ctx, keyTally, text, revision)
	}
	return err
}

// retell makes the tally that of the records, which were read.
func (q *Queue) retell(ctx context.Context, seen tally) error {
	have, revision, err := q.readTally(ctx)
	if err != nil || seen.Stored == 0 || have.equal(seen) {
		return err
	}
	err = q.putTally(ctx, told{tally: seen}, revision)
	if jserror.WrongSequence(err) || errors.Is(err, jetstream.ErrKeyExists) { // somebody has told more
		return nil
	}
	if err != nil {
		return fmt.Errorf("fleet: counting jobs: %w", q.engine.Explain(err))
	}
	return nil
}

// counted returns the tally, and how many changes of records are missing from it.
func (q *Queue) counted(ctx context.Context) (t told, missing uint64, err error) {
	if err = q.engine.ride(ctx, rideSetup, func(ctx context.Context) (err error) {
		t, _, err = q.readTally(ctx)
		return err
	}); err != nil {
		return t, 0, err
	}
	records, err := q.recordsState(ctx) // after the tally, which may miss some of these
	return t, t.missing(records), err
}

// restTime is how long nobody has to tell anything before all that are alive have told all.
const restTime = 2 * ledgerEvery

// stale reports whether the tally is to be made anew, and can be: changes are missing from it, and
// no process is at work that may yet tell of them.
func (q *Queue) stale(ctx context.Context) (bool, error) {
	before, missing, err := q.counted(ctx)
	if err != nil || missing == 0 {
		return false, err
	}
	if !sleep(ctx, restTime) {
		return false, context.Cause(ctx)
	}
	after, missing, err := q.counted(ctx)
	return missing > 0 && before.equal(after.tally), err
}

// recordsState is how the stream of records stands.
func (q *Queue) recordsState(ctx context.Context) (s jetstream.StreamState, err error) {
	err = q.engine.ride(ctx, rideSetup, func(ctx context.Context) error {
		info, err := q.records.Info(ctx)
		if err == nil {
			s = info.State
		}
		return err
	})
	if err != nil {
		return s, fmt.Errorf("fleet: reading the state of the queue: %w", q.engine.Explain(err))
	}
	return s, nil
}
