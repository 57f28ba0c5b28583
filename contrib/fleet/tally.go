package fleet

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/nats-io/nats.go/jetstream"
)

// Count is how many jobs stand at a state with a code.
type Count struct {
	State State
	Code  string // of the platform, empty if there is none
	Jobs  int
}

// stateOrder is the order of states in summaries: what needs somebody's attention comes first.
var stateOrder = []State{Unknown, Refused, Failed, Partial, Action, Expired, Cancelled, Waiting, Begun, Taken, Accepted, Succeeded}

// tally counts the jobs by where they stand, so that nobody has to read all records for that.
type tally struct {
	// Stored is how many messages the stream of records had when all of these counts were told, if
	// none of them is missing: the stream numbers its messages, so the number of the last one shows
	// how many are.
	Stored int64 `json:"stored"`
	// Jobs has no zeros.
	Jobs map[stand]int64 `json:"jobs,omitempty"`
}

// count counts n jobs more, or less. The zero stand is not counted.
func (t *tally) count(at stand, n int64) {
	if at == (stand{}) {
		return
	}
	if t.Jobs == nil {
		t.Jobs = make(map[stand]int64)
	}
	if t.Jobs[at] += n; t.Jobs[at] == 0 {
		delete(t.Jobs, at)
	}
}

// add adds another tally.
func (t *tally) add(more tally) {
	t.Stored += more.Stored
	for p, n := range more.Jobs {
		t.count(p, n)
	}
}

// missing is how many changes of records are missing from the tally, at least.
func (t *tally) missing(records jetstream.StreamState) uint64 {
	jobs := int64(0)
	for _, n := range t.Jobs {
		jobs += n
	}
	stored, known := int64(records.LastSeq)-t.Stored, int64(records.Msgs)-jobs
	return uint64(max(stored, -stored, known, -known))
}

// equal reports whether two are the same.
func (t *tally) equal(as tally) bool { return t.Stored == as.Stored && maps.Equal(t.Jobs, as.Jobs) }

// counts lists what is counted, in the order of summaries.
func (t *tally) counts() []Count {
	list := make([]Count, 0, len(t.Jobs))
	for p, n := range t.Jobs {
		if n > 0 { // below zero are those whose earlier steps are not told yet
			list = append(list, Count{p.State, p.Code, int(n)})
		}
	}
	slices.SortFunc(list, func(a, b Count) int {
		if a.State != b.State {
			return slices.Index(stateOrder, a.State) - slices.Index(stateOrder, b.State)
		}
		if a.Jobs != b.Jobs {
			return b.Jobs - a.Jobs
		}
		return strings.Compare(a.Code, b.Code)
	})
	return list
}

// untold is what this process has stored and not told yet.
type untold struct {
	mu  sync.Mutex
	all tally
	// unsure is what may have been told, under a name; it is settled before more is told. It
	// belongs to who holds ledger.mu.
	unsure *telling
}

// telling is an addition to the tally.
type telling struct {
	tally
	by string
}

// note counts that a record was stored.
func (u *untold) note(from, to stand) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.all.Stored++
	u.all.count(from, -1)
	u.all.count(to, 1)
}

// forget counts that a record was removed.
func (u *untold) forget(at stand) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.all.count(at, -1)
}

// drop forgets what is not told, and what may be, for all is counted anew.
func (u *untold) drop() {
	u.take()
	u.unsure = nil
}

// take returns what is to be told, and begins anew.
func (u *untold) take() (t tally) {
	u.mu.Lock()
	defer u.mu.Unlock()
	t, u.all = u.all, tally{}
	return t
}
