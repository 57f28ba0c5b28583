package fleet

import (
	"context"
	"errors"
	"iter"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

// Results ranges over what is known of every job, except of those that move on while it reads: those whose outcome is unknown first, the others in the order in which
// they came to where they stand. States, if given, selects. The error, which comes last, is that of the engine or of a
// record that cannot be read.
func (q *Queue) Results(ctx context.Context, states ...State) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		stopped := errors.New("stopped")
		pass := func(want func(State) bool) error {
			return q.scan(ctx, false, func(m jetstream.Msg) error {
				if !want(State(m.Headers().Get(headerState))) {
					return nil
				}
				r, err := q.openRecord(lastToken(m.Subject()), m.Headers(), m.Data(), 0)
				if err != nil {
					return err
				}
				if !yield(r.Result, nil) {
					return stopped
				}
				return nil
			})
		}
		wanted := func(s State) bool { return len(states) == 0 || slices.Contains(states, s) }
		var err error
		if wanted(Unknown) {
			err = pass(func(s State) bool { return s == Unknown })
		}
		if err == nil {
			err = pass(func(s State) bool { return s != Unknown && wanted(s) })
		}
		if err != nil && !errors.Is(err, stopped) {
			yield(Result{}, err)
		}
	}
}

// Lookup returns what is known of the job with a number, in a space such as "refund" (fact.MerchantNumber), or "POST
// /v3/…" for an operation whose numbers the catalogue does not know. ok is false if it was never submitted.
func (q *Queue) Lookup(ctx context.Context, space, number string) (result Result, ok bool, err error) {
	r, err := q.record(ctx, q.digests.digest("job", q.identity, space, number))
	if r == nil {
		return Result{}, false, err
	}
	return r.Result, true, err
}
