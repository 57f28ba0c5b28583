package fleet

import (
	"context"
	"encoding/json"
)

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

// ReadStanding tells where a queue of an embedded engine stands, with the keys that seal it, and
// opens no engine for that. ok is false if nothing in dir proves it. So it is if a process has the
// engine open or has not closed it, if others were attached until then, or if that process did not
// open the queue. So it is, too, if files have changed since, or if the program that wrote it has
// another form of Standing.
func ReadStanding(dir, queue string, keys *Keys) (s Standing, ok bool) {
	m, intact, err := readManifest(dir)
	if err != nil || !intact {
		return s, false
	}
	text, _, err := keys.Open(standingPlace(queue), m.Standings[queue])
	return s, err == nil && json.Unmarshal(text, &s) == nil
}

// standingForm changes with Standing, of which an older or newer program may know less.
const standingForm = "1"

// standingPlace is what the standing of a queue is sealed for.
func standingPlace(queue string) string { return queue + " standing " + standingForm }

// rest is where the queue stands, sealed, now that its engine is about to be shut down; nil if that is
// not certain, or changes as time passes.
func (q *Queue) rest(ctx context.Context) []byte {
	s, err := q.Standing(ctx)
	if err != nil || s.Uncounted > 0 || q.age > 0 {
		return nil
	}
	text, err := json.Marshal(s)
	if err != nil {
		return nil
	}
	return q.keys.Seal(standingPlace(q.name), text)
}
