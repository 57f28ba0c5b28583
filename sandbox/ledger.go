package sandbox

import (
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/ledger"
)

// EffectKind says what took effect.
type EffectKind string

// Kinds of effects.
const (
	OrderEffect    EffectKind = "order"    // an order was created; its number is out_trade_no
	PaymentEffect  EffectKind = "payment"  // the user paid an order; out_trade_no
	ReversalEffect EffectKind = "reversal" // a payment by code was reversed after it was paid; out_trade_no
	RefundEffect   EffectKind = "refund"   // a refund was accepted; out_refund_no
	TransferEffect EffectKind = "transfer" // a transfer bill was accepted; out_bill_no
	ShareEffect    EffectKind = "share"    // profit sharing, or unfreezing, was accepted; out_order_no
	ReturnEffect   EffectKind = "return"   // the return of a share was accepted; out_return_no
	FeedEffect     EffectKind = "feed"     // a member feed was shown; out_request_no
	ServiceEffect  EffectKind = "service"  // a pay score order was created; out_order_no
	CouponEffect   EffectKind = "coupon"   // a coupon was sent to a user; out_request_no
)

// Effect is one thing that took effect. A repeated request that is answered with what is there
// already adds none, so two effects of one kind under one number mean that something was done
// twice.
type Effect struct {
	Kind   EffectKind `json:"kind"`
	Number string     `json:"number"`        // the merchant's own
	Sub    string     `json:"sub,omitempty"` // the sub-merchant for whom a service provider acted
	Amount int64      `json:"amount"`        // fen; 0 for a feed
	// State is the present one, as a query would tell it; SUCCESS for a payment and a feed.
	State string    `json:"state,omitempty"`
	Time  time.Time `json:"time"` // when it took effect, by the sandbox's clock
	// Params is the request's body with its fields sorted and its encrypted fields decrypted, to
	// compare effects by; empty for a payment, and for an order of AddPaidOrder.
	Params string `json:"params,omitempty"`
}

// Ending is how a refund, a transfer bill, a share or a return ends.
type Ending struct {
	// State is the final one: SUCCESS (which empty stands for), CLOSED or ABNORMAL for a refund,
	// SUCCESS, FAIL or CANCELLED for a transfer bill, SUCCESS or CLOSED for a share, SUCCESS or
	// FAILED for a return.
	State string
	// After is how long it takes; the response to the request itself still shows the state before.
	// When it is negative the state stays until [Ledger.Settle].
	After time.Duration
}

// Ledger is what took effect for a merchant, and decides how it ends.
type Ledger struct{ merchant *gate.Merchant }

// Effects returns all effects of the given kinds, or of every kind if none is given, the oldest
// first.
func (l *Ledger) Effects(kinds ...EffectKind) []Effect {
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		names[i] = string(kind)
	}
	var list []Effect
	for _, e := range l.merchant.Ledger.Effects(names...) {
		list = append(list, Effect{EffectKind(e.Kind), e.Number, e.Sub, e.Amount, e.State, e.Time, e.Params})
	}
	return list
}

// SetEnding sets how refunds, transfer bills, shares and returns end: decide is called once for
// each when it is accepted, one call at a time, and must not call the sandbox. A sharing asks for
// every receiver, as out_order_no/account, and ends with the slowest. By default, which nil
// restores, transfer bills wait for Settle, as they wait for their user in reality, and all others
// succeed at once. A state that the kind does not have, or a panic, makes the request a
// SYSTEM_ERROR without effect.
func (l *Ledger) SetEnding(decide func(kind EffectKind, number string) Ending) {
	if decide == nil {
		l.merchant.Ledger.SetEnding(nil)
		return
	}
	l.merchant.Ledger.SetEnding(func(kind, number string) ledger.Ending {
		return ledger.Ending(decide(EffectKind(kind), number))
	})
}

// Settle brings a refund, a transfer bill, a sharing or a return to a final state, before its
// ending does; see [Ending] for the states. number is the merchant's own, with SUB_MCHID/ before it
// if a service provider acted for a sub-merchant. The state of a sharing is that of all receivers
// who have none yet. A refund that is ABNORMAL can still become SUCCESS or CLOSED; a record that
// has ended otherwise stays.
func (l *Ledger) Settle(kind EffectKind, number, final string) error {
	return l.merchant.Ledger.Settle(string(kind), number, final)
}
