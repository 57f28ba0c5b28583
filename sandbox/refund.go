package sandbox

import (
	"net/http"
	"time"
)

// refund is one refund that was accepted.
type refund struct {
	course
	created string // the request in canonical JSON
	id      string // refund_id
	number  string // out_refund_no
	amount  int64  // fen
	from    any    // amount.from as it was sent; nil if it was not
	of      *order
}

// refundNumber is the limit of out_refund_no.
var refundNumber = limit{min: 1, max: 64, charset: orderChars + "@"}

// maxRefunds is how many refunds an order can have, and refundPeriod for how long after paying.
const (
	maxRefunds   = 50
	refundPeriod = 365 * 24 * time.Hour
)

// refundOperations are those of refunds.
func refundOperations() []operation {
	return []operation{
		{
			Operation: documented("POST", "/v3/refund/domestic/refunds"),
			limits: map[string]limit{
				"/transaction_id": {max: 32}, "/out_trade_no": {max: 32, charset: orderChars}, "/out_refund_no": refundNumber,
				"/reason": {max: 80}, "/notify_url": {max: 256},
			},
			do: (*call).createRefund,
		},
		{
			Operation: documented("GET", "/v3/refund/domestic/refunds/{out_refund_no}"),
			limits:    map[string]limit{"out_refund_no": refundNumber},
			do:        (*call).queryRefund,
		},
	}
}

// issueNoSub is about sub_mchid: the sandbox's merchant is no service provider.
var issueNoSub = text{"不是该商户的特约商户", "the sandbox's merchant has no sub-merchants"}

func (c *call) createRefund() (any, *refusal) {
	if sub, sent := c.object["sub_mchid"]; sent {
		return nil, memberError("body", "/sub_mchid", sub, issueNoSub)
	}
	amount := c.object["amount"].(map[string]any)
	sum, refused := checkAmount("/amount/refund", amount["refund"])
	if refused != nil {
		return nil, refused
	}
	total, refused := checkAmount("/amount/total", amount["total"])
	if refused != nil {
		return nil, refused
	}
	if refused := checkCurrency(amount["currency"].(string)); refused != nil {
		return nil, refused
	}
	if refused := c.checkNotifyURL(); refused != nil {
		return nil, refused
	}
	transaction, _ := c.object["transaction_id"].(string)
	trade, _ := c.object["out_trade_no"].(string)
	if transaction == "" && trade == "" {
		return nil, memberError("body", "/transaction_id", "", text{"transaction_id与out_trade_no二选一必填", "either transaction_id or out_trade_no is required"})
	}

	number, created := c.object["out_refund_no"].(string), string(marshal(c.object))
	s := &c.state
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.refunds[number]; known != nil {
		if known.created != created {
			return nil, invalidRequest(text{"商户退款单号已存在，且与之前的请求参数不一致", "out_refund_no was used with other parameters"},
				"a refund with this out_refund_no exists, and was requested with other parameters")
		}
		known.settle(c.now)
		return known.tell(), nil
	}
	o := s.transactions[transaction]
	if transaction == "" {
		o = s.orders[trade]
	}
	if o != nil {
		o.at(c.now) // what has closed meanwhile gives its sum back
	}
	switch {
	case o == nil, o.transaction == "", trade != "" && o.members["out_trade_no"] != trade:
		return nil, &refusal{
			status: http.StatusNotFound, code: "RESOURCE_NOT_EXISTS", number: numberUndocumented,
			message: text{"订单不存在或未支付", "the order does not exist or is not paid"}, reason: "no paid order has this transaction_id and out_trade_no",
		}
	case total != o.total:
		return nil, invalidRequest(text{"订单金额与支付时不一致", "amount.total differs from what was paid"}, "amount.total is not the total of the order")
	case sum > o.total-o.refunded:
		return nil, invalidRequest(text{"累计退款金额大于支付金额", "the refunds exceed what was paid"}, "the refunds of the order would together exceed its total")
	case o.refunds >= maxRefunds:
		return nil, invalidRequest(text{"订单退款次数超过限制", "the order has too many refunds"}, "an order has 50 refunds at most")
	case c.now.Sub(o.paidAt) > refundPeriod:
		return nil, invalidRequest(text{"订单已超过退款期限", "the order is too old to refund"}, "refunds are possible within a year of payment")
	}
	fate, refused := s.fateOf(RefundEffect, number)
	if refused != nil {
		return nil, refused
	}
	r := &refund{
		course:  course{state: "PROCESSING", since: c.now, changed: c.now},
		created: created, from: amount["from"], id: s.platformNumber("5030", 29, c.now), number: number, amount: sum, of: o,
	}
	held, gateway, notify := true, c.Sandbox, c.object["notify_url"]
	r.reached = func() {
		if closed := r.state == "CLOSED"; closed == held { // what is closed gives its sum back
			held = !closed
			if closed {
				o.refunds, o.refunded = o.refunds-1, o.refunded-sum
			}
		}
		gateway.announce(notify, "REFUND."+r.state, r.resource(gateway.merchant.ID))
	}
	o.asked, o.refunds, o.refunded = append(o.asked, r), o.refunds+1, o.refunded+sum
	s.refunds[number] = r
	s.enter(RefundEffect, number, sum, c.now, created, r)
	answer := r.tell()
	c.lead(&r.course, fate, c.now)
	return answer, nil
}

func (c *call) queryRefund() (any, *refusal) {
	if sub := c.query.Get("sub_mchid"); sub != "" {
		return nil, memberError("query", "sub_mchid", sub, issueNoSub)
	}
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	found := c.state.refunds[c.path["out_refund_no"]]
	if found == nil || c.faults.hides(c, c.now.Sub(found.course.since)) {
		return nil, &refusal{
			status: http.StatusNotFound, code: "RESOURCE_NOT_EXISTS", number: numberUndocumented,
			message: text{"退款单不存在", "the refund does not exist"}, reason: "no refund was accepted under this out_refund_no",
		}
	}
	found.settle(c.now)
	return found.tell(), nil
}

// tell returns the refund as the request itself and queries tell it.
func (r *refund) tell() map[string]any {
	amount := map[string]any{
		"total": r.of.total, "refund": r.amount, "payer_total": r.of.total, "payer_refund": r.amount,
		"settlement_refund": r.amount, "settlement_total": r.of.total, "discount_refund": 0, "currency": "CNY",
	}
	if r.from != nil {
		amount["from"] = r.from
	}
	answer := map[string]any{
		"refund_id": r.id, "out_refund_no": r.number, "transaction_id": r.of.transaction, "out_trade_no": r.of.members["out_trade_no"],
		"channel": "ORIGINAL", "user_received_account": "支付用户零钱", "create_time": platformTime(r.course.since), "status": r.state,
		"funds_account": "UNSETTLED", "amount": amount,
	}
	if r.state == "SUCCESS" {
		answer["success_time"] = platformTime(r.changed)
	}
	return answer
}

// resource is what the notification of the final state says. It calls the state by another name than the answers do.
func (r *refund) resource(mchid string) map[string]any {
	resource := pickMembers(r.tell(), "out_trade_no", "transaction_id", "out_refund_no", "refund_id", "success_time", "user_received_account")
	resource["mchid"], resource["refund_status"] = mchid, r.state
	resource["amount"] = map[string]any{"total": r.of.total, "refund": r.amount, "payer_total": r.of.total, "payer_refund": r.amount}
	return resource
}
