package refund

import (
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/ledger"
)

// Open adds the flow to a merchant.
func Open(m *gate.Merchant, orders *order.Flow) *Flow {
	f := &Flow{Merchant: m, orders: orders, refunds: book.OpenTable[Refund](m.Book, m.ID, "refunds")}
	f.refunds.OnDue(func(key string, r Refund, at time.Time) { f.reach(key, r, r.Next, at) })
	m.Serve(f.operations()...)
	m.Ledger.Register(ledger.Kind{Name: "refund", Finals: []string{"SUCCESS", "CLOSED", "ABNORMAL"}, Find: f.find})
	m.Post.Show("REFUND.", f.sample)
	return f
}

func (f *Flow) find(key string) (record ledger.Course, known bool, reach func(final string, now time.Time)) {
	r, known := f.refunds.Get(key)
	return r.Course, known, func(final string, now time.Time) { f.reach(key, r, final, now) }
}

// sample is a resource of the events of a refund.
func (f *Flow) sample(event string, now time.Time) map[string]any {
	r := Refund{
		Course: ledger.Begin(strings.TrimPrefix(event, "REFUND."), now), Request: "{}",
		ID: "50300000002025112300000000001", Number: "1217752501201407033233368018", Amount: 100, Trade: "1217752501201407033233368018",
		Transaction: "4200001234202511230000000001", Total: 100,
	}
	return r.resource(f.ID)
}

// Limits of the fields of refunds. Their pages count out_refund_no and reason in bytes.
var (
	createLimits = map[string]gate.Limit{
		"/transaction_id": {Max: 32}, "/out_trade_no": {Max: 32, Charset: gate.OrderChars}, "/out_refund_no": Number,
		"/reason": {Max: 80}, "/notify_url": {Max: 256},
	}
	queryLimits  = map[string]gate.Limit{"out_refund_no": Number}
	repairLimits = map[string]gate.Limit{"/out_refund_no": Number}
)

// operations are those of refunds.
func (f *Flow) operations() []gate.Operation {
	const base = "/v3/refund/domestic/refunds"
	return []gate.Operation{
		{Operation: gate.Documented("POST", base), Limits: createLimits, Do: gate.Told(f.Accept, Refund.Tell)},
		{Operation: gate.Documented("GET", base+"/{out_refund_no}"), Limits: queryLimits, Do: gate.Told(f.Find, Refund.Tell)},
		{Operation: gate.Documented("POST", base+"/{refund_id}/apply-abnormal-refund"), Limits: repairLimits, Do: gate.Told(f.Repair, Refund.Tell)},
	}
}
