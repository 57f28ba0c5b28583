package ecommerce

import (
	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/refund"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/sample"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Limits of the fields of refunds: those that the page of merchants has for them.
var (
	applyLimits = map[string]gate.Limit{
		"/transaction_id": {Max: 32}, "/out_trade_no": {Max: 32, Charset: gate.OrderChars}, "/out_refund_no": refund.Number,
		"/reason": {Max: 80}, "/notify_url": {Max: 256},
	}
	refundQuery  = map[string]gate.Limit{"out_refund_no": refund.Number}
	repairLimits = map[string]gate.Limit{"/out_refund_no": refund.Number}
)

// refundOperations are those of refunds. They keep the rules and the records of the refunds that
// merchants ask for themselves, and tell them in other fields.
func refundOperations(f *refund.Flow) []gate.Operation {
	const base = "/v3/ecommerce/refunds/"
	query := gate.Told(ofSub(f.Find, fromQuery), tellRefund)
	return []gate.Operation{
		{Operation: gate.Documented("POST", base+"apply"), Limits: applyLimits, Do: gate.Told(ofSub(f.Accept, (*gate.Call).Field), tellAccepted)},
		{Operation: gate.Documented("GET", base+"id/{refund_id}"), Do: query},
		{Operation: gate.Documented("GET", base+"out-refund-no/{out_refund_no}"), Limits: refundQuery, Do: query},
		{
			Operation: gate.Documented("POST", base+"{refund_id}/apply-abnormal-refund"), Limits: repairLimits,
			Do: gate.Told(ofSub(f.Repair, (*gate.Call).Field), tellRefund),
		},
	}
}

func fromQuery(c *gate.Call, name string) string { return c.Query.Get(name) }

// ofSub demands the sub-merchant of a refund. A refund of an individual, who is named by
// individual_auth_id, is never found: the sandbox has no orders of individuals.
func ofSub(do func(*gate.Call) (refund.Refund, *say.Rejection), get func(*gate.Call, string) string) func(*gate.Call) (refund.Refund, *say.Rejection) {
	return func(c *gate.Call) (r refund.Refund, rejected *say.Rejection) {
		switch {
		case get(c, "sub_mchid") != "":
			return do(c)
		case get(c, "individual_auth_id") != "":
			return r, say.NotFound("RESOURCE_NOT_EXISTS", say.Both("订单不存在或未支付", "the order does not exist or is not paid"),
				"the sandbox has no orders of individuals, only of sub-merchants")
		case len(c.Object) > 0:
			return r, say.FieldError("body", "/sub_mchid", "", say.IssueRequired)
		}
		return r, say.FieldError("query", "sub_mchid", "", say.IssueRequired)
	}
}

// tellRefund returns a refund as queries tell it. A closed one has another name here, in responses
// alone: notifications say CLOSED.
func tellRefund(r refund.Refund) map[string]any {
	told := r.Tell()
	told["amount"] = sample.Named(told["amount"].(map[string]any), "refund", "from", "payer_refund", "discount_refund", "currency")
	if r.State == "CLOSED" {
		told["status"] = "CLOSE"
	}
	for _, name := range []string{"refund_account", "funds_account"} {
		if sent := book.ReadObject(r.Request)[name]; sent != nil {
			told[name] = sent
		}
	}
	return told
}

// tellAccepted returns a refund as the request itself tells it, which is without its state.
func tellAccepted(r refund.Refund) map[string]any {
	return sample.Named(tellRefund(r), "refund_id", "out_refund_no", "create_time", "amount", "promotion_detail", "refund_account")
}
