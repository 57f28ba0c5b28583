package trouble

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/fault"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Seed begins the rules of a sandbox. The seed determines which requests a probability hits.
func Seed(seed uint64) *Faults { return &Faults{seed: seed} }

// keeps reports whether a kind delivers responses that were kept.
func keeps(kind fault.Kind) bool {
	return kind == fault.Crossed || kind == fault.CrossedPath || kind == fault.Cached
}

// matches reports whether the rule is about the call.
func matches(f *fault.Rule, c *Call) bool {
	return (f.Method == "" || f.Method == c.Method) &&
		(f.Path == "" || say.MatchPath(f.Path, c.Target)) &&
		(f.Merchant == "" || f.Merchant == c.Claimed)
}

// Faults are the rules of one sandbox.
type Faults struct {
	mu    sync.Mutex
	seed  uint64
	rules []*rule
	added int                    // rules since Clear
	seen  map[fingerprint]uint32 // how often each request came, kept while a rule has a probability
	fired map[fault.Kind]int
	kept  kept
}

type rule struct {
	fault.Rule
	place         int // among those that were added, for the draws
	skipped, hits int
}

// Tally is sandbox.Tally, which documents the fields.
type Tally struct {
	Rule fault.Rule `json:"rule"`
	Hits int        `json:"hits"`
}

// Inject adds rules. The first rule that matches and hits a request counts, in the order in which
// they were added. A rule that makes no sense is an error, and none is added then.
func (f *Faults) Inject(rules ...fault.Rule) error {
	for _, r := range rules {
		if err := r.Check(); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range rules {
		f.rules = append(f.rules, &rule{Rule: r, place: f.added})
		f.added++
		f.kept.wanted = f.kept.wanted || keeps(r.Kind)
	}
	return nil
}

// Rules returns the rules as they were added.
func (f *Faults) Rules() []fault.Rule {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]fault.Rule, len(f.rules))
	for i, r := range f.rules {
		list[i] = r.Rule
	}
	return list
}

// Tallies returns the rules as they were added, each with how many requests it has hit.
func (f *Faults) Tallies() []Tally {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]Tally, len(f.rules))
	for i, r := range f.rules {
		list[i] = Tally{r.Rule, r.hits}
	}
	return list
}

// Remove removes the first rule of that form. The others count on.
func (f *Faults) Remove(removed fault.Rule) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := slices.IndexFunc(f.rules, func(r *rule) bool { return r.String() == removed.String() })
	if at < 0 {
		return fmt.Errorf("sandbox: Faults.Remove: there is no rule %q", removed.String())
	}
	f.rules = slices.Delete(f.rules, at, at+1)
	return nil
}

// Clear removes all rules and forgets the requests and their responses, so that the same requests
// meet the same faults again once the same rules are added. The counts of Counts stay.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rules, f.added, f.seen, f.kept = nil, 0, nil, kept{}
}

// Counts returns how many requests each kind of fault has hit.
func (f *Faults) Counts() map[fault.Kind]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	counts := make(map[fault.Kind]int, len(f.fired))
	maps.Copy(counts, f.fired)
	return counts
}

// Pick returns the fault that hits the call; the zero Fault for none.
func (f *Faults) Pick(c *Call) fault.Rule {
	hit := f.first(c, func(r *rule) bool { return r.Kind != fault.NotFoundFor })
	if hit.Kind == "" && f.takeLate(c) {
		hit = fault.Rule{Kind: fault.Late}
	}
	return hit
}

// Hides reports whether a query must not find what is that old.
func (f *Faults) Hides(c *Call, age time.Duration) bool {
	hit := f.first(c, func(r *rule) bool { return r.Kind == fault.NotFoundFor && age < r.Delay })
	if c.Fault.Kind == "" {
		c.Fault = hit // for the journal
	}
	return hit.Kind != ""
}

func (f *Faults) first(c *Call, candidate func(*rule) bool) fault.Rule {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range f.rules {
		if !candidate(r) || (r.Count > 0 && r.hits >= r.Count) || !matches(&r.Rule, c) {
			continue
		}
		if r.skipped < r.Skip {
			r.skipped++
			continue
		}
		if r.Probability > 0 && f.draw(r.place, c) >= r.Probability {
			continue
		}
		if keeps(r.Kind) {
			if c.Instead = f.kept.find(r.Kind, c); c.Instead == nil {
				continue
			}
		}
		r.hits++
		if f.fired == nil {
			f.fired = make(map[fault.Kind]int)
		}
		f.fired[r.Kind]++
		return r.Rule
	}
	return fault.Rule{}
}

// draw returns a number from 0 up to 1, exclusive; see Fault.Probability. f.mu is held.
func (f *Faults) draw(place int, c *Call) float64 {
	print := c.fingerprint()
	if !c.drawn {
		c.drawn = true
		if f.seen == nil {
			f.seen = make(map[fingerprint]uint32)
		}
		c.before = f.seen[print]
		f.seen[print]++
	}
	var b [len(print) + 20]byte
	binary.BigEndian.PutUint64(b[0:], f.seed)
	binary.BigEndian.PutUint64(b[8:], uint64(place))
	binary.BigEndian.PutUint32(b[16:], c.before)
	copy(b[20:], print[:])
	sum := sha256.Sum256(b[:])
	return float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53)
}

// kept are signed responses that a proxy may deliver to the wrong request. faults.mu guards them.
type kept struct {
	wanted bool // there is, or was, a rule that needs them
	recent []*Given
	cached map[string]*Given // by merchant, method and target
	late   []*Given
}

// Keep keeps the call's own response where another call may get it.
func (f *Faults) Keep(c *Call, verified bool, status int, header http.Header, body []byte) {
	late := c.Fault.Kind == fault.Late && c.Instead == nil
	f.mu.Lock()
	defer f.mu.Unlock()
	k := &f.kept
	if !k.wanted && !late {
		return
	}
	own := &Given{
		Status: status, Header: header.Clone(), Body: body,
		merchant: c.Merchant, operation: c.Operation, print: c.fingerprint(), made: c.Wired,
	}
	if late {
		k.late = append(k.late, own)
	}
	if !k.wanted || !verified || spoils(c.Fault.Kind) {
		return
	}
	if len(k.recent) == keptAnswers {
		k.recent = slices.Delete(k.recent, 0, 1)
	}
	k.recent = append(k.recent, own)
	if k.cached == nil {
		k.cached = make(map[string]*Given)
	}
	if key := c.cacheKey(); !k.cached[key].fresh(c) {
		k.cached[key] = own
	}
}

func (c *Call) cacheKey() string { return c.Merchant + " " + c.Method + " " + c.Target }

// fresh reports whether the call's caller would still accept the signature.
func (g *Given) fresh(c *Call) bool { return g != nil && c.Wired.Sub(g.made) <= keptFor }

// find returns the response that the kind delivers to the call; nil for none.
func (k *kept) find(kind fault.Kind, c *Call) *Given {
	if kind == fault.Cached {
		if found := k.cached[c.cacheKey()]; found.fresh(c) {
			return found
		}
		return nil
	}
	for _, other := range slices.Backward(k.recent) {
		same := other.operation == c.Operation
		if other.merchant == c.Merchant && other.print != c.fingerprint() && same == (kind == fault.Crossed) && other.fresh(c) {
			return other
		}
	}
	return nil
}

// takeLate gives the call the response that has been late for the longest, if there is one.
func (f *Faults) takeLate(c *Call) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, late := range f.kept.late {
		if late.merchant == c.Merchant {
			f.kept.late = slices.Delete(f.kept.late, i, i+1)
			c.Instead = late
			return true
		}
	}
	return false
}
