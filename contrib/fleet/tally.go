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
	// none of them is missing. The stream numbers its messages, so the number of the last one shows
	// how many are.
	Stored int64 `json:"stored"`
	// Since is the ID of the first run whose jobs are counted apart; those of runs before it count as
	// jobs of none.
	Since string `json:"since,omitempty"`
	// Jobs has no zeros.
	Jobs map[stand]int64 `json:"stands,omitempty"`
}

// runsApart is how many runs a tally counts apart at most, the newest: it is stored once a second.
const runsApart = 32

// count counts n jobs more, or less. The zero stand is not counted.
func (t *tally) count(at stand, n int64) {
	if at.State == "" {
		return
	}
	if at.Run < t.Since {
		at.Run = ""
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

// fold ends to count the oldest runs apart if there are too many.
func (t *tally) fold() {
	apart := make(map[string]bool)
	for at := range t.Jobs {
		apart[at.Run] = true
	}
	delete(apart, "")
	if len(apart) <= runsApart {
		return
	}
	t.Since = slices.Sorted(maps.Keys(apart))[len(apart)-runsApart]
	all := t.Jobs
	t.Jobs = nil
	for at, n := range all {
		t.count(at, n)
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
func (t *tally) equal(as tally) bool {
	return t.Stored == as.Stored && t.Since == as.Since && maps.Equal(t.Jobs, as.Jobs)
}

// of lists the jobs that were given to a run, and reports whether those are all of them. They are not
// if some were brought by an earlier run, or were forgotten, or if the run is not counted apart.
func (t *tally) of(r *Run) (list []Count, all bool) {
	list = t.counts(func(run string) bool { return run == r.ID })
	missing := r.Count.Read() - r.Count.Rejected
	for _, c := range list {
		missing -= c.Jobs
	}
	return list, r.Complete && r.ID >= t.Since && missing == 0
}

// counts lists what is counted of some runs, in the order of summaries.
func (t *tally) counts(ofRun func(string) bool) []Count {
	stands := make(map[stand]int64)
	for p, n := range t.Jobs {
		if ofRun(p.Run) {
			stands[stand{State: p.State, Code: p.Code}] += n
		}
	}
	list := make([]Count, 0, len(stands))
	for p, n := range stands {
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

// ofAll selects all runs.
func ofAll(string) bool { return true }

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
