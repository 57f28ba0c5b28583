package fleet

import "context"

// Standing is all that is told of a queue without reading its records.
type Standing struct {
	Status
	// Runs are the submissions, the newest first.
	Runs []Run
	// Blocked are the orders that stand still: see [Unsettled].
	Blocked []Blocked
	// ByRun counts the jobs of runs by their IDs, of those where Queue.Counts needs no records.
	ByRun map[string][]Count
}

// Standing tells where the queue stands.
func (q *Queue) Standing(ctx context.Context) (s Standing, err error) {
	if s.Status, err = q.Status(ctx); err != nil {
		return s, err
	}
	if s.Runs, err = q.Runs(ctx); err != nil {
		return s, err
	}
	unsettled, err := q.Unsettled(ctx)
	if err != nil {
		return s, err
	}
	s.Blocked = unsettled.Blocked
	told, missing, err := q.counted(ctx)
	if err != nil || missing > 0 {
		return s, err
	}
	s.ByRun = make(map[string][]Count)
	for _, r := range s.Runs {
		if list, all := told.of(&r); all {
			s.ByRun[r.ID] = list
		}
	}
	return s, nil
}
