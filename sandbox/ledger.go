package sandbox

import (
	"fmt"
	"slices"
	"strings"
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
	ShareEffect    EffectKind = "share"    // profit sharing, or unfreezing, was accepted; out_order_no
	ReturnEffect   EffectKind = "return"   // the return of a share was accepted; out_return_no
	FeedEffect     EffectKind = "feed"     // a member feed was shown; out_request_no
	ServiceEffect  EffectKind = "service"  // a pay score order was created; out_order_no
)

// Effect is one thing that took effect. A repeated request that is answered with what is there already adds none, so two
// effects of one kind under one number mean that something was done twice.
type Effect struct {
	Kind   EffectKind `json:"kind"`
	Number string     `json:"number"`        // the merchant's own
	Sub    string     `json:"sub,omitempty"` // the sub-merchant for whom a service provider acted
	Amount int64      `json:"amount"`        // fen; 0 for a feed
	// State is the present one, as a query would tell it; SUCCESS for a payment and a feed.
	State string    `json:"state,omitempty"`
	Time  time.Time `json:"time"` // when it took effect, by the sandbox's clock
	// Params is the request's body with its members sorted and its encrypted members opened, to compare effects by; empty for a
	// payment, and for an order of AddPaidOrder.
	Params string `json:"params,omitempty"`
}

// kinds tell how the present state of an effect is found; SUCCESS where nothing is said.
var kinds = map[EffectKind]func(s *state, key string) string{
	OrderEffect:    func(s *state, key string) string { o, _ := s.orders.get(key); return o.current() },
	RefundEffect:   func(s *state, key string) string { r, _ := s.refunds.get(key); return r.State },
	TransferEffect: func(s *state, key string) string { t, _ := s.transfers.get(key); return t.State },
	ShareEffect:    func(s *state, key string) string { h, _ := s.shares.get(key); return h.State },
	ReturnEffect:   func(s *state, key string) string { r, _ := s.returns.get(key); return r.State },
	ServiceEffect:  func(s *state, key string) string { o, _ := s.serviceOrders.get(key); return o.State },
}

// Ledger returns all effects of the given kinds, or of every kind if none is given, the oldest first.
func (s *Sandbox) Ledger(kinds ...EffectKind) []Effect {
	st := s.begin()
	defer st.commit()
	var list []Effect
	for _, e := range st.effects.rows {
		if len(kinds) == 0 || slices.Contains(kinds, e.Kind) {
			e.State = st.present(e)
			list = append(list, e)
		}
	}
	return list
}

// present is the state of an effect.
func (s *state) present(e Effect) string {
	if find := kinds[e.Kind]; find != nil {
		return find(s, orderKey(e.Sub, e.Number))
	}
	return "SUCCESS"
}

// enter writes an effect down.
func (s *state) enter(kind EffectKind, number string, amount int64, now time.Time, params string) {
	s.enterFor("", kind, number, amount, now, params)
}

// enterFor writes an effect down that a service provider had for a sub-merchant.
func (s *state) enterFor(sub string, kind EffectKind, number string, amount int64, now time.Time, params string) {
	s.effects.add(Effect{Kind: kind, Number: number, Sub: sub, Amount: amount, Time: now, Params: params})
}

// platformNumber returns a number of the platform's own: prefix, day and a running number, size digits in all.
func (s *state) platformNumber(prefix string, size int, now time.Time) string {
	serial, _ := s.serials.get("")
	serial++
	s.serials.put("", serial)
	head := prefix + now.In(beijing).Format("20060102")
	return head + fmt.Sprintf("%0*d", size-len(head), serial)
}

// Ending is how a refund, a transfer bill, a share or a return ends.
type Ending struct {
	// State is the final one: SUCCESS (which empty stands for), CLOSED or ABNORMAL for a refund, SUCCESS, FAIL or
	// CANCELLED for a transfer bill, SUCCESS or CLOSED for a share, SUCCESS or FAILED for a return.
	State string
	// After is how long it takes; the answer of the request itself still shows the state before. When it is negative the
	// state stays until [Sandbox.Settle].
	After time.Duration
}

// SetEnding sets how refunds, transfer bills, shares and returns end: decide is called once for each when it is accepted, one call
// at a time, and must not call the sandbox. A sharing asks for every receiver, as out_order_no/account, and ends with the slowest.
// By default, which nil restores, transfer bills wait for Settle, as they wait for their user in reality, and all others succeed
// at once. A state that the kind does not have, or a panic, makes the request a
// SYSTEM_ERROR without effect.
func (s *Sandbox) SetEnding(decide func(kind EffectKind, number string) Ending) {
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	s.state.fate = decide
}

