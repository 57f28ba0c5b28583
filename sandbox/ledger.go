package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// EffectKind says what took effect.
type EffectKind string

// Kinds of effects.
const (
	OrderEffect    EffectKind = "order"    // an order was created; its number is out_trade_no
	PaymentEffect  EffectKind = "payment"  // the user paid an order; out_trade_no
	RefundEffect   EffectKind = "refund"   // a refund was accepted; out_refund_no
	TransferEffect EffectKind = "transfer" // a transfer bill was accepted; out_bill_no
	FeedEffect     EffectKind = "feed"     // a member feed was shown; out_request_no
)

// Effect is one thing that took effect. A repeated request that is answered with what is there already adds none, so two
// effects of one kind under one number mean that something was done twice.
type Effect struct {
	Kind   EffectKind
	Number string // the merchant's own
	Amount int64  // fen; 0 for a feed
	// State is the present one, as a query would tell it; SUCCESS for a payment and a feed.
	State string
	Time  time.Time // when it took effect, by the sandbox's clock
	// Params is the request's body with its members sorted and its encrypted members opened, to compare effects by; empty for a
	// payment, and for an order of AddPaidOrder.
	Params string
}

// state is all that the merchant and its users have done.
type state struct {
	mu           sync.Mutex
	orders       map[string]*order    // by out_trade_no
	transactions map[string]*order    // by transaction_id, once paid
	refunds      map[string]*refund   // by out_refund_no
	transfers    map[string]*transfer // by out_bill_no
	bills        map[string]*transfer // by transfer_bill_no
	feeds        map[string]string    // by out_request_no: the canonical request
	ledger       []entry
	serial       uint64 // of the platform's own numbers
	fate         func(EffectKind, string) Fate
	repeated     RepeatedFeed
}

// entry is an effect, and where its present state is asked.
type entry struct {
	effect Effect
	of     stateful // nil for SUCCESS
}

// stateful is what has a state that time changes.
type stateful interface {
	at(now time.Time) string // the state, once what is due by now has come; the mutex is held
}

func newState() state {
	return state{
		orders: make(map[string]*order), transactions: make(map[string]*order), refunds: make(map[string]*refund),
		transfers: make(map[string]*transfer), bills: make(map[string]*transfer), feeds: make(map[string]string),
	}
}

// Ledger returns all effects of the given kinds, or of every kind if none is given, the oldest first.
func (s *Sandbox) Ledger(kinds ...EffectKind) []Effect {
	now := s.clock()
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	var list []Effect
	for _, e := range s.state.ledger {
		if len(kinds) > 0 && !slices.Contains(kinds, e.effect.Kind) {
			continue
		}
		e.effect.State = "SUCCESS"
		if e.of != nil {
			e.effect.State = e.of.at(now)
		}
		list = append(list, e.effect)
	}
	return list
}

// enter writes an effect down. s.mu is held.
func (s *state) enter(kind EffectKind, number string, amount int64, now time.Time, params string, of stateful) {
	s.ledger = append(s.ledger, entry{
		effect: Effect{Kind: kind, Number: number, Amount: amount, Time: now, Params: params}, of: of,
	})
}

// platformNumber returns a number of the platform's own: prefix, day and a running number, size digits in all. s.mu is
// held.
func (s *state) platformNumber(prefix string, size int, now time.Time) string {
	s.serial++
	head := prefix + now.In(beijing).Format("20060102")
	return head + fmt.Sprintf("%0*d", size-len(head), s.serial)
}

// Fate is how a refund or a transfer bill ends.
type Fate struct {
	// State is the final one: SUCCESS (which empty stands for), CLOSED or ABNORMAL for a refund, SUCCESS, FAIL or
	// CANCELLED for a transfer bill.
	State string
	// After is how long it takes; the answer of the request itself still shows the state before. When it is negative the
	// state stays until [Sandbox.Settle].
	After time.Duration
}

