package order

import (
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/console"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/ledger"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Open adds the flow to a merchant.
func Open(m *gate.Merchant) *Flow {
	f := &Flow{
		Merchant:     m,
		orders:       book.OpenTable[Order](m.Book, m.ID, "orders"),
		combined:     book.OpenTable[combined](m.Book, m.ID, "combined"),
		transactions: book.OpenTable[string](m.Book, m.ID, "transactions"),
		appIDs:       book.OpenTable[appID](m.Book, m.ID, "appids"),
	}
	f.orders.OnDue(f.expire)
	f.combined.OnDue(f.expireCombined)
	m.Serve(f.payOperations()...)
	m.Serve(f.combineOperations()...)
	m.Ledger.Register(ledger.Kind{Name: "order", State: func(key string) string {
		o, _ := f.orders.Get(key)
		return o.State()
	}})
	m.Ledger.Register(ledger.Kind{Name: "payment"})
	m.Ledger.Register(ledger.Kind{Name: "reversal"})
	m.Post.Show("TRANSACTION.SUCCESS", f.sample)
	m.Control(
		console.Order{Method: "POST", Path: "pay", Does: "Users.Pay", Run: f.Pay, In: "out_trade_no", Out: "transaction_id"},
		console.Order{Method: "POST", Path: "pay/as", Does: "Users.PayAs", Run: f.PayAs, In: "out_trade_no openid", Out: "transaction_id"},
		console.Order{Method: "POST", Path: "pay/fail", Does: "Users.FailPayment", Run: f.FailPayment, In: "out_trade_no"},
		console.Order{Method: "GET", Path: "checkout", Does: "Users.Checkout", Run: f.Checkout, In: "link"},
		console.Order{Method: "GET", Path: "checkouts", Does: "Users.Checkouts", Run: f.Checkouts, Out: "checkouts"},
		console.Order{Method: "POST", Path: "paid-orders", Does: "Users.AddPaidOrder", Run: f.AddPaidOrder, In: "out_trade_no total", Out: "transaction_id"},
		console.Order{Method: "POST", Path: "appids", Does: "Sandbox.BindAppID", Run: f.BindAppID, In: "appid"},
	)
	return f
}

// sample is a resource of the event of a payment.
func (f *Flow) sample(_ string, now time.Time) map[string]any {
	o := Order{
		Request: string(say.JSON(map[string]any{
			"appid": say.SampleAppID, "mchid": f.ID, "out_trade_no": "1217752501201407033233368018", "attach": "自定义数据",
			"amount": map[string]any{"total": 100, "currency": "CNY"},
		})),
		Number: "1217752501201407033233368018", Way: "JSAPI", Total: 100, OpenID: say.AnyPayer, Transaction: "4200001234202511230000000001", PaidAt: now,
	}
	return o.resource()
}

// Limits of the fields of orders. Rejections count out_trade_no and attach in bytes; the pages of
// all four ways count description in characters, and have 255 or 256 for notify_url.
var (
	numberLimit      = map[string]gate.Limit{"out_trade_no": tradeNumber}
	transactionLimit = map[string]gate.Limit{"transaction_id": {Min: 1, Max: 32}}
	orderLimits      = map[string]gate.Limit{
		"/appid": {Min: 1, Max: 32}, "/mchid": {Min: 1, Max: 32},
		"/sp_appid": {Min: 1, Max: 32}, "/sp_mchid": {Min: 1, Max: 32},
		"/sub_appid": {Max: 32}, "/sub_mchid": {Min: 1, Max: 32},
		"/description": {Min: 1, Max: 127, Characters: true}, "/attach": {Max: 128}, "/out_trade_no": tradeNumber,
		"/notify_url": {Min: 1, Max: 256}, "/goods_tag": {Max: 32},
		"/payer/openid": {Min: 1, Max: 128}, "/payer/sp_openid": {Max: 128}, "/payer/sub_openid": {Max: 128},
	}
	combinedNumber      = gate.Limit{Min: 2, Max: 32, Charset: gate.OrderChars}
	combinedNumberLimit = map[string]gate.Limit{"combine_out_trade_no": combinedNumber}
	combinedLimits      = map[string]gate.Limit{
		"/combine_appid": {Min: 1, Max: 32}, "/combine_out_trade_no": combinedNumber, "/notify_url": {Min: 1, Max: 256},
		"/sub_orders/out_trade_no": tradeNumber, "/sub_orders/attach": {Max: 128},
		"/sub_orders/description": {Min: 1, Max: 127, Characters: true},
	}
)

// payOperations are those of basic payment, by a merchant for itself and by a service provider for
// a sub-merchant.
func (f *Flow) payOperations() []gate.Operation {
	var list []gate.Operation
	for _, prefix := range []string{"/v3/pay/transactions/", partnerOrders} {
		byNumber := prefix + "out-trade-no/{out_trade_no}"
		list = append(list,
			gate.Operation{Operation: gate.Documented("GET", byNumber), Limits: numberLimit, Do: f.queryOrder},
			gate.Operation{Operation: gate.Documented("GET", prefix+"id/{transaction_id}"), Limits: transactionLimit, Do: f.queryTransaction},
			gate.Operation{Operation: gate.Documented("POST", byNumber+"/close"), Limits: numberLimit, Do: f.closeOrder},
			gate.Operation{Operation: gate.Documented("POST", byNumber+"/reverse"), Limits: numberLimit, Do: f.reverse},
			gate.Operation{
				Operation: gate.Documented("POST", prefix+"codepay"),
				Limits:    orderLimits,
				Do:        func(c *gate.Call) (any, *say.Rejection) { return f.createOrder(c, byCode) },
			},
		)
		for path, way := range ways {
			list = append(list, gate.Operation{
				Operation: gate.Documented("POST", prefix+path),
				Limits:    orderLimits,
				Do:        func(c *gate.Call) (any, *say.Rejection) { return f.createOrder(c, way) },
			})
		}
	}
	return list
}

// combineOperations are those of combined orders.
func (f *Flow) combineOperations() []gate.Operation {
	const byNumber = combinedOrders + "out-trade-no/{combine_out_trade_no}"
	list := []gate.Operation{
		{Operation: gate.Documented("GET", byNumber), Limits: combinedNumberLimit, Do: f.queryCombined},
		{Operation: gate.Documented("POST", byNumber+"/close"), Limits: combinedNumberLimit, Do: f.closeCombined},
	}
	for path, way := range ways {
		list = append(list, gate.Operation{
			Operation: gate.Documented("POST", combinedOrders+path),
			Limits:    combinedLimits,
			Do:        func(c *gate.Call) (any, *say.Rejection) { return f.createCombined(c, way) },
		})
	}
	return list
}
