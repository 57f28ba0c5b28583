package share

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/ledger"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// shareToReturn finds the sharing that a request names by either number.
func (f *Flow) shareToReturn(c *gate.Call, sub string) (key string, h Share, known bool) {
	if number := c.Field("out_order_no"); number != "" {
		key = ledger.Key(sub, number)
		h, known = f.shares.Get(key)
		if id := c.Field("order_id"); id != "" && id != h.ID {
			known = false
		}
		return key, h, known && ofTransaction(c, h)
	}
	for key, h := range f.shares.Rows() {
		if h.ID == c.Field("order_id") && h.Sub == sub {
			return key, h, ofTransaction(c, h)
		}
	}
	return "", h, false
}

// ofTransaction reports whether a sharing is of the order that a request names, if it names one.
func ofTransaction(c *gate.Call, h Share) bool {
	id := c.Field("transaction_id")
	return id == "" || id == h.Transaction
}

// AcceptReturn accepts the return that a call asks for, or finds it again.
func (f *Flow) AcceptReturn(c *gate.Call) (r Return, rejected *say.Rejection) {
	sub, rejected := c.SubOf(c.Field("sub_mchid"))
	if rejected != nil {
		return r, rejected
	}
	amount, rejected := gate.CheckAmount("/amount", c.Object["amount"])
	if rejected != nil {
		return r, rejected
	}
	if c.Field("order_id") == "" && c.Field("out_order_no") == "" {
		return r, say.FieldError("body", "/out_order_no", "", say.Unfitting("order_id与out_order_no二选一必填", "either order_id or out_order_no is required"))
	}
	number, request := c.Field("out_return_no"), string(say.JSON(c.Object))
	defer c.Begin().Commit()
	key, h, known := f.shareToReturn(c, sub)
	r, again := f.returns.Get(ledger.Key(sub, number))
	switch {
	case again && r.Request != request:
		return r, say.InvalidRequest(say.Both("商户回退单号已存在，且与之前的请求参数不一致", "out_return_no was used with other parameters"),
			"a return with this out_return_no exists, and was requested with other parameters")
	case again && r.Taken:
		return r, nil
	case !again && !known:
		return r, shareNotExist
	case !again && c.Now.Sub(h.Since) > returnPeriod:
		return r, say.InvalidRequest(say.Both("分账单已超过回退期限", "the sharing is too old to return"), "returns are possible within 180 days")
	}
	i := -1
	if !again {
		if i = h.receivedBy(c.Field("return_mchid")); i < 0 {
			return r, say.InvalidRequest(say.Both("回退方未参与该笔分账", "the merchant got nothing of this sharing"), "return_mchid is no receiver of this sharing whose share arrived")
		}
		if amount > h.To[i].Amount-h.To[i].Returned {
			return r, notEnough(say.Both("回退金额超过可回退金额", "the return exceeds what the merchant got"), fmt.Sprintf("%d fen can be returned", h.To[i].Amount-h.To[i].Returned))
		}
		r = Return{
			Course:  ledger.Begin("PROCESSING", c.Now),
			Request: request, Number: number, Sub: sub, Share: key, ShareID: h.ID, ShareNumber: h.Number,
			Mchid: c.Field("return_mchid"), Amount: amount, Description: c.Field("description"),
		}
	}
	balance, bounded := f.balances.Get(r.Mchid)
	enough := !bounded || balance >= r.Amount
	if enough {
		ending, rejected := f.Ledger.EndingOf("return", number)
		if rejected != nil {
			return r, rejected
		}
		r.Lead(ending, c.Now)
		r.Taken = true
	}
	if !again {
		r.ID = f.Number("3008450740", 30, c.Now)
		h.To = slices.Clone(h.To)
		h.To[i].Returned += amount
		f.shares.Put(key, h)
		f.Ledger.EnterFor(sub, "return", number, amount, c.Now, request)
	}
	f.returns.Put(ledger.Key(sub, number), r)
	if !enough { // it is kept all the same, and completed by a repetition
		return r, notEnough(say.Both("回退方余额不足", "the balance of the merchant who returns is too low"), "the return stays PROCESSING until it is repeated with enough balance; SetBalance gives it")
	}
	if bounded {
		f.balances.Put(r.Mchid, balance-r.Amount)
	}
	return r, nil
}

func (f *Flow) reachReturn(key string, r Return, final string, now time.Time) {
	r.Become(final, now)
	f.returns.Put(key, r)
	h, _ := f.shares.Get(r.Share)
	i := h.receivedBy(r.Mchid)
	if i < 0 {
		return
	}
	if final == "FAILED" { // the merchant keeps it
		h.To = slices.Clone(h.To)
		h.To[i].Returned -= r.Amount
		f.shares.Put(r.Share, h)
		if balance, bounded := f.balances.Get(r.Mchid); bounded {
			f.balances.Put(r.Mchid, balance+r.Amount)
		}
		return
	}
	f.tellShares("PROFITSHARING.RETURN", r.Request, h, h.To[i], r.Amount, r.Description, r.ID, r.Number, now)
}

// Tell returns the return as the request itself and queries tell it.
func (r Return) Tell() map[string]any {
	response := map[string]any{
		"order_id": r.ShareID, "out_order_no": r.ShareNumber, "out_return_no": r.Number, "return_id": r.ID, "return_mchid": r.Mchid, "amount": r.Amount,
		"description": r.Description, "result": r.State, "create_time": say.Time(r.Since), "finish_time": neverYet,
	}
	if r.State != "PROCESSING" {
		response["finish_time"] = say.Time(r.Changed)
	}
	if r.State == "FAILED" {
		response["fail_reason"] = "ACCOUNT_ABNORMAL"
	}
	if r.Sub != "" {
		response["sub_mchid"] = r.Sub
	}
	return response
}

// FindReturn finds the return that a query names.
func (f *Flow) FindReturn(c *gate.Call) (r Return, rejected *say.Rejection) {
	sub, rejected := c.SubOf(c.Query.Get("sub_mchid"))
	if rejected != nil {
		return r, rejected
	}
	defer c.Begin().Commit()
	r, known := f.returns.Get(ledger.Key(sub, cmp.Or(c.Path["out_return_no"], c.Query.Get("out_return_no"))))
	number, id := c.Query.Get("out_order_no"), c.Query.Get("order_id")
	if number == "" && id == "" {
		return r, say.FieldError("query", "out_order_no", "", say.Unfitting("order_id与out_order_no二选一必填", "either order_id or out_order_no is required"))
	}
	if !known || c.Hides(r.Since) || number != "" && number != r.ShareNumber || id != "" && id != r.ShareID {
		return r, shareNotExist
	}
	return r, nil
}