// finalStates are those that a kind can end in.
var finalStates = map[EffectKind][]string{
	RefundEffect:   {"SUCCESS", "CLOSED", "ABNORMAL"},
	TransferEffect: {"SUCCESS", "FAIL", "CANCELLED"},
	ShareEffect:    {"SUCCESS", "CLOSED"},
	ReturnEffect:   {"SUCCESS", "FAILED"},
}

// defaultFate is that of a kind where nobody decides.
func defaultFate(kind EffectKind) Ending {
	if kind == TransferEffect {
		return Ending{After: -1}
	}
	return Ending{}
}

// fateOf asks for the fate of something new.
func (s *state) fateOf(kind EffectKind, number string) (Ending, *refusal) {
	fate := defaultFate(kind)
	var err error
	if s.fate != nil {
		err = decided("SetEnding", func() { fate = s.fate(kind, number) })
	}
	if fate.State == "" {
		fate.State = "SUCCESS"
	}
	if err == nil && !slices.Contains(finalStates[kind], fate.State) {
		err = fmt.Errorf("SetEnding gave the %s the state %q, which it cannot end in", kind, fate.State)
	}
	if err != nil {
		r := Fault{Kind: ServerError}.denial(false)
		r.reason = err.Error()
		return Ending{}, r
	}
	return fate, nil
}

// decided has a function of the program's decide. It may panic, or end its goroutine as a test that fails does: neither must take
// the records' mutex along, or whoever comes next waits for ever.
func decided(where string, decide func()) error {
	ended := make(chan error, 1)
	go func() {
		err := fmt.Errorf("what %s was given ended its goroutine", where)
		defer func() {
			if v := recover(); v != nil {
				err = fmt.Errorf("what %s was given panicked: %v", where, v)
			}
			ended <- err
		}()
		decide()
		err = nil
	}()
	return <-ended
}

// course is the way of a record to its end.
type course struct {
	State   string    `json:"state"`
	Since   time.Time `json:"since"`
	Changed time.Time `json:"changed"`
	Next    string    `json:"next,omitempty"` // the state to come; empty when none is on its way
	Due     time.Time `json:"due,omitzero"`   // when Next is reached
}

func (c course) due() time.Time { return c.Due }

// lead sets what is to come, unless the fate leaves it to Settle.
func (c *course) lead(fate Ending, now time.Time) {
	if fate.After >= 0 {
		c.Next, c.Due = fate.State, now.Add(fate.After)
	}
}

// become takes a state on, and drops what was to come.
func (c *course) become(state string, now time.Time) {
	c.State, c.Changed, c.Next, c.Due = state, now, "", time.Time{}
}

// Settle brings a refund, a transfer bill, a sharing or a return to a final state, before its fate does; see [Ending] for the
// states. number is the merchant's own, with SUB_MCHID/ before it if a service provider acted for a sub-merchant. The state of a
// sharing is that of all receivers who have none yet. A refund that is ABNORMAL can still become SUCCESS or CLOSED; what has ended
// otherwise stays.
func (s *Sandbox) Settle(kind EffectKind, number, final string) error {
	states := finalStates[kind]
	if !slices.Contains(states, final) {
		if states == nil {
			return fmt.Errorf("sandbox: settle: only refunds, transfers, shares and returns have states to reach, not %q", string(kind))
		}
		return fmt.Errorf("sandbox: settle: a %s ends in %s, not in %q", kind, strings.Join(states, ", "), final)
	}
	now := s.clock()
	st := s.state.begin(now)
	settle := func(known bool, c course, reach func()) error {
		switch {
		case !known:
			return fmt.Errorf("sandbox: settle: there is no %s %q", kind, number)
		case slices.Contains(states, c.State) && c.State != "ABNORMAL":
			return fmt.Errorf("sandbox: settle: the %s has ended as %s", kind, c.State)
		}
		reach()
		return nil
	}
	var err error
	switch kind {
	case RefundEffect:
		r, known := st.refunds.get(number)
		err = settle(known, r.course, func() { st.reachRefund(number, r, final, now) })
	case TransferEffect:
		t, known := st.transfers.get(number)
		err = settle(known, t.course, func() { st.reachTransfer(number, t, final, now) })
	case ShareEffect:
		h, known := st.shares.get(number)
		if known && h.State == "FINISHED" {
			err = fmt.Errorf("sandbox: settle: the %s has ended", kind)
		} else {
			err = settle(known, h.course, func() { st.reachShare(number, h, final, now) })
		}
	case ReturnEffect:
		r, known := st.returns.get(number)
		err = settle(known, r.course, func() { st.reachReturn(number, r, final, now) })
	}
	if failed := st.end(); err == nil {
		err = failed
	}
	return err
}
