package sandbox

import (
	"net/http"
	"time"
)

// refund is one refund that was accepted.
type refund struct {
	course
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

// refundNumber is the limit of out_refund_no.
var refundNumber = limit{min: 1, max: 64, charset: orderChars + "@"}

// maxRefunds is how many refunds an order can have, and refundPeriod for how long after paying.
const (
	maxRefunds   = 50
	refundPeriod = 365 * 24 * time.Hour
)

// refundPause is the time between two refunds of an order, and maxFailing how many may fail in a second.
const (
	refundPause = time.Minute
	maxFailing  = 6
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
			do: func(c *call) (any, *refusal) {
				answer, refused := c.createRefund()
				if refused != nil && c.holds(Rates) && !c.rules.pass("failing refunds "+c.merchant.ID, c.now, maxFailing) {
					return nil, c.tooOften("more than 6 refunds fail in a second; " + ratesOff)
				}
				return answer, refused
			},
		},
		{
			Operation: documented("GET", "/v3/refund/domestic/refunds/{out_refund_no}"),
			limits:    map[string]limit{"out_refund_no": refundNumber},
			do:        (*call).queryRefund,
		},
		{
			Operation: documented("POST", "/v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund"),
			limits:    map[string]limit{"/out_refund_no": refundNumber},
			do:        (*call).repairRefund,
		},
	}
}

// subOf checks the sub-merchant of a request to a path that direct merchants and service providers share. It is empty for a
// direct merchant.
func (c *call) subOf(sub string) (string, *refusal) {
	if sub == "" {
		return "", nil
	}
	return sub, c.checkRelation(sub)
}

func (c *call) createRefund() (any, *refusal) {
	sub, refused := c.subOf(c.member("sub_mchid"))
	if refused != nil {
		return nil, refused
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
	if known, ok := s.refunds.get(orderKey(sub, number)); ok {
		if known.Request != request {
			return nil, invalidRequest(text{"商户退款单号已存在，且与之前的请求参数不一致", "out_refund_no was used with other parameters"},
				"a refund with this out_refund_no exists, and was requested with other parameters")
		}
		return known.tell(), nil
	}
	paid := orderKey(sub, trade)
	if transaction != "" {
		paid, _ = s.transactions.get(transaction)
	}
	o, _ := s.orders.get(paid)
	switch {
	case o.Transaction == "", o.Sub != sub, trade != "" && o.Number != trade:
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
	case c.now.Sub(o.LastRefund) < refundPause && c.holds(RefundPace):
		return nil, c.tooOften("two refunds of an order are a minute apart at least, and the last one was at " + platformTime(o.LastRefund))
	case c.now.Sub(o.PaidAt) > refundPeriod:
		return nil, invalidRequest(text{"订单已超过退款期限", "the order is too old to refund"}, "refunds are possible within a year of payment")
	}
	fate, refused := s.fateOf(RefundEffect, number)
	if refused != nil {
		return nil, refused
	}
	r := refund{
		course:  course{State: "PROCESSING", Since: c.now, Changed: c.now},
		Request: request, ID: s.platformNumber("5030", 29, c.now), Number: number, Sub: sub, Amount: sum, Trade: o.Number, Transaction: o.Transaction, Total: o.Total,
	}
	r.lead(fate, c.now)
	o.Refunds, o.Refunded, o.LastRefund = o.Refunds+1, o.Refunded+sum, c.now
	s.orders.put(o.key(), o)
	s.refunds.put(r.key(), r)
	s.enterFor(sub, RefundEffect, number, sum, c.now, request)
	return r.tell(), nil
}

func (r refund) key() string { return orderKey(r.Sub, r.Number) }

// ripenRefund lets a refund reach what is to come.
func (s *state) ripenRefund(key string, r refund, at time.Time) {
	s.reachRefund(key, r, r.Next, at)
}

// reachRefund lets a refund take a final state on.
func (s *state) reachRefund(key string, r refund, final string, now time.Time) {
	was, is := r.State == "CLOSED", final == "CLOSED"
	r.become(final, now)
	s.refunds.put(key, r)
	if o, known := s.orders.get(orderKey(r.Sub, r.Trade)); known && is && !was { // what is closed gives its sum back
		o.Refunds, o.Refunded = o.Refunds-1, o.Refunded-r.Amount
		s.orders.put(o.key(), o)
	}
	notify, _ := readRequest(r.Request)["notify_url"].(string)
	s.announce(notify, "REFUND."+final, r.resource(s.merchant))
}

var refundNotExist = &refusal{
	status: http.StatusNotFound, code: "RESOURCE_NOT_EXISTS", number: numberUndocumented,
	message: text{"退款单不存在", "the refund does not exist"}, reason: "no refund was accepted under this number",
}

func (c *call) queryRefund() (any, *refusal) {
	sub, refused := c.subOf(c.query.Get("sub_mchid"))
	if refused != nil {
		return nil, refused
	}
	s := c.begin()
	defer s.commit()
	found, known := s.refunds.get(orderKey(sub, c.path["out_refund_no"]))
	if !known || c.hides(found.Since) {
		return nil, refundNotExist
	}
	return found.tell(), nil
}

// repairRefund sends an abnormal refund another way: to a bank card of the user, or to the merchant, who then pays the user.
func (c *call) repairRefund() (any, *refusal) {
	sub, refused := c.subOf(c.member("sub_mchid"))
	if refused != nil {
		return nil, refused
	}
	if c.member("type") == "USER_BANK_CARD" {
		for _, name := range []string{"bank_type", "bank_account", "real_name"} {
			if c.member(name) == "" {
				return nil, memberError("body", "/"+name, "", issueRequired)
			}
		}
	} else if c.member("type") != "MERCHANT_BANK_CARD" {
		return nil, memberError("body", "/type", c.object["type"], text{"应为USER_BANK_CARD或MERCHANT_BANK_CARD", "it must be USER_BANK_CARD or MERCHANT_BANK_CARD"})
	}
	s := c.begin()
	defer s.commit()
	r, known := s.refunds.get(orderKey(sub, c.member("out_refund_no")))
	switch {
	case !known, r.ID != c.path["refund_id"]:
		return nil, refundNotExist
	case r.State == "PROCESSING" && r.Repaired:
		return r.tell(), nil
	case r.State != "ABNORMAL":
		return nil, invalidRequest(text{"退款单状态不是异常退款", "the refund is not abnormal"}, "the refund is "+r.State)
	}
	fate, refused := s.fateOf(RefundEffect, r.Number)
	if refused != nil {
		return nil, refused
	}
	r.become("PROCESSING", c.now)
	r.Repaired = true
	r.lead(fate, c.now)
	s.refunds.put(r.key(), r)
	return r.tell(), nil
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
	resource["refund_status"] = r.State
	if r.Sub == "" {
		resource["mchid"] = mchid
	} else {
		resource["sp_mchid"], resource["sub_mchid"] = mchid, r.Sub
	}
	resource["amount"] = map[string]any{"total": r.Total, "refund": r.Amount, "payer_total": r.Total, "payer_refund": r.Amount}
	return resource
}
