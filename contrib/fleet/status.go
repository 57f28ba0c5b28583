package fleet

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Status is where a queue stands.
type Status struct {
	// Queued is how many jobs wait or run. Those with an order are in it one by one.
	Queued uint64
	// Running is how many messages workers have in hand, or wait for their next step: a job each,
	// or jobs with one order.
	Running int
	// Known is how many jobs were ever submitted, as far as their records are kept.
	Known uint64
	// Dead is how many jobs were refused, or are of unknown outcome without an order.
	Dead uint64
	// Oldest is when the job was queued that has waited or run for longest, by the engine's clock;
	// zero if there is none. A job that is retried counts anew.
	Oldest time.Time
	// Jobs counts the jobs as Summary does, but reads no records: processes tell once a second what
	// they have stored.
	Jobs []Count
	// Uncounted is how many changes of records are missing from Jobs, at least: those of the last
	// second, and those that nobody told because a process was killed, or because the engine did not
	// answer. If it is zero, Jobs is exact. Opening an embedded engine counts anew if need be, and so
	// does a worker that begins on a server where nobody is at work. It stays above zero if the stream
	// of records has a MaxAge.
	Uncounted uint64
	// Pause tells why the queue is paused, nil if it is not.
	Pause *Pause
	// Workers are those at work.
	Workers []Member
	// Closed says that the queue takes no new jobs.
	Closed bool
	// Position is how far the records were written, for Filter.After.
	Position uint64
	// InDoubt is since when each number that is new counts as one that may have been sent, zero if
	// none does: see [Queue.Doubt].
	InDoubt time.Time
}

// Status tells where the queue stands. It costs little.
func (q *Queue) Status(ctx context.Context) (s Status, err error) {
	err = q.engine.ride(ctx, rideSetup, func(ctx context.Context) (err error) {
		s, err = q.status(ctx)
		return err
	})
	if err != nil {
		return s, err
	}
	if s.Pause, err = q.Paused(ctx); err != nil {
		return s, err
	}
	if s.Closed, err = q.closed(ctx); err != nil {
		return s, err
	}
	if err = q.learnLoss(ctx); err == nil {
		if l := q.loss.Load(); l != nil {
			s.InDoubt = l.Since
		}
	}
	return s, err
}

// status fills in what the streams tell.
func (q *Queue) status(ctx context.Context) (s Status, err error) {
	jobs, err := q.jobs.Info(ctx, jetstream.WithSubjectFilter(q.tokenSubject("*")))
	if err != nil {
		return s, fmt.Errorf("fleet: reading the state of the queue: %w", q.engine.Explain(err))
	}
	counted, _, err := q.readTally(ctx) // before the records, of which it may miss some
	if err != nil {
		return s, err
	}
	consumer, err := q.consumer.Info(ctx)
	if err != nil {
		return s, fmt.Errorf("fleet: reading the state of the workers: %w", q.engine.Explain(err))
	}
	states := make(map[jetstream.Stream]jetstream.StreamState)
	for _, stream := range []jetstream.Stream{q.lanes, q.records, q.dead} {
		info, err := stream.Info(ctx)
		if err != nil {
			return s, fmt.Errorf("fleet: reading the state of the queue: %w", q.engine.Explain(err))
		}
		states[stream] = info.State
	}
	s.Known, s.Dead, s.Position = states[q.records].Msgs, states[q.dead].Msgs, states[q.records].LastSeq
	s.Jobs, s.Uncounted = counted.counts(ofAll), counted.missing(states[q.records])
	for _, state := range []jetstream.StreamState{jobs.State, states[q.lanes]} {
		if state.Msgs > 0 && (s.Oldest.IsZero() || state.FirstTime.Before(s.Oldest)) {
			s.Oldest = state.FirstTime
		}
	}
	members, err := q.members(ctx)
	if err != nil {
		return s, err
	}
	s.Workers = slices.SortedFunc(maps.Values(members), func(a, b Member) int { return cmp.Or(strings.Compare(a.Name, b.Name), a.Since.Compare(b.Since)) })
	s.Queued, s.Running = jobs.State.Msgs-uint64(len(jobs.State.Subjects))+states[q.lanes].Msgs, consumer.NumAckPending
	return s, nil
}

// Counts counts the jobs that a filter selects as Summary does, and mostly reads no records for
// that. It has to if processes have yet to tell what they have stored (Status.Uncounted), or if the
// filter selects more than a run. It also has to if the run has not ended, is older than 32 others
// that still have jobs, or was given jobs that an earlier one had brought.
func (q *Queue) Counts(ctx context.Context, only Filter) ([]Count, error) {
	if len(only.States) > 0 || only.After > 0 {
		return q.Summary(ctx, only)
	}
	told, missing, err := q.counted(ctx)
	if err != nil {
		return nil, err
	}
	list, all := told.counts(ofAll), true
	if only.Run != "" {
		r, err := q.readRun(ctx, only.Run)
		if err != nil {
			return nil, err
		}
		list, all = told.of(&r)
	}
	if missing == 0 && all {
		return list, nil
	}
	return q.Summary(ctx, only)
}

// Summary counts the jobs that a filter selects by state and code; the unknown come first, then
// what needs attention. It needs to read the headers of all records, about a second for every
// 200,000.
func (q *Queue) Summary(ctx context.Context, only Filter) ([]Count, error) {
	var counts tally
	f, err := q.filter(ctx, only)
	if err != nil {
		return nil, err
	}
	if err := q.scan(ctx, &f, true, func(m jetstream.Msg) error {
		counts.count(standsAt(m.Headers()), 1)
		return nil
	}); err != nil {
		return nil, err
	}
	return counts.counts(ofAll), nil
}
