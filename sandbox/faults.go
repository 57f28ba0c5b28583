package sandbox

import (
	"github.com/wxpay-go/wxpay/sandbox/fault"
	"github.com/wxpay-go/wxpay/sandbox/internal/trouble"
)

// Faults are the rules of what goes wrong, for all merchants of a sandbox.
type Faults struct{ faults *trouble.Faults }

// Inject adds rules. The first rule that matches and hits a request counts, in the order in which
// they were added. A rule that makes no sense is an error, and none is added then.
func (f *Faults) Inject(rules ...fault.Rule) error { return f.faults.Inject(rules...) }

// All returns the rules as they were added.
func (f *Faults) All() []fault.Rule { return f.faults.Rules() }

// Tally is a rule with how many requests it has hit.
type Tally struct {
	Rule fault.Rule `json:"rule"`
	Hits int        `json:"hits"`
}

// Tallies returns the rules as they were added, each with how many requests it has hit.
func (f *Faults) Tallies() (list []Tally) {
	for _, t := range f.faults.Tallies() {
		list = append(list, Tally(t))
	}
	return list
}

// Remove removes a rule, the first of several equal ones. The others count on. A rule that is not
// there is an error.
func (f *Faults) Remove(rule fault.Rule) error { return f.faults.Remove(rule) }

// Clear removes all rules and forgets which requests came and what the responses were, so that the
// same requests meet the same faults again once the same rules are added. The numbers of
// [Faults.Counts] stay.
func (f *Faults) Clear() { f.faults.Clear() }

// Counts returns how many requests each kind of fault has hit.
func (f *Faults) Counts() map[fault.Kind]int { return f.faults.Counts() }