// SetFate sets how refunds and transfer bills end: decide is called once for each when it is accepted, one call at a
// time, and must not call the sandbox. By default, which nil restores, refunds succeed at once and transfer bills wait
// for Settle, as they wait for their user in reality. A state that the kind does not have makes the request a
// SYSTEM_ERROR without effect.
func (s *Sandbox) SetFate(decide func(kind EffectKind, number string) Fate) {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	s.state.fate = decide
}

// finalStates are those that a kind can end in.
var finalStates = map[EffectKind][]string{
	RefundEffect:   {"SUCCESS", "CLOSED", "ABNORMAL"},
	TransferEffect: {"SUCCESS", "FAIL", "CANCELLED"},
}

// fateOf asks for the fate of something new. s.mu is held.
func (s *state) fateOf(kind EffectKind, number string) (Fate, *refusal) {
	fate := Fate{}
	switch {
	case s.fate != nil:
		fate = s.fate(kind, number)
	case kind == TransferEffect:
		fate.After = -1
	}
	if fate.State == "" {
		fate.State = "SUCCESS"
	}
	if !slices.Contains(finalStates[kind], fate.State) {
		r := Fault{Kind: ServerError}.denial(false)
		r.reason = fmt.Sprintf("SetFate gave the %s the state %q, which it cannot end in", kind, fate.State)
		return Fate{}, r
	}
	return fate, nil
}

// course is the way of a refund or a transfer bill to its end. It is guarded by the state's mutex.
type course struct {
	state          string
	since, changed time.Time
	next           string    // the state to come; empty when none is on its way
	due            time.Time // when next is reached
	timer          *time.Timer
	reached        func() // called when a final state is reached
}

// lead begins the way to the state: reached at once, later, or never by itself.
func (s *Sandbox) lead(c *course, fate Fate, now time.Time) {
	switch {
	case fate.After == 0:
		c.become(fate.State, now)
	case fate.After > 0:
		due := now.Add(fate.After)
		c.next, c.due = fate.State, due
		c.timer = time.AfterFunc(fate.After, func() {
			s.state.mu.Lock()
			defer s.state.mu.Unlock()
			c.settle(due)
		})
	}
}

// settle makes what is due by now so.
func (c *course) settle(now time.Time) {
	if c.next != "" && !now.Before(c.due) {
		c.become(c.next, c.due)
	}
}

// pause keeps what is to come from coming by itself; a query still finds it when it is due.
func (c *course) pause() {
	if c.timer != nil {
		c.timer.Stop()
	}
}

// hold takes a state on that is not final, and drops what was to come.
func (c *course) hold(state string, now time.Time) {
	c.pause()
	c.state, c.changed, c.next, c.timer = state, now, "", nil
}

func (c *course) at(now time.Time) string {
	c.settle(now)
	return c.state
}

// become takes a final state on.
func (c *course) become(state string, now time.Time) {
	c.hold(state, now)
	if c.reached != nil {
		c.reached()
	}
}

// Settle brings a refund (by out_refund_no) or a transfer bill (by out_bill_no) to a final state, before its fate does; see
// [Fate] for the states. A refund that is ABNORMAL can still become SUCCESS or CLOSED; what has ended otherwise stays.
func (s *Sandbox) Settle(kind EffectKind, number, final string) error {
	states := finalStates[kind]
	if !slices.Contains(states, final) {
		if states == nil {
			return fmt.Errorf("sandbox: settle: only refunds and transfers have states to reach, not %q", string(kind))
		}
		return fmt.Errorf("sandbox: settle: a %s ends in %s, not in %q", kind, strings.Join(states, ", "), final)
	}
	now := s.clock()
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	var c *course
	if r := s.state.refunds[number]; kind == RefundEffect && r != nil {
		c = &r.course
	} else if t := s.state.transfers[number]; kind == TransferEffect && t != nil {
		c = &t.course
	} else {
		return fmt.Errorf("sandbox: settle: there is no %s %q", kind, number)
	}
	c.settle(now)
	if slices.Contains(states, c.state) && c.state != "ABNORMAL" {
		return fmt.Errorf("sandbox: settle: the %s has ended as %s", kind, c.state)
	}
	c.become(final, now)
	return nil
}
