package fleet

import (
	"context"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

// Filter selects jobs. The zero value selects all.
type Filter struct {
	// Run is the ID of a submission, and selects the jobs that were given to it.
	Run string
	// States selects those that stand at one of them.
	States []State
	// After is a Status.Position, and selects the jobs that have changed since, and those that have
	// not ended.
	After uint64
}

// filter is a Filter with the keys of its run, which are sorted.
type filter struct {
	Filter
	keys runKeySet
}

// filter reads the keys of the run that is selected: 16 bytes of memory a job.
func (q *Queue) filter(ctx context.Context, f Filter) (filter, error) {
	all := filter{Filter: f}
	if f.Run == "" {
		return all, nil
	}
	_, err := q.readRun(ctx, f.Run)
	if err == nil {
		all.keys, err = q.readRunKeys(ctx, f.Run, nil)
		all.keys.sort()
	}
	return all, err
}

// takes reports whether the filter selects the job of a record.
func (f *filter) takes(m jetstream.Msg, sequence uint64) bool {
	state := State(m.Headers().Get(headerState))
	if len(f.States) > 0 && !slices.Contains(f.States, state) || sequence <= f.After && state.Ended() {
		return false
	}
	if f.Run == "" {
		return true
	}
	return f.keys.has(parseRunKey(lastToken(m.Subject())))
}

// scan reads the records that there are when it begins, as far as a filter selects them.
func (q *Queue) scan(ctx context.Context, f *filter, headersOnly bool, each func(jetstream.Msg) error) error {
	return q.read(ctx, q.records, reading{headersOnly: headersOnly}, func(m jetstream.Msg) error {
		meta, err := m.Metadata()
		if err != nil || !f.takes(m, meta.Sequence.Stream) {
			return err
		}
		return each(m)
	})
}
