// Package ledger keeps what took effect for a merchant, and decides how records with several states
// end.
package ledger

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Effect is one thing that took effect; sandbox.Effect documents the fields.
type Effect struct {
	Kind   string    `json:"kind"`
	Number string    `json:"number"`
	Sub    string    `json:"sub,omitempty"`
	Amount int64     `json:"amount"`
	State  string    `json:"state,omitempty"`
	Time   time.Time `json:"time"`
	Params string    `json:"params,omitempty"`
}

// Kind is a kind of effects, with the records behind them. Find is for kinds whose records have a
// [Course].
type Kind struct {
	Name   string
	Finals []string // states that it can end in; empty if nobody decides that
	Waits  bool     // by default it waits to be settled
	// State returns the present state of the record under a key. The state is SUCCESS if it and
	// Find are nil.
	State func(key string) string
	// Find returns the record under a key, and a function that makes it reach a final state.
	Find func(key string) (record Course, known bool, reach func(final string, now time.Time))
}

func (k Kind) state(key string) string {
	switch {
	case k.State != nil:
		return k.State(key)
	case k.Find != nil:
		record, _, _ := k.Find(key)
		return record.State
	}
	return "SUCCESS"
}

// Ledger is what took effect for a merchant.
type Ledger struct {
	book    *book.Book
	clock   *book.Clock
	effects book.Series[Effect]
	kinds   map[string]Kind
	ending  func(kind, number string) Ending
}

// Open adds a merchant's ledger to a book.
func Open(b *book.Book, clock *book.Clock, merchant string) *Ledger {
	return &Ledger{book: b, clock: clock, effects: book.OpenSeries[Effect](b, merchant, "effects"), kinds: make(map[string]Kind)}
}

// Register adds a kind of effects.
func (l *Ledger) Register(kind Kind) { l.kinds[kind.Name] = kind }

// Key is the key of a record: the merchant's own number is unique within the merchant for whom it
// is.
func Key(sub, number string) string {
	if sub == "" {
		return number
	}
	return sub + "/" + number
}

// Enter writes an effect down. The book must be begun.
func (l *Ledger) Enter(kind, number string, amount int64, now time.Time, params string) {
	l.EnterFor("", kind, number, amount, now, params)
}

// EnterFor writes an effect down that a service provider had for a sub-merchant. The book must be
// begun.
func (l *Ledger) EnterFor(sub, kind, number string, amount int64, now time.Time, params string) {
	l.effects.Add(Effect{Kind: kind, Number: number, Sub: sub, Amount: amount, Time: now, Params: params})
}

// Effects returns all effects of the given kinds, or of every kind if none is given, the oldest
// first.
func (l *Ledger) Effects(kinds ...string) []Effect {
	defer l.book.Begin(l.clock.Now()).Commit()
	var list []Effect
	for _, e := range l.effects.Rows() {
		if len(kinds) == 0 || slices.Contains(kinds, e.Kind) {
			e.State = l.kinds[e.Kind].state(Key(e.Sub, e.Number))
			list = append(list, e)
		}
	}
	return list
}

// SetEnding sets who decides how records end; nil is nobody. decide is called with the book begun.
func (l *Ledger) SetEnding(decide func(kind, number string) Ending) {
	l.book.Lock()
	defer l.book.Unlock()
	l.ending = decide
}

// EndingRule decides like a function of SetEnding.
type EndingRule struct {
	Kind   string
	Number string // empty for all
	State  string
	After  time.Duration // negative for never by itself
}

// SetEndings sets rules, of which the first that matches decides; records that no rule matches end
// as they do by default.
func (l *Ledger) SetEndings(rules []EndingRule) error {
	for _, rule := range rules {
		finals := l.kinds[rule.Kind].Finals
		if finals == nil {
			return fmt.Errorf("a rule is for the kind %q, which has no ending", rule.Kind)
		}
		if rule.State != "" && !slices.Contains(finals, rule.State) {
			return fmt.Errorf("a %s ends in %s, not in %q", rule.Kind, strings.Join(finals, ", "), rule.State)
		}
	}
	if len(rules) == 0 {
		l.SetEnding(nil)
		return nil
	}
	l.SetEnding(func(kind, number string) Ending {
		for _, rule := range rules {
			if rule.Kind == kind && (rule.Number == "" || rule.Number == number) {
				return Ending{State: rule.State, After: rule.After}
			}
		}
		return l.kinds[kind].ending()
	})
	return nil
}

// ending is that of a kind where nobody decides.
func (k Kind) ending() Ending {
	if k.Waits {
		return Ending{After: -1}
	}
	return Ending{}
}

// EndingOf asks for the ending of something new. The book must be begun.
func (l *Ledger) EndingOf(kind, number string) (Ending, *say.Rejection) {
	ending := l.kinds[kind].ending()
	var err error
	if l.ending != nil {
		err = say.Decided("SetEnding", func() { ending = l.ending(kind, number) })
	}
	if ending.State == "" {
		ending.State = "SUCCESS"
	}
	if err == nil && !slices.Contains(l.kinds[kind].Finals, ending.State) {
		err = fmt.Errorf("SetEnding gave the %s the state %q, which it cannot end in", kind, ending.State)
	}
	if err != nil {
		return Ending{}, say.SystemError(err.Error())
	}
	return ending, nil
}

// Settle brings a record to a final state, before its ending does.
func (l *Ledger) Settle(kind, number, final string) error {
	k := l.kinds[kind]
	switch {
	case k.Finals == nil:
		return fmt.Errorf("sandbox: settle: only refunds, transfers, shares and returns have states to reach, not %q", kind)
	case !slices.Contains(k.Finals, final):
		return fmt.Errorf("sandbox: settle: a %s ends in %s, not in %q", kind, strings.Join(k.Finals, ", "), final)
	}
	now := l.clock.Now()
	l.book.Begin(now)
	var err error
	switch record, known, reach := k.Find(number); {
	case !known:
		err = fmt.Errorf("sandbox: settle: there is no %s %q", kind, number)
	case record.ended(k.Finals):
		err = fmt.Errorf("sandbox: settle: the %s has ended as %s", kind, record.State)
	default:
		reach(final, now)
	}
	if failed := l.book.End(); err == nil {
		err = failed
	}
	return err
}
