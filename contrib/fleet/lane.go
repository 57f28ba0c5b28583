package fleet

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// A lane holds the jobs with one order, first in, first out. Its token in the work queue, of which there is never more than
// one, goes to one worker at a time, which carries out the head of the lane and removes it, again and again. A head whose
// outcome is unknown stays, and holds up what is behind it: the token goes, and comes back with Retry.

// head returns the first job of a lane, nil if the lane is empty.
func (q *Queue) head(ctx context.Context, lane string) (*jetstream.RawStreamMsg, error) {
	ctx, cancel := q.asking(ctx)
	defer cancel()
	m, err := q.lanes.GetMsg(ctx, 1, jetstream.WithGetMsgSubject(q.laneSubject(lane, "*")))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("fleet: reading a lane: %w", q.engine.explain(err))
	}
	return m, nil
}

// wakeLane puts the token of a lane into the queue, unless the lane is empty or held up. It reports whether there is one now.
func (q *Queue) wakeLane(ctx context.Context, lane string) (bool, error) {
	m, err := q.head(ctx, lane)
	if m == nil {
		return false, err
	}
	r, err := q.record(ctx, lastToken(m.Subject))
	if err != nil || r != nil && r.State == Unknown {
		return false, err
	}
	_, err = q.publish(ctx, q.token(lane))
	if err != nil && !subjectFull(err) {
		return false, fmt.Errorf("fleet: waking a lane: %w", q.engine.explain(err))
	}
	return true, nil
}

// wake puts the tokens of all lanes that can go on into the queue, and returns how many those are. A token is missing only
// where a process died between two steps; it is looked for here when nothing else is to be done, and by sweep all the time.
func (q *Queue) wake(ctx context.Context) (int, error) {
	ask, answered := context.WithTimeout(ctx, rideSetup)
	defer answered()
	info, err := q.lanes.Info(ask)
	if err != nil {
		return 0, fmt.Errorf("fleet: reading the state of the lanes: %w", q.engine.explain(err))
	}
	if info.State.Msgs == 0 {
		return 0, nil
	}
	if info, err = q.lanes.Info(ask, jetstream.WithSubjectFilter(q.laneSubject("*", "*"))); err != nil {
		return 0, fmt.Errorf("fleet: listing the lanes: %w", q.engine.explain(err))
	}
	seen := make(map[string]bool)
	woken := 0
	for subject := range info.State.Subjects {
		parts := strings.Split(subject, ".")
		if lane := parts[len(parts)-2]; !seen[lane] {
			seen[lane] = true
			awake, err := q.wakeLane(ctx, lane)
			if err != nil {
				return woken, err
			}
			if awake {
				woken++
			}
		}
	}
	return woken, nil
}

// keySweep is where the control bucket keeps how far the lanes were swept: a sequence in their stream.
const keySweep = "sweep"

// sweepMost is how many jobs one sweep looks at.
const sweepMost = 100

// sweep wakes lanes whose token is missing, in a queue that is never idle, until ctx ends: some of them each turn, of which all
// workers together take one after the other.
func (r *running) sweep(ctx context.Context) {
	turn := r.lease / 2
	var met uint64 // the revision of keySweep that was met last
	for sleep(ctx, turn+spread(turn/4, 0)) {
		if r.paused.Load() != nil {
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
		return fmt.Errorf("fleet: looking for lanes that stand: %w", q.engine.explain(err))
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
			if err := save(ctx); wrongSequence(err) {
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
	if err := save(ctx); err != nil && !wrongSequence(err) && failed == nil {
		failed = wrap(err)
	}
	return revision, failed
}
