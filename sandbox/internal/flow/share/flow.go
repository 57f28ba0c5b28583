package share

import (
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/console"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/ledger"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Open adds the flow to a merchant.
func Open(m *gate.Merchant, orders *order.Flow) *Flow {
	f := &Flow{
		Merchant: m, orders: orders,
		receivers: book.OpenTable[Receiver](m.Book, m.ID, "receivers"),
		shares:    book.OpenTable[Share](m.Book, m.ID, "shares"),
		returns:   book.OpenTable[Return](m.Book, m.ID, "returns"),
		url:       book.OpenTable[string](m.Book, m.ID, "share-url"),
		balances:  book.OpenTable[int64](m.Book, m.ID, "balances"),
	}
	f.shares.OnDue(func(key string, h Share, at time.Time) { f.reachShare(key, h, "", at) })
	f.returns.OnDue(func(key string, r Return, at time.Time) { f.reachReturn(key, r, r.Next, at) })
	m.Serve(f.operations()...)
	m.Ledger.Register(ledger.Kind{Name: "share", Finals: []string{"SUCCESS", "CLOSED"}, Find: f.findShare})
	m.Ledger.Register(ledger.Kind{Name: "return", Finals: []string{"SUCCESS", "FAILED"}, Find: f.findReturn})
	m.Control(
		console.Order{Method: "POST", Path: "shares/notify-url", Does: "Sandbox.NotifySharesAt", Run: f.NotifySharesAt, In: "url"},
		console.Order{Method: "POST", Path: "shares/balance", Does: "Sandbox.SetBalance", Run: f.SetBalance, In: "mchid fen"},
	)
	return f
}

func (f *Flow) findShare(key string) (record ledger.Course, known bool, reach func(final string, now time.Time)) {
	h, known := f.shares.Get(key)
	return h.Course, known, func(final string, now time.Time) { f.reachShare(key, h, final, now) }
}

func (f *Flow) findReturn(key string) (record ledger.Course, known bool, reach func(final string, now time.Time)) {
	r, known := f.returns.Get(key)
	return r.Course, known, func(final string, now time.Time) { f.reachReturn(key, r, final, now) }
}

// Limits of the fields of profit sharing. A rejection counts the account of a receiver in
// characters, and so does the page of custom_relation.
var (
	receiverAccount = gate.Limit{Min: 1, Max: 64, Characters: true}
	accountLimits   = map[string]gate.Limit{
		"/appid": {Min: 1, Max: 32}, "/account": receiverAccount, "/name": {Max: 1024},
		"/custom_relation": {Max: 10, Characters: true},
	}
	shareLimits = map[string]gate.Limit{
		"/out_order_no": Number, "/transaction_id": {Min: 1, Max: 32}, "/description": {Min: 1, Max: 80},
		"/receivers/account": receiverAccount, "/receivers/description": {Min: 1, Max: 80},
	}
	returnLimits = map[string]gate.Limit{
		"/out_order_no": {Max: 64}, "/order_id": {Max: 64}, "/out_return_no": Number,
		"/return_mchid": {Min: 1, Max: 32}, "/description": {Min: 1, Max: 80},
	}
	shareQuery  = map[string]gate.Limit{"out_order_no": Number}
	returnQuery = map[string]gate.Limit{"out_return_no": Number}
)

// operations are those of profit sharing, by a merchant for itself and by a service provider for a
// sub-merchant.
func (f *Flow) operations() []gate.Operation {
	const base = "/v3/profitsharing/"
	form := Form{Account: "account", Finish: "unfreeze_unsplit", Types: receiverTypes}
	share := func(c *gate.Call) (Share, *say.Rejection) { return f.Accept(c, form) }
	return []gate.Operation{
		{Operation: gate.Documented("POST", base+"receivers/add"), Limits: accountLimits, Do: f.addReceiver},
		{Operation: gate.Documented("POST", base+"receivers/delete"), Limits: accountLimits, Do: f.deleteReceiver},
		{Operation: gate.Documented("POST", base+"orders"), Limits: shareLimits, Do: gate.Told(share, Share.Tell)},
		{Operation: gate.Documented("POST", base+"orders/unfreeze"), Limits: shareLimits, Do: gate.Told(f.Unfreeze, Share.Tell)},
		{Operation: gate.Documented("GET", base+"orders/{out_order_no}"), Limits: shareQuery, Do: gate.Told(f.Find, Share.Tell)},
		{Operation: gate.Documented("GET", base+"transactions/{transaction_id}/amounts"), Do: f.TellUnsplit},
		{Operation: gate.Documented("GET", base+"return-orders/{out_return_no}"), Limits: returnQuery, Do: gate.Told(f.FindReturn, Return.Tell)},
		{Operation: gate.Documented("POST", base+"return-orders"), Limits: returnLimits, Do: gate.Told(f.AcceptReturn, Return.Tell)},
	}
}
