package share

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/ledger"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// unsplit is what can still be shared.
func unsplit(o order.Order) int64 {
	if !o.Sharing || o.Unfrozen {
		return 0
	}
	return max(0, o.Total-o.Refunded-o.Shared)
}

// shareable finds the order of a transaction, and rejects one that cannot be shared now.
func (f *Flow) shareable(c *gate.Call, sub string) (order.Order, *say.Rejection) {
	o, known := f.orders.Paid(c.Field("transaction_id"))
	switch {
	case !known, o.Sub != sub:
		return o, say.NotFound("RESOURCE_NOT_EXISTS", say.Both("订单不存在", "the order does not exist"),
			"no paid order has this transaction_id")
	case !o.Sharing:
		return o, say.InvalidRequest(say.Both("非分账订单不支持分账", "the order is not one to be shared"), "the order was created without settle_info.profit_sharing")
	case c.Now.Sub(o.PaidAt) < sharePause && f.Rules.Holds(gate.SharePace):
		return o, say.InvalidRequest(say.Both("订单处理中，暂时无法分账，请稍后再试", "the order is being processed and cannot be shared yet"),
			"an order can be shared from a minute after its payment, which was at "+say.Time(o.PaidAt))
	case unsplit(o) == 0:
		return o, notEnough(say.Both("分账金额不足，订单已无待分账金额", "nothing is left to share"), "all was shared, refunded or unfrozen")
	}
	return o, nil
}

// knownShare finds a sharing that was accepted under the number of the request.
func (f *Flow) knownShare(key, request string) (h Share, known bool, rejected *say.Rejection) {
	if h, known = f.shares.Get(key); known && h.Request != request {
		return h, true, say.InvalidRequest(say.Both("商户分账单号已存在，且与之前的请求参数不一致", "out_order_no was used with other parameters"),
			"a sharing with this out_order_no exists, and was requested with other parameters")
	}
	return h, known, nil
}

// Accept accepts the sharing that a call asks for, or finds it again.
func (f *Flow) Accept(c *gate.Call, form Form) (h Share, rejected *say.Rejection) {
	sub, rejected := c.SubOf(c.Field("sub_mchid"))
	if rejected != nil {
		return h, rejected
	}
	if rejected := c.CheckNotifyURL(); rejected != nil {
		return h, rejected
	}
	sent, _ := c.Object["receivers"].([]any)
	if len(sent) < 1 || len(sent) > maxReceivers {
		return h, say.FieldError("body", "/receivers", len(sent), say.Unfitting(fmt.Sprintf("分账接收方应为1至%d个", maxReceivers), fmt.Sprintf("there must be 1 to %d receivers", maxReceivers)))
	}
	var sum int64
	to := make([]To, len(sent))
	for i := range sent {
		place, object := fmt.Sprintf("/receivers/%d", i), sent[i].(map[string]any)
		kind, _ := object["type"].(string)
		t := To{
			Type: cmp.Or(kind, "MERCHANT_ID"), Account: object[form.Account].(string), Description: object["description"].(string), Result: "PENDING",
		}
		if rejected := CheckType(place+"/type", t.Type, form.Types); rejected != nil {
			return h, rejected
		}
		if t.Amount, rejected = gate.CheckAmount(place+"/amount", object["amount"]); rejected != nil {
			return h, rejected
		}
		sum += min(t.Amount, math.MaxInt64-sum) // more than any order is over, whatever else is added
		to[i] = t
	}
	number, request := c.Field("out_order_no"), string(say.JSON(c.Object))
	defer c.Begin().Commit()
	if h, known, rejected := f.knownShare(ledger.Key(sub, number), request); known || rejected != nil {
		return h, rejected
	}
	o, rejected := f.shareable(c, sub)
	switch {
	case rejected != nil:
		return h, rejected
	case sum > unsplit(o):
		return h, notEnough(say.Both("分账金额大于订单剩余待分金额", "the shares exceed what is left"), fmt.Sprintf("%d fen are left to share, %d were asked for", unsplit(o), sum))
	case o.Shares >= maxShares:
		return h, say.Forbidden("RULE_LIMIT", say.Both("订单分账次数超过限制", "the order was shared too often"),
			"an order can be shared 50 times at most")
	}
	h = Share{
		Course:  ledger.Begin("PROCESSING", c.Now),
		Request: request, Number: number, Sub: sub, Transaction: o.Transaction, Order: o.Key(), Owner: form.owner(sub),
	}
	wait := time.Duration(0)
	for i := range to {
		if _, related := f.receivers.Get(receiverKey(h.Owner, to[i].Type, to[i].Account)); !related {
			return h, say.InvalidRequest(say.Both("分账接收方不存在，请先添加分账接收方", "a receiver is not related to the merchant; add it first"), fmt.Sprintf("receiver %d was not added", i))
		}
		ending, rejected := f.Ledger.EndingOf("share", number+"/"+to[i].Account)
		if rejected != nil {
			return h, rejected
		}
		to[i].Next = ending.State
		if wait >= 0 && (ending.After < 0 || ending.After > wait) { // the slowest counts, and one that waits for Settle most of all
			wait = ending.After
		}
	}
	h.ID = f.Number("3008450740", 30, c.Now)
	for i := range to {
		to[i].Detail = f.Number("3601", 29, c.Now)
	}
	o.Shared, o.Shares = o.Shared+sum, o.Shares+1
	if all, _ := c.Object[form.Finish].(bool); all {
		if rest := unsplit(o); rest > 0 {
			to = append(to, f.rest(o, rest, c.Now))
		}
		o.Unfrozen = true
	}
	h.To = to
	h.Lead(ledger.Ending{State: "FINISHED", After: wait}, c.Now)
	f.orders.Put(o)
	f.shares.Put(ledger.Key(sub, number), h)
	f.Ledger.EnterFor(sub, "share", number, sum, c.Now, request)
	return h, nil
}

