package sandbox

import (
	"net/http"
	"time"
)

// refund is one refund that was accepted.
type refund struct {
	course
	Request     string `json:"request"`     // in canonical JSON
	ID          string `json:"id"`          // refund_id
	Number      string `json:"number"`      // out_refund_no
	Amount      int64  `json:"amount"`      // fen
	Trade       string `json:"trade"`       // out_trade_no of the order
	Transaction string `json:"transaction"` // transaction_id of the order
	Total       int64  `json:"total"`       // of the order, fen
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

	number, request := c.object["out_refund_no"].(string), string(marshal(c.object))
	s := c.begin()
	defer s.commit()
	if known, ok := s.refunds.get(number); ok {
		if known.Request != request {
			return nil, invalidRequest(text{"商户退款单号已存在，且与之前的请求参数不一致", "out_refund_no was used with other parameters"},
				"a refund with this out_refund_no exists, and was requested with other parameters")
		}
		return known.tell(), nil
	}
	paid := trade
	if transaction != "" {
		paid, _ = s.transactions.get(transaction)
	}
	o, _ := s.orders.get(paid)
	switch {
	case o.Transaction == "", trade != "" && o.Number != trade:
		return nil, &refusal{
			status: http.StatusNotFound, code: "RESOURCE_NOT_EXISTS", number: numberUndocumented,
			message: text{"订单不存在或未支付", "the order does not exist or is not paid"}, reason: "no paid order has this transaction_id and out_trade_no",
		}
	case total != o.Total:
		return nil, invalidRequest(text{"订单金额与支付时不一致", "amount.total differs from what was paid"}, "amount.total is not the total of the order")
	case sum > o.Total-o.Refunded:
		return nil, invalidRequest(text{"累计退款金额大于支付金额", "the refunds exceed what was paid"}, "the refunds of the order would together exceed its total")
	case o.Refunds >= maxRefunds:
		return nil, invalidRequest(text{"订单退款次数超过限制", "the order has too many refunds"}, "an order has 50 refunds at most")
	case c.now.Sub(o.PaidAt) > refundPeriod:
		return nil, invalidRequest(text{"订单已超过退款期限", "the order is too old to refund"}, "refunds are possible within a year of payment")
	}
	fate, refused := s.fateOf(RefundEffect, number)
	if refused != nil {
		return nil, refused
	}
	r := refund{
		course:  course{State: "PROCESSING", Since: c.now, Changed: c.now},
		Request: request, ID: s.platformNumber("5030", 29, c.now), Number: number, Amount: sum, Trade: o.Number, Transaction: o.Transaction, Total: o.Total,
	}
	r.lead(fate, c.now)
	o.Refunds, o.Refunded = o.Refunds+1, o.Refunded+sum
	s.orders.put(o.Number, o)
	s.refunds.put(number, r)
	s.enter(RefundEffect, number, sum, c.now, request)
	return r.tell(), nil
}

// ripenRefund lets a refund reach what is to come.
func (s *state) ripenRefund(number string, r refund, at time.Time) {
	s.reachRefund(number, r, r.Next, at)
}

// reachRefund lets a refund take a final state on.
func (s *state) reachRefund(number string, r refund, final string, now time.Time) {
	was, is := r.State == "CLOSED", final == "CLOSED"
	r.become(final, now)
	s.refunds.put(number, r)
	if o, known := s.orders.get(r.Trade); known && is && !was { // what is closed gives its sum back
		o.Refunds, o.Refunded = o.Refunds-1, o.Refunded-r.Amount
		s.orders.put(o.Number, o)
	}
	notify, _ := readRequest(r.Request)["notify_url"].(string)
	s.announce(notify, "REFUND."+final, r.resource(s.merchant))
}

func (c *call) queryRefund() (any, *refusal) {
	if sub := c.query.Get("sub_mchid"); sub != "" {
		return nil, memberError("query", "sub_mchid", sub, issueNoSub)
	}
	s := c.begin()
	defer s.commit()
	found, known := s.refunds.get(c.path["out_refund_no"])
	if !known || c.faults.hides(c, c.now.Sub(found.Since)) {
		return nil, &refusal{
			status: http.StatusNotFound, code: "RESOURCE_NOT_EXISTS", number: numberUndocumented,
			message: text{"退款单不存在", "the refund does not exist"}, reason: "no refund was accepted under this out_refund_no",
		}
	}
	return found.tell(), nil
}

// tell returns the refund as the request itself and queries tell it.
func (r refund) tell() map[string]any {
	amount := map[string]any{
		"total": r.Total, "refund": r.Amount, "payer_total": r.Total, "payer_refund": r.Amount,
		"settlement_refund": r.Amount, "settlement_total": r.Total, "discount_refund": 0, "currency": "CNY",
	}
	if sent, ok := readRequest(r.Request)["amount"].(map[string]any); ok && sent["from"] != nil {
		amount["from"] = sent["from"]
	}
	answer := map[string]any{
		"refund_id": r.ID, "out_refund_no": r.Number, "transaction_id": r.Transaction, "out_trade_no": r.Trade,
		"channel": "ORIGINAL", "user_received_account": "支付用户零钱", "create_time": platformTime(r.Since), "status": r.State,
		"funds_account": "UNSETTLED", "amount": amount,
	}
	if r.State == "SUCCESS" {
		answer["success_time"] = platformTime(r.Changed)
	}
	return answer
}

// resource is what the notification of the final state says. It calls the state by another name than the answers do.
func (r refund) resource(mchid string) map[string]any {
	resource := pickMembers(r.tell(), "out_trade_no", "transaction_id", "out_refund_no", "refund_id", "success_time", "user_received_account")
	resource["mchid"], resource["refund_status"] = mchid, r.State
	resource["amount"] = map[string]any{"total": r.Total, "refund": r.Amount, "payer_total": r.Total, "payer_refund": r.Amount}
	return resource
}
