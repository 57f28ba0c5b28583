package fleet

import (
	"context"
	"errors"
	"iter"

	"github.com/nats-io/nats.go/jetstream"
)

// Results ranges over what is known of the jobs that a filter selects, except of those that move on
// while it reads. Those whose outcome is unknown come first, the others in the order in which they
// came to where they stand. The error, which comes last, is that of the engine or of a record that
// cannot be read, or [ErrNoRun].
func (q *Queue) Results(ctx context.Context, only Filter) iter.Seq2[Result, error] {
	return func(yield func(Result, error) bool) {
		stopped := errors.New("stopped")
		f, err := q.filter(ctx, only)
		pass := func(unknown bool) error {
			return q.scan(ctx, &f, false, func(m jetstream.Msg) error {
				if (State(m.Headers().Get(headerState)) == Unknown) != unknown {
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
		for _, unknown := range []bool{true, false} {
			if err == nil {
				err = pass(unknown)
			}
		}
		if err != nil && !errors.Is(err, stopped) {
			yield(Result{}, err)
		}
	}
}

// Lookup returns what is known of the job with a number, in a space such as "refund"
// (fact.MerchantNumber), or "POST /v3/…" for an operation whose numbers the catalogue does not
// know. ok is false if it was never submitted.
func (q *Queue) Lookup(ctx context.Context, space, number string) (result Result, ok bool, err error) {
	r, err := q.record(ctx, q.digests.digest("job", q.identity, space, number))
	if r == nil {
		return Result{}, false, err
	}
	return r.Result, true, err
}
