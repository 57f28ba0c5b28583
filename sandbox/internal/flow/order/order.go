// Package order is basic payment: orders of merchants for themselves and of service providers for
// sub-merchants, and combined orders. Most other flows depend on it.
package order

import (
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/ledger"
	"github.com/wxpay-go/wxpay/sandbox/internal/sample"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Order is one order: what it was created with, and what became of it.
type Order struct {
	Number      string    `json:"number"`                // out_trade_no
	Sub         string    `json:"sub,omitempty"`         // sub_mchid, if a service provider ordered for a sub-merchant
	Combine     string    `json:"combine,omitempty"`     // combine_out_trade_no, if it is a part of a combined order
	Service     string    `json:"service,omitempty"`     // out_order_no of the pay score order that it is the payment of
	Request     string    `json:"request"`               // in canonical JSON, to tell a repetition from another order under the same number
	Added       bool      `json:"added,omitempty"`       // without a request: by AddPaidOrder, or by a pay score order
	Way         string    `json:"way"`                   // trade_type
	Total       int64     `json:"total"`                 // fen
	OpenID      string    `json:"openid"`                // of the user who is to pay, or who paid
	Since       time.Time `json:"since"`                 // of creation
	Prepaid     time.Time `json:"prepaid,omitzero"`      // when it was last created, for the life of what the user pays with
	Links       []string  `json:"links,omitempty"`       // what the user can pay with, the newest last
	Expires     time.Time `json:"expires,omitzero"`      // when it closes unless it is paid
	Failed      bool      `json:"failed,omitempty"`      // the last payment failed, where a query says so
	Closed      bool      `json:"closed,omitempty"`      //
	Asked       bool      `json:"asked,omitempty"`       // the user of a payment by code has to enter the password
	Reversed    time.Time `json:"reversed,omitzero"`     // when a payment by code was reversed
	Transaction string    `json:"transaction,omitempty"` // transaction_id, once paid
	PaidAt      time.Time `json:"paid_at,omitzero"`      //
	Refunds     int       `json:"refunds,omitempty"`     // accepted, without those that are closed
	Refunded    int64     `json:"refunded,omitempty"`    // what they take together, fen
	LastRefund  time.Time `json:"last_refund,omitzero"`  // when the last one was accepted
	Sharing     bool      `json:"sharing,omitempty"`     // settle_info.profit_sharing: it can be shared
	Shared      int64     `json:"shared,omitempty"`      // what receivers got or are to get, fen
	Shares      int       `json:"shares,omitempty"`      // how often it was shared
	Unfrozen    bool      `json:"unfrozen,omitempty"`    // nothing is left to share
}

func (o Order) Key() string { return ledger.Key(o.Sub, o.Number) }

// Due is when the order closes by itself. A part of a combined order closes with that.
func (o Order) Due() time.Time {
	if o.Transaction != "" || o.Closed || o.Failed || o.Combine != "" {
		return time.Time{}
	}
	return o.Expires
}

// States of an order.
const (
	stateNotPaid  = "NOTPAY"
	statePaid     = "SUCCESS"
	stateRefunded = "REFUND"
	stateClosed   = "CLOSED"
	stateFailed   = "PAYERROR"
	stateAsked    = "USERPAYING"
	stateReversed = "REVOKED"
)

var stateText = map[string]string{
	stateNotPaid: "订单未支付", statePaid: "支付成功", stateRefunded: "转入退款", stateClosed: "订单已关闭", stateFailed: "支付失败",
	stateAsked: "用户支付中，需要输入密码", stateReversed: "订单已撤销",
}

// State is trade_state.
func (o Order) State() string {
	switch {
	case !o.Reversed.IsZero():
		return stateReversed
	case o.Refunds > 0:
		return stateRefunded
	case o.Transaction != "":
		return statePaid
	case o.Closed:
		return stateClosed
	case o.Failed:
		return stateFailed
	case o.Asked:
		return stateAsked
	}
	return stateNotPaid
}

// tradeNumber is the limit of out_trade_no.
var tradeNumber = gate.Limit{Min: 6, Max: 32, Charset: gate.OrderChars}

// fields returns those of the request that queries tell.
func (o Order) fields() map[string]any {
	fields := book.ReadObject(o.Request)
	for _, name := range []string{"subsidy_info", "payer", "contract_id"} { // a payer is known only after paying, an identity never
		delete(fields, name)
	}
	if o.Sub == "" { // only a service provider is told
		delete(fields, "settle_info")
	}
	return fields
}

// tell returns the order as a query tells it. Which members an order has before and after payment
// was seen in responses.
func (o Order) tell() map[string]any {
	response := o.fields()
	response["trade_state"], response["trade_state_desc"] = o.State(), stateText[o.State()]
	response["promotion_detail"] = []any{}
	amount := map[string]any{"total": o.Total, "payer_currency": "CNY"}
	response["amount"] = amount
	scene, described := response["scene_info"].(map[string]any)
	device, _ := scene["device_id"].(string)
	if o.Transaction == "" {
		delete(response, "attach")
		response["scene_info"] = map[string]any{"device_id": device}
		return response
	}
	if described {
		response["scene_info"] = map[string]any{"device_id": device}
	}
	if _, sent := response["attach"]; !sent {
		response["attach"] = ""
	}
	response["transaction_id"], response["trade_type"], response["bank_type"] = o.Transaction, o.Way, "OTHERS"
	response["success_time"] = say.Time(o.PaidAt)
	response["payer"] = o.payer()
	amount["currency"], amount["payer_total"] = "CNY", o.Total
	return response
}

// payer is who paid.
func (o Order) payer() map[string]any {
	if o.Sub == "" {
		return map[string]any{"openid": o.OpenID}
	}
	payer := map[string]any{"sp_openid": o.OpenID}
	if sent, ok := book.ReadObject(o.Request)["payer"].(map[string]any); ok && sent["sub_openid"] != nil {
		payer["sub_openid"] = sent["sub_openid"]
	}
	return payer
}

// resource is what the notification of the payment says.
func (o Order) resource() map[string]any {
	resource := sample.Named(o.tell(), "appid", "mchid", "sp_appid", "sp_mchid", "sub_appid", "sub_mchid", "out_trade_no", "transaction_id", "trade_type", "trade_state", "bank_type",
		"attach", "success_time", "payer", "amount", "scene_info")
	resource["trade_state_desc"] = stateText[o.State()]
	return resource
}

var (
	orderNotExist = &say.Rejection{
		Status: http.StatusNotFound, Code: "ORDER_NOT_EXIST", Number: say.NumberOrderMissing,
		Message: say.Both("订单不存在", "the order does not exist"), Reason: "no order was created under this number",
	}
	orderPaid = &say.Rejection{
		Status: http.StatusBadRequest, Code: "ORDER_PAID", Number: say.NumberOrderPaid,
		Message: say.Both("订单已支付", "the order is paid"), Reason: "the order is paid",
	}
	numberUsed = &say.Rejection{
		Status: http.StatusForbidden, Code: "OUT_TRADE_NO_USED", Number: say.NumberOrderMismatch,
		Message: say.Both("商户订单号重复", "the number was used for another order"), Reason: "an order with this number exists, and was created with other parameters or in another way",
	}
	orderClosed = say.BadRequest("ORDER_CLOSED", say.Both("订单已关闭", "the order is closed"),
		"the order is closed, its number cannot be used again")
)

// Flow is the orders of one merchant.
type Flow struct {
	*gate.Merchant
	orders       book.Table[Order]    // by key
	combined     book.Table[combined] // by combine_out_trade_no
	transactions book.Table[string]   // key of the order by transaction_id
	appIDs       book.Table[appID]    // that are bound; without any, all are
}

// Get returns the order of a key.
func (f *Flow) Get(key string) (Order, bool) { return f.orders.Get(key) }

// Put sets an order.
func (f *Flow) Put(o Order) { f.orders.Put(o.Key(), o) }

// Paid returns the order of a transaction_id.
func (f *Flow) Paid(transaction string) (Order, bool) {
	key, _ := f.transactions.Get(transaction)
	return f.orders.Get(key)
}

// All yields all orders with their keys. The book must be begun.
func (f *Flow) All() iter.Seq2[string, Order] { return f.orders.Rows() }

// Whole returns the request by which an order was made, which is that of the combined order for a
// part of one.
func (f *Flow) Whole(o Order) map[string]any {
	if m, combined := f.combined.Get(o.Combine); combined {
		return book.ReadObject(m.Request)
	}
	return book.ReadObject(o.Request)
}

// combined is a combined order: several orders that the user pays at once.
type combined struct {
	Number  string    `json:"number"`  // combine_out_trade_no
	Request string    `json:"request"` // in canonical JSON
	Way     string    `json:"way"`     // trade_type
	Parts   []string  `json:"parts"`   // keys of the orders
	OpenID  string    `json:"openid"`
	Since   time.Time `json:"since"`
	Prepaid time.Time `json:"prepaid"`
	Links   []string  `json:"links,omitempty"`
	Expires time.Time `json:"expires,omitzero"`
	Closed  bool      `json:"closed,omitempty"`
	Paid    string    `json:"paid,omitempty"` // combine_transaction_id
}

func (m combined) Due() time.Time {
	if m.Paid != "" || m.Closed {
		return time.Time{}
	}
	return m.Expires
}

// appID is one that is bound to the merchant.
type appID struct {
	Since time.Time `json:"since"`
}

// CheckAppID rejects an appid that is not bound. The book must be begun.
func (f *Flow) CheckAppID(id string) *say.Rejection {
	if _, known := f.appIDs.Get(id); known || f.appIDs.Len() == 0 {
		return nil
	}
	return &say.Rejection{
		Status: http.StatusBadRequest, Code: "APPID_MCHID_NOT_MATCH", Number: say.NumberAppID,
		Message: say.Both("appid和mch_id不匹配，请检查后再试", "the appid is not bound to the merchant"), Reason: "other appids are bound to the merchant; BindAppID binds this one",
	}
}

// Charge makes the order paid and tells nobody.
func (f *Flow) Charge(o Order, now time.Time) Order {
	o.Transaction, o.PaidAt, o.Failed = f.Number("4200001234", 28, now), now, false
	f.orders.Put(o.Key(), o)
	f.transactions.Put(o.Transaction, o.Key())
	f.Ledger.EnterFor(o.Sub, "payment", o.Number, o.Total, now, "")
	return o
}

// partnerOrders begins the paths of a service provider's orders.
const partnerOrders = "/v3/pay/partner/transactions/"

// ways are the trade_type by the last segment of the path.
var ways = map[string]string{"jsapi": "JSAPI", "app": "APP", "h5": "MWEB", "native": "NATIVE"}

// Lives of an order and of what its user pays with. time_expire may be 7 days ahead for Native and
// 15 for the others: pages disagree on that.
const (
	orderLife      = 7 * 24 * time.Hour
	orderLifeLong  = 15 * 24 * time.Hour
	orderLifeShort = time.Minute
	prepayLife     = 2 * time.Hour
	h5Life         = 5 * time.Minute
)

// timeExpire reads time_expire, or says when the order closes without it.
func (f *Flow) timeExpire(c *gate.Call, way string) (time.Time, *say.Rejection) {
	sent, ok := c.Object["time_expire"].(string)
	if !ok || sent == "" {
		return c.Now.Add(orderLife), nil
	}
	at, err := time.Parse(time.RFC3339, sent)
	longest := orderLifeLong
	if way == "NATIVE" {
		longest = orderLife
	}
	switch {
	case err != nil:
		return at, say.FieldError("body", "/time_expire", sent, say.Unfitting("不是RFC 3339格式的时间", "it is not a time in the form of RFC 3339"))
	case !f.Rules.Holds(gate.Expiry):
	case at.Before(c.Now.Add(orderLifeShort)):
		return at, say.FieldError("body", "/time_expire", sent, say.Unfitting("订单失效时间应至少晚于当前时间1分钟", "it must be a minute ahead at least, and it is "+say.Time(c.Now)))
	case at.After(c.Now.Add(longest)):
		return at, say.FieldError("body", "/time_expire", sent, say.Unfitting("订单失效时间过晚", "it must be "+longest.String()+" ahead at most"))
	}
	return at, nil
}

// prepaid is what the user pays with.
func prepaid(way string, now time.Time) map[string]any {
	prepay := "wx" + now.In(say.Beijing).Format("20060102150405") + strings.ToLower(say.Hex(20))
	switch way {
	case "NATIVE":
		return map[string]any{"code_url": "weixin://wxpay/bizpayurl?pr=" + rand.Text()[:9] + "zz"}
	case "MWEB":
		return map[string]any{"h5_url": "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=" + prepay + "&package=" + strconv.Itoa(int(now.Unix()))}
	}
	return map[string]any{"prepay_id": prepay}
}

func expiredPrepay(number string, life time.Duration) error {
	return fmt.Errorf("what the order %q is paid with has expired after %v: the merchant has to create it again, with the same parameters", number, life)
}

// payerOf says who pays.
func payerOf(way, expected, openID string) (string, error) {
	switch {
	case openID == "" || openID == expected:
		return expected, nil
	case way == "JSAPI":
		return "", errors.New("the order is for another user: a JSAPI order names its payer")
	}
	return openID, nil
}

// tradeOf checks for whom an order is, and returns sub_mchid, which is empty without a service
// provider. get reads a field by its name.
func (f *Flow) tradeOf(c *gate.Call, location, slash string, get func(string) string) (sub string, rejected *say.Rejection) {
	if !strings.HasPrefix(c.Operation.Path, partnerOrders) {
		return "", c.CheckMerchant(location, slash+"mchid", get("mchid"))
	}
	if rejected := c.CheckMerchant(location, slash+"sp_mchid", get("sp_mchid")); rejected != nil {
		return "", rejected
	}
	sub = get("sub_mchid")
	return sub, c.CheckRelation(sub)
}

// expire closes an order whose time is over.
func (f *Flow) expire(key string, o Order, _ time.Time) {
	o.Expires, o.Closed = time.Time{}, f.Rules.Holds(gate.Expiry)
	f.orders.Put(key, o)
}
