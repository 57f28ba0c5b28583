// Package refund is refunds of orders.
package refund

import (
	"iter"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/ledger"
	"github.com/wxpay-go/wxpay/sandbox/internal/sample"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Refund is one refund that was accepted.
type Refund struct {
	ledger.Course
	Request     string `json:"request"`            // in canonical JSON
	ID          string `json:"id"`                 // refund_id
	Number      string `json:"number"`             // out_refund_no
	Sub         string `json:"sub,omitempty"`      // sub_mchid, if a service provider asked for it
	Amount      int64  `json:"amount"`             // fen
	Trade       string `json:"trade"`              // out_trade_no of the order
	Transaction string `json:"transaction"`        // transaction_id of the order
	Total       int64  `json:"total"`              // of the order, fen
	Repaired    bool   `json:"repaired,omitempty"` // it was abnormal, and is sent another way
}

func (r Refund) key() string { return ledger.Key(r.Sub, r.Number) }

// Tell returns the refund as the request itself and queries tell it.
func (r Refund) Tell() map[string]any {
	amount := map[string]any{
		"total": r.Total, "refund": r.Amount, "payer_total": r.Total, "payer_refund": r.Amount,
		"settlement_refund": r.Amount, "settlement_total": r.Total, "discount_refund": 0, "currency": "CNY",
	}
	amount["from"] = []any{}
	if sent, ok := book.ReadObject(r.Request)["amount"].(map[string]any); ok && sent["from"] != nil {
		amount["from"] = sent["from"]
	}
	response := map[string]any{
		"refund_id": r.ID, "out_refund_no": r.Number, "transaction_id": r.Transaction, "out_trade_no": r.Trade,
		"channel": "ORIGINAL", "user_received_account": "支付用户零钱", "create_time": say.Time(r.Since), "status": r.State,
		"funds_account": "UNSETTLED", "amount": amount, "promotion_detail": []any{},
	}
	if r.State == "SUCCESS" {
		response["success_time"] = say.Time(r.Changed)
	}
	return response
}

// resource is what the notification of the final state says. It calls the state by another name
// than the responses do.
func (r Refund) resource(mchid string) map[string]any {
	resource := sample.Named(r.Tell(), "out_trade_no", "transaction_id", "out_refund_no", "refund_id", "success_time", "user_received_account")
	resource["refund_status"] = r.State
	if account := book.ReadObject(r.Request)["refund_account"]; account != nil {
		resource["refund_account"] = account
	}
	if r.Sub == "" {
		resource["mchid"] = mchid
	} else {
		resource["sp_mchid"], resource["sub_mchid"] = mchid, r.Sub
	}
	resource["amount"] = map[string]any{"total": r.Total, "refund": r.Amount, "payer_total": r.Total, "payer_refund": r.Amount}
	return resource
}

// Flow is the refunds of one merchant.
type Flow struct {
	*gate.Merchant
	orders  *order.Flow
	refunds book.Table[Refund] // by out_refund_no, as ledger.Key
}

// All yields all refunds with their keys. The book must be begun.
func (f *Flow) All() iter.Seq2[string, Refund] { return f.refunds.Rows() }

var notExist = &say.Rejection{
	Status: http.StatusNotFound, Code: "RESOURCE_NOT_EXISTS", Number: say.NumberUndocumented,
	Message: say.Both("退款单不存在", "the refund does not exist"), Reason: "no refund was accepted under this number",
}

// Number is the limit of out_refund_no.
var Number = gate.Limit{Min: 1, Max: 64, Charset: gate.OrderChars + "@"}

// maxRefunds is how many refunds an order can have, and refundPeriod for how long after paying.
const (
	maxRefunds   = 50
	refundPeriod = 365 * 24 * time.Hour
)

// refundPause is the time between two refunds of an order, and maxFailing how many may fail in a
// second.
const (
	refundPause = time.Minute
	maxFailing  = 6
)

// Accept accepts the refund that a call asks for, or finds it again.
func (f *Flow) Accept(c *gate.Call) (Refund, *say.Rejection) {
	r, rejected := f.accept(c)
	if rejected != nil && f.Rules.Holds(gate.Rates) && !f.Rules.Pass("failing refunds "+c.ID, c.Now, maxFailing) {
		return r, c.TooOften("more than 6 refunds fail in a second; " + gate.RatesOff)
	}
	return r, rejected
}

func (f *Flow) accept(c *gate.Call) (r Refund, rejected *say.Rejection) {
	sub, rejected := c.SubOf(c.Field("sub_mchid"))
	if rejected != nil {
		return r, rejected
	}
	amount := c.Object["amount"].(map[string]any)
	sum, rejected := gate.CheckAmount("/amount/refund", amount["refund"])
	if rejected != nil {
		return r, rejected
	}
	total, rejected := gate.CheckAmount("/amount/total", amount["total"])
	if rejected != nil {
		return r, rejected
	}
	if currency, sent := amount["currency"].(string); sent {
		if rejected := gate.CheckCurrency("/amount/currency", currency); rejected != nil {
			return r, rejected
		}
	}
	if rejected := c.CheckNotifyURL(); rejected != nil {
		return r, rejected
	}
	transaction, _ := c.Object["transaction_id"].(string)
	trade, _ := c.Object["out_trade_no"].(string)
	if transaction == "" && trade == "" {
		return r, say.FieldError("body", "/transaction_id", "", say.Unfitting("transaction_id与out_trade_no二选一必填", "either transaction_id or out_trade_no is required"))
	}

	number, request := c.Object["out_refund_no"].(string), string(say.JSON(c.Object))
	defer c.Begin().Commit()
	if known, ok := f.refunds.Get(ledger.Key(sub, number)); ok {
		if known.Request != request {
			return r, say.InvalidRequest(say.Both("商户退款单号已存在，且与之前的请求参数不一致", "out_refund_no was used with other parameters"),
				"a refund with this out_refund_no exists, and was requested with other parameters")
		}
		return known, nil
	}
	o, _ := f.orders.Get(ledger.Key(sub, trade))
	if transaction != "" {
		o, _ = f.orders.Paid(transaction)
	}
	switch {
	case o.Transaction == "", o.Sub != sub, trade != "" && o.Number != trade:
		return r, say.NotFound("RESOURCE_NOT_EXISTS", say.Both("订单不存在或未支付", "the order does not exist or is not paid"),
			"no paid order has this transaction_id and out_trade_no")
	case total != o.Total:
		return r, say.InvalidRequest(say.Both("订单金额与支付时不一致", "amount.total differs from what was paid"), "amount.total is not the total of the order")
	case !o.Reversed.IsZero():
		return r, say.InvalidRequest(say.Both("订单已撤销", "the order was reversed"), "the payment was reversed, so the user has all of it back")
	case sum > o.Total-o.Refunded:
		return r, say.InvalidRequest(say.Both("累计退款金额大于支付金额", "the refunds exceed what was paid"), "the refunds of the order would together exceed its total")
	case o.Refunds >= maxRefunds:
		return r, say.InvalidRequest(say.Both("订单退款次数超过限制", "the order has too many refunds"), "an order has 50 refunds at most")
	case c.Now.Sub(o.LastRefund) < refundPause && f.Rules.Holds(gate.RefundPace):
		return r, c.TooOften("two refunds of an order are a minute apart at least, and the last one was at " + say.Time(o.LastRefund))
	case c.Now.Sub(o.PaidAt) > refundPeriod:
		return r, say.InvalidRequest(say.Both("订单已超过退款期限", "the order is too old to refund"), "refunds are possible within a year of payment")
	}
	ending, rejected := f.Ledger.EndingOf("refund", number)
	if rejected != nil {
		return r, rejected
	}
	r = Refund{
		Course:  ledger.Begin("PROCESSING", c.Now),
		Request: request, ID: f.Number("5030", 29, c.Now), Number: number, Sub: sub, Amount: sum, Trade: o.Number, Transaction: o.Transaction, Total: o.Total,
	}
	r.Lead(ending, c.Now)
	o.Refunds, o.Refunded, o.LastRefund = o.Refunds+1, o.Refunded+sum, c.Now
	f.orders.Put(o)
	f.refunds.Put(r.key(), r)
	f.Ledger.EnterFor(sub, "refund", number, sum, c.Now, request)
	return r, nil
}

// reach lets a refund take a final state on.
func (f *Flow) reach(key string, r Refund, final string, now time.Time) {
	was, is := r.State == "CLOSED", final == "CLOSED"
	r.Become(final, now)
	f.refunds.Put(key, r)
	if o, known := f.orders.Get(ledger.Key(r.Sub, r.Trade)); known && is && !was { // what is closed gives its sum back
		o.Refunds, o.Refunded = o.Refunds-1, o.Refunded-r.Amount
		f.orders.Put(o)
	}
	notify, _ := book.ReadObject(r.Request)["notify_url"].(string)
	f.Post.Announce(notify, "REFUND."+final, r.resource(f.ID))
}

// Find finds the refund with the out_refund_no of a query, or with its refund_id.
func (f *Flow) Find(c *gate.Call) (found Refund, rejected *say.Rejection) {
	sub, rejected := c.SubOf(c.Query.Get("sub_mchid"))
	if rejected != nil {
		return found, rejected
	}
	defer c.Begin().Commit()
	if id := c.Path["refund_id"]; id != "" {
		for _, r := range f.refunds.Rows() {
			if r.ID == id && r.Sub == sub {
				found = r
			}
		}
	} else {
		found, _ = f.refunds.Get(ledger.Key(sub, c.Path["out_refund_no"]))
	}
	if found.ID == "" || c.Hides(found.Since) {
		return found, notExist
	}
	return found, nil
}

// Repair sends an abnormal refund another way: to a bank card of the user, or to the
// merchant, who then pays the user.
func (f *Flow) Repair(c *gate.Call) (r Refund, rejected *say.Rejection) {
	sub, rejected := c.SubOf(c.Field("sub_mchid"))
	if rejected != nil {
		return r, rejected
	}
	if c.Field("type") == "USER_BANK_CARD" {
		for _, name := range []string{"bank_type", "bank_account", "real_name"} {
			if c.Field(name) == "" {
				return r, say.FieldError("body", "/"+name, "", say.IssueRequired)
			}
		}
	} else if c.Field("type") != "MERCHANT_BANK_CARD" {
		return r, say.FieldError("body", "/type", c.Object["type"], say.Unfitting("应为USER_BANK_CARD或MERCHANT_BANK_CARD", "it must be USER_BANK_CARD or MERCHANT_BANK_CARD"))
	}
	defer c.Begin().Commit()
	r, known := f.refunds.Get(ledger.Key(sub, c.Field("out_refund_no")))
	switch {
	case !known, r.ID != c.Path["refund_id"]:
		return r, notExist
	case r.State == "PROCESSING" && r.Repaired:
		return r, nil
	case r.State != "ABNORMAL":
		return r, say.InvalidRequest(say.Both("退款单状态不是异常退款", "the refund is not abnormal"), "the refund is "+r.State)
	}
	ending, rejected := f.Ledger.EndingOf("refund", r.Number)
	if rejected != nil {
		return r, rejected
	}
	r.Become("PROCESSING", c.Now)
	r.Repaired = true
	r.Lead(ending, c.Now)
	f.refunds.Put(r.key(), r)
	return r, nil
}
