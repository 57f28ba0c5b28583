package gate

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Rule is a limit that depends on time or pace, or that only production insists on; sandbox.Rule
// documents them.
type Rule string

// Rules that flows ask for.
const (
	Rates       Rule = "rates"
	ReadDelay   Rule = "read-delay"
	RefundPace  Rule = "refund-pace"
	SharePace   Rule = "share-pace"
	LookBack    Rule = "look-back"
	AsyncCancel Rule = "async-cancel"
	Names       Rule = "names"
	Expiry      Rule = "expiry"
	BareQuery   Rule = "bare-query"
)

// AllRules are all of them.
var AllRules = []Rule{Rates, ReadDelay, RefundPace, SharePace, LookBack, AsyncCancel, Names, Expiry, BareQuery}

// Rules are those that hold.
type Rules struct {
	mu   sync.RWMutex
	held map[Rule]bool
	pace map[string]second // by what is limited
}

// second is how much came in a second of the clock.
type second struct {
	at    int64 // Unix
	count int
}

// NewRules returns the rules as they hold from the beginning: all but ReadDelay.
func NewRules() *Rules {
	r := &Rules{held: make(map[Rule]bool), pace: make(map[string]second)}
	for _, rule := range AllRules {
		r.held[rule] = rule != ReadDelay
	}
	return r
}

// Set switches rules on or off. A rule that does not exist is an error.
func (r *Rules) Set(held bool, list []Rule) error {
	for _, rule := range list {
		if !slices.Contains(AllRules, rule) {
			return fmt.Errorf("sandbox: there is no rule %q; there are %s", string(rule), strings.Trim(strings.ReplaceAll(fmt.Sprint(AllRules), " ", ", "), "[]"))
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rule := range list {
		r.held[rule] = held
	}
	return nil
}

// Holds reports whether a rule holds.
func (r *Rules) Holds(rule Rule) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.held[rule]
}

// Pass counts what is limited, and reports whether it is within the limit of this second.
func (r *Rules) Pass(key string, now time.Time, most int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.pace[key]
	if at := now.Unix(); s.at != at {
		s = second{at: at}
	}
	s.count++
	r.pace[key] = s
	return s.count <= most
}

// Held returns the rules that hold.
func (r *Rules) Held() []Rule {
	return slices.DeleteFunc(slices.Clone(AllRules), func(rule Rule) bool { return !r.Holds(rule) })
}
