package fleet

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

// Blocked is an order that stands still, because the outcome of its first job is unknown.
type Blocked struct {
	// Head is that job, which ended at Head.Ended without anybody knowing how.
	Head Result
	// Behind is how many jobs wait behind it.
	Behind int
}

// Blocked lists the orders that stand still, those that do so longest first. Retry or Settle lets them
// go on. It reads all records as Summary does, and asks for each such order.
func (q *Queue) Blocked(ctx context.Context) ([]Blocked, error) {
	var heads []*record
	err := q.scan(ctx, &filter{Filter: Filter{States: []State{Unknown}}}, false, func(m jetstream.Msg) error {
		r, err := q.openRecord(lastToken(m.Subject()), m.Headers(), m.Data(), 0)
		if err == nil && r.Lane != "" {
			heads = append(heads, r)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(heads, func(a, b *record) int { return cmp.Or(a.Ended.Compare(b.Ended), cmp.Compare(a.Number, b.Number)) })
	list := make([]Blocked, 0, len(heads))
	for _, r := range heads {
		var n int
		if err := q.engine.ride(ctx, rideSetup, func(ctx context.Context) error {
			info, err := q.lanes.Info(ctx, jetstream.WithSubjectFilter(q.laneSubject(r.Lane, "*")))
			if err == nil {
				n = len(info.State.Subjects)
			}
			return err
		}); err != nil {
			return nil, fmt.Errorf("fleet: reading a lane: %w", q.engine.Explain(err))
		}
		list = append(list, Blocked{r.Result, max(n-1, 0)})
	}
	return list, nil
}
