package order

import (
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/ledger"
	"github.com/wxpay-go/wxpay/sandbox/internal/sample"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// byCode is the trade_type of a payment by code: the merchant scans a code in the user's app.
const byCode = "MICROPAY"

const (
	// passwordAbove is the highest amount in fen without a password:
	// https://pay.weixin.qq.com/wiki/doc/api/wxpay/ch/pay/QuickPay/chapter3_3.shtml.
	passwordAbove = 1000_00
	// reversePeriod is for how long after its creation an order can be reversed:
	// https://pay.weixin.qq.com/doc/v2/merchant/4011937361.
	reversePeriod = 7 * 24 * time.Hour
)

var onlyReversed = &say.Rejection{
	Status: http.StatusBadRequest, Code: "INVALID_REQUEST", Number: say.NumberOnlyReversed,
	Message: say.Both("付款码支付的订单不能关闭，请调用撤销接口", "a payment by code cannot be closed, only reversed"),
	Reason:  "the order is a payment by code",
}

// charge charges the user of a code at once, unless that takes the password, and tells the order.
func (f *Flow) charge(c *gate.Call, o Order) map[string]any {
	switch {
	case o.Asked: // the same request again changes nothing
	case o.Total > passwordAbove:
		o.Asked = true
		f.orders.Put(o.Key(), o)
	default:
		o = f.Charge(o, c.Now)
	}
	return sample.Named(o.tell(), names(c)...)
}

// names returns those of the response of an operation.
func names(c *gate.Call) []string {
	list := make([]string, len(c.Operation.Out))
	for i := range c.Operation.Out {
		list[i] = c.Operation.Out[i].Name
	}
	return list
}

// reverse ends a payment by code, and gives back what was paid. Doing so again is answered the
// same: the platform asks to repeat a reversal whose result is unknown.
func (f *Flow) reverse(c *gate.Call) (any, *say.Rejection) {
	sub, rejected := f.tradeOf(c, "body", "/", c.Field)
	if rejected != nil {
		return nil, rejected
	}
	defer c.Begin().Commit()
	o, known := f.orders.Get(ledger.Key(sub, c.Path["out_trade_no"]))
	switch {
	case !known, o.Combine != "":
		return nil, orderNotExist
	case !o.Reversed.IsZero():
		return sample.Named(o.fields(), names(c)...), nil
	case o.Way != byCode:
		return nil, say.InvalidRequest(say.Both("仅付款码支付的订单可以撤销", "only a payment by code can be reversed"),
			"the order is no payment by code: close it, or refund it")
	case o.Refunds > 0, o.Shares > 0:
		return nil, say.InvalidRequest(say.Both("订单已退款或分账，不能撤销", "the order was refunded or shared"),
			"a part of the payment was refunded or shared: refund the rest")
	case c.Now.Sub(o.Since) > reversePeriod && f.Rules.Holds(gate.Expiry):
		return nil, say.InvalidRequest(say.Both("订单已超过撤销期限", "the order is too old to reverse"),
			"an order can be reversed within 7 days; afterwards, refund it")
	}
	o.Reversed, o.Closed = c.Now, true
	if o.Transaction != "" {
		o.Refunded = o.Total // nothing is left to refund
		f.Ledger.EnterFor(sub, "reversal", o.Number, o.Total, c.Now, "")
	}
	f.orders.Put(o.Key(), o)
	return sample.Named(o.fields(), names(c)...), nil
}
