package coupon

import (
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/console"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/ledger"
)

// Open adds the flow to a merchant.
func Open(m *gate.Merchant, orders *order.Flow) *Flow {
	f := &Flow{
		Merchant: m, orders: orders, stocks: book.OpenTable[stock](m.Book, m.ID, "coupon stocks"),
		coupons: book.OpenTable[coupon](m.Book, m.ID, "coupons"), callbacks: book.OpenTable[callback](m.Book, m.ID, "coupon callbacks"),
	}
	f.stocks.OnDue(func(key string, s stock, at time.Time) {
		s.State, s.Changed = "stoped", at
		f.stocks.Put(key, s)
	})
	f.coupons.OnDue(func(key string, p coupon, _ time.Time) {
		p.State = "EXPIRED"
		f.coupons.Put(key, p)
	})
	m.Serve(f.operations()...)
	m.Ledger.Register(ledger.Kind{Name: "coupon", State: func(key string) string {
		p, _ := f.coupons.Get(key)
		return p.State
	}})
	m.Control(console.Order{Method: "GET", Path: "coupons", Does: "Users.Coupons", Run: f.Coupons, Out: "coupons"})
	m.Control(console.Order{Method: "POST", Path: "coupons/use", Does: "Users.UseCoupon", Run: f.UseCoupon, In: "coupon_id out_trade_no"})
	return f
}

// number is the limit of out_request_no:
// https://pay.weixin.qq.com/wiki/doc/apiv3_partner/apis/chapter9_1_2.shtml
var number = gate.Limit{Min: 1, Max: 128, Charset: gate.OrderChars}

// Limits of the fields of coupons.
var (
	stockLimits = map[string]gate.Limit{"/out_request_no": number, "/belong_merchant": {Min: 1, Max: 20}}
	sendLimits  = map[string]gate.Limit{
		"/stock_id": {Min: 1, Max: 20}, "/out_request_no": number, "/appid": {Min: 1, Max: 128}, "openid": {Min: 1, Max: 128},
	}
	callbackLimits = map[string]gate.Limit{"/mchid": {Min: 1, Max: 20}, "/notify_url": {Min: 1, Max: 256}}
)

func (f *Flow) operations() []gate.Operation {
	const base = "/v3/marketing/favor/"
	return []gate.Operation{
		{Operation: gate.Documented("POST", base+"coupon-stocks"), Limits: stockLimits, Do: f.createStock},
		{Operation: gate.Documented("POST", base+"stocks/{stock_id}/start"), Do: f.move("running", "unactivated")},
		{Operation: gate.Documented("POST", base+"stocks/{stock_id}/pause"), Do: f.move("paused", "running")},
		{Operation: gate.Documented("POST", base+"stocks/{stock_id}/restart"), Do: f.move("running", "paused")},
		{Operation: gate.Documented("POST", base+"stocks/{stock_id}/stop"), Do: f.move("stoped", "unactivated", "running", "paused")},
		{Operation: gate.Documented("GET", base+"stocks/{stock_id}"), Do: f.queryStock},
		{Operation: gate.Documented("GET", base+"stocks"), Do: f.listStocks},
		{Operation: gate.Documented("POST", base+"users/{openid}/coupons"), Limits: sendLimits, Do: f.send},
		{Operation: gate.Documented("GET", base+"users/{openid}/coupons"), Do: f.listCoupons},
		{Operation: gate.Documented("GET", base+"users/{openid}/coupons/{coupon_id}"), Do: f.queryCoupon},
		{Operation: gate.Documented("POST", base+"callbacks"), Limits: callbackLimits, Do: f.setCallback},
		{Operation: gate.Documented("GET", base+"callbacks"), Do: f.queryCallback},
	}
}
