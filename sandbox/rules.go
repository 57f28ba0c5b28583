package sandbox

import "github.com/wxpay-go/wxpay/sandbox/internal/gate"

// Rule is one of the platform's limits that depend on time or pace, or that only production insists
// on. They go by the sandbox's clock: while that stands still, because it is frozen, a [WithClock]
// that does not move, or a testing/synctest bubble, it is always the same second.
type Rule string

// Rules. All but ReadDelay hold from the beginning.
const (
	// Rates responds with 429 to requests that come faster than documented, by operation and
	// merchant, and to more than 6 failing refunds a second. A second begins with a new one of the
	// clock, so where the clock stands still, calls beyond the rate are rejected until it moves; a
	// test that sends many relaxes it.
	Rates = Rule(gate.Rates)
	// ReadDelay hides orders, refunds, transfer bills and shares from queries for a second. It does
	// not hold by itself: the platform documents no such delay, so a query that finds a new record
	// is not wrong. Enforced, it shows whether a program takes "not found" right after a call for a
	// final response.
	ReadDelay = Rule(gate.ReadDelay)
	// RefundPace takes one refund of an order a minute; another is 429.
	RefundPace = Rule(gate.RefundPace)
	// SharePace shares an order from a minute after its payment.
	SharePace = Rule(gate.SharePace)
	// LookBack finds no transfer bill older than 30 days.
	LookBack = Rule(gate.LookBack)
	// AsyncCancel leaves a transfer bill CANCELING for a second. Without it the response says so,
	// and the next query CANCELLED.
	AsyncCancel = Rule(gate.AsyncCancel)
	// Names wants user_name for transfers of 2,000 yuan and more, and none for those below 0.30
	// yuan.
	Names = Rule(gate.Names)
	// Expiry closes orders that nobody pays, by time_expire or after 7 days, limits time_expire,
	// and ends a prepay_id and a code_url after two hours and an h5_url after five minutes.
	Expiry = Rule(gate.Expiry)
	// BareQuery takes a ? without parameters as part of the target, which the signature covers. The
	// platform's behaviour for such a target is not known: without the rule the ? may be signed or
	// not.
	BareQuery = Rule(gate.BareQuery)
)

// Rules switches the platform's limits, for all merchants of a sandbox.
//
// It is experimental: it grows with the evidence about the platform, and a minor version may change
// it.
type Rules struct{ rules *gate.Rules }

// Enforce makes rules hold. A rule that does not exist is an error.
func (r *Rules) Enforce(list ...Rule) error { return r.rules.Set(true, convert[gate.Rule](list)) }

// Relax switches rules off. A rule that does not exist is an error.
func (r *Rules) Relax(list ...Rule) error { return r.rules.Set(false, convert[gate.Rule](list)) }

// Enforced returns the rules that hold.
func (r *Rules) Enforced() []Rule { return convert[Rule](r.rules.Held()) }

// All returns every rule.
func (r *Rules) All() []Rule { return convert[Rule](gate.AllRules) }

// convert converts a list of names.
func convert[To, From ~string](list []From) []To {
	converted := make([]To, len(list))
	for i, one := range list {
		converted[i] = To(one)
	}
	return converted
}
