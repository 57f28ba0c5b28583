package fleet

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/jserror"
)

// keySweep is where the control bucket keeps how far the lanes were swept: a sequence in their
// stream.
const keySweep = "sweep"

// sweepMost is how many jobs one sweep looks at.
const sweepMost = 100

// sweep wakes lanes whose token is missing, in a queue that is never idle, until ctx ends: some of
// them each turn, of which all workers together take one after the other.
func (r *running) sweep(ctx context.Context) {
	turn := r.lease / 2
	var met uint64 // the revision of keySweep that was met last
	for sleep(ctx, turn+spread(turn/4, 0)) {
		if r.paused.Load() != nil || r.lost.Load() != nil {
			continue
		}
		var err error
		if met, err = r.sweepOnce(ctx, met); err != nil && ctx.Err() == nil {
			r.trouble(err)
		}
	}
}

// sweepOnce sweeps if nobody has since revision met, and returns the revision to give it next time.
func (q *Queue) sweepOnce(ctx context.Context, met uint64) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, rideSetup)
	defer cancel()
	wrap := func(err error) error {
		return fmt.Errorf("fleet: looking for lanes that stand: %w", q.engine.Explain(err))
	}
	entry, err := q.control.Get(ctx, keySweep)
	var revision uint64
	next := uint64(1)
	switch {
	case err == nil:
		revision = entry.Revision()
		if n, err := strconv.ParseUint(string(entry.Value()), 10, 64); err == nil {
			next = n
		}
	case !errors.Is(err, jetstream.ErrKeyNotFound):
		return met, wrap(err)
	}
	if revision != met {
		return revision, nil // somebody does it
	}
	save := func(ctx context.Context) (err error) {
		revision, err = q.control.Update(ctx, keySweep, strconv.AppendUint(nil, next, 10), revision)
		return err
	}
	seen := make(map[string]bool)
	var failed error
	for looked := range sweepMost {
		m, err := q.lanes.GetMsg(ctx, next, jetstream.WithGetMsgSubject(q.laneSubject("*", "*")))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			if next = 1; looked == 0 && revision == 0 {
				return 0, nil // there are no lanes
			}
			break
		}
		if err != nil {
			failed = wrap(err)
			break
		}
		if looked == 0 { // it is this worker's turn if nobody else takes it now
			if err := save(ctx); jserror.WrongSequence(err) {
				return met, nil
			} else if err != nil {
				return met, wrap(err)
			}
		}
		next = m.Sequence + 1
		parts := strings.Split(m.Subject, ".")
		if lane := parts[len(parts)-2]; !seen[lane] {
			seen[lane] = true
			_, err := q.wakeLane(ctx, lane)
			if err != nil && !errors.Is(err, ErrSealed) && !errors.Is(err, ErrNewer) { // which others can read
				failed = err
				break
			}
		}
	}
	// Also after a failure, or when time is over: the next sweep goes on behind what made it so.
	ctx, done := q.asking(context.WithoutCancel(ctx))
	defer done()
	if err := save(ctx); err != nil && !jserror.WrongSequence(err) && failed == nil {
		failed = wrap(err)
	}
	return revision, failed
}
