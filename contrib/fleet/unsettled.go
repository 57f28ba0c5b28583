package fleet

import (
	"context"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

// Unsettled is what needs a retry, or somebody who finds out what became of it.
type Unsettled struct {
	// Unknown is how many jobs are of unknown outcome.
	Unknown int
	// Blocked are those of them behind which others of their order wait or may come, the oldest
	// first.
	Blocked []Blocked
}

// Blocked is an order that stands still.
type Blocked struct {
	// Head is the job of unknown outcome, since Head.Ended.
	Head Result
	// Behind is how many jobs wait for it.
	Behind int
}

// Unsettled counts the jobs of unknown outcome, and tells which orders they hold up. It reads nothing
// if the counts of Status are exact and have none. Otherwise it reads the headers of all jobs that
// are kept for a retry, and lists all jobs with an order. Of each order that no worker has or waits
// for it reads the first job.
func (q *Queue) Unsettled(ctx context.Context) (u Unsettled, err error) {
	told, missing, err := q.counted(ctx)
	if err != nil || missing == 0 && !slices.ContainsFunc(told.counts(ofAll), func(c Count) bool { return c.State == Unknown }) {
		return u, err
	}
	if err = q.read(ctx, q.dead, reading{headersOnly: true}, func(m jetstream.Msg) error {
		if State(m.Headers().Get(headerState)) == Unknown {
			u.Unknown++
		}
		return nil
	}); err != nil {
		return u, err
	}
	if err = q.engine.ride(ctx, rideSetup, func(ctx context.Context) (err error) {
		u.Blocked, err = q.blocked(ctx)
		return err
	}); err != nil {
		return u, err
	}
	u.Unknown += len(u.Blocked)
	slices.SortFunc(u.Blocked, func(a, b Blocked) int { return a.Head.Ended.Compare(b.Head.Ended) })
	return u, nil
}

func (q *Queue) blocked(ctx context.Context) (list []Blocked, err error) {
	lanes, err := q.laneLengths(ctx)
	if err != nil || len(lanes) == 0 {
		return nil, err
	}
	jobs, err := q.jobs.Info(ctx, jetstream.WithSubjectFilter(q.tokenSubject("*")))
	if err != nil {
		return nil, fmt.Errorf("fleet: reading the state of the queue: %w", q.engine.Explain(err))
	}
	for lane, length := range lanes {
		if jobs.State.Subjects[q.tokenSubject(lane)] > 0 {
			continue
		}
		m, err := q.head(ctx, lane)
		if err != nil {
			return nil, err
		}
		if m == nil {
			continue
		}
		r, err := q.record(ctx, lastToken(m.Subject))
		if err != nil {
			return nil, err
		}
		if r != nil && r.State == Unknown {
			list = append(list, Blocked{r.Result, length - 1})
		}
	}
	return list, nil
}