// rest is what goes back to the merchant.
func (f *Flow) rest(o order.Order, amount int64, now time.Time) To {
	return To{
		Type: "MERCHANT_ID", Account: cmp.Or(o.Sub, f.ID), Description: "解冻给分账方", Amount: amount, Detail: f.Number("3601", 29, now),
		Rest: true, Result: "PENDING", Next: "SUCCESS",
	}
}

// Unfreeze gives what is left of an order back to its merchant.
func (f *Flow) Unfreeze(c *gate.Call) (h Share, rejected *say.Rejection) {
	sub, rejected := c.SubOf(c.Field("sub_mchid"))
	if rejected != nil {
		return h, rejected
	}
	if rejected := c.CheckNotifyURL(); rejected != nil {
		return h, rejected
	}
	number, request := c.Field("out_order_no"), string(say.JSON(c.Object))
	defer c.Begin().Commit()
	if h, known, rejected := f.knownShare(ledger.Key(sub, number), request); known || rejected != nil {
		return h, rejected
	}
	o, rejected := f.shareable(c, sub)
	if rejected != nil {
		return h, rejected
	}
	h = Share{
		Course:  ledger.Begin("PROCESSING", c.Now),
		Request: request, Number: number, Sub: sub, Transaction: o.Transaction, Order: o.Key(), ID: f.Number("3008450740", 30, c.Now),
		To: []To{f.rest(o, unsplit(o), c.Now)},
	}
	h.Lead(ledger.Ending{State: "FINISHED"}, c.Now)
	amount := unsplit(o)
	o.Unfrozen = true
	f.orders.Put(o)
	f.shares.Put(ledger.Key(sub, number), h)
	f.Ledger.EnterFor(sub, "share", number, amount, c.Now, request)
	return h, nil
}

// reachShare ends a sharing. A result that is not empty is that of every receiver, whatever was to
// come.
func (f *Flow) reachShare(key string, h Share, result string, now time.Time) {
	o, known := f.orders.Get(h.Order)
	h.To = slices.Clone(h.To)
	for i := range h.To {
		t := &h.To[i]
		if t.Result != "PENDING" {
			continue
		}
		t.Result, t.Finished = t.Next, now
		if result != "" && !t.Rest {
			t.Result = result
		}
		if _, related := f.receivers.Get(receiverKey(h.Owner, t.Type, t.Account)); !t.Rest && !related {
			t.Result, t.Reason = "CLOSED", "NO_RELATION"
		}
		switch {
		case t.Result == "CLOSED": // its sum can be shared again, or goes to the merchant with the rest
			t.Reason = cmp.Or(t.Reason, "ACCOUNT_ABNORMAL")
			o.Shared -= t.Amount
		case !t.Rest:
			if balance, bounded := f.balances.Get(t.Account); bounded && t.Type == "MERCHANT_ID" {
				f.balances.Put(t.Account, balance+t.Amount)
			}
			f.tellShares("PROFITSHARING.SUCCESS", h.Request, h, *t, t.Amount, t.Description, h.ID, h.Number, now)
		}
	}
	h.Become("FINISHED", now)
	f.shares.Put(key, h)
	if known {
		f.orders.Put(o)
	}
}

// Find finds the sharing that a query names.
func (f *Flow) Find(c *gate.Call) (h Share, rejected *say.Rejection) {
	sub, rejected := c.SubOf(c.Query.Get("sub_mchid"))
	if rejected != nil {
		return h, rejected
	}
	defer c.Begin().Commit()
	h, known := f.shares.Get(ledger.Key(sub, cmp.Or(c.Path["out_order_no"], c.Query.Get("out_order_no"))))
	if !known || h.Transaction != c.Query.Get("transaction_id") || c.Hides(h.Since) {
		return h, shareNotExist
	}
	return h, nil
}

// TellUnsplit tells what is left of an order.
func (f *Flow) TellUnsplit(c *gate.Call) (any, *say.Rejection) {
	defer c.Begin().Commit()
	o, known := f.orders.Paid(c.Path["transaction_id"])
	if !known {
		return nil, shareNotExist
	}
	return map[string]any{"transaction_id": o.Transaction, "unsplit_amount": unsplit(o)}, nil
}
