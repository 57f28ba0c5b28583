package transfer

import (
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/ledger"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

func (f *Flow) createTransfer(c *gate.Call) (any, *say.Rejection) {
	amount, rejected := gate.CheckAmount("/transfer_amount", c.Object["transfer_amount"])
	if rejected != nil {
		return nil, rejected
	}
	if rejected := c.CheckNotifyURL(); rejected != nil {
		return nil, rejected
	}
	if rejected := f.checkPayee(c, amount); rejected != nil {
		return nil, rejected
	}
	number, request := c.Object["out_bill_no"].(string), string(say.JSON(c.Object))
	defer c.Begin().Commit()
	if known, ok := f.transfers.Get(number); ok {
		if known.Request != request {
			return nil, say.InvalidRequest(
				say.Both("商户单号已存在，且与之前的请求参数不一致", "out_bill_no was used with other parameters"),
				"a transfer bill with this out_bill_no exists, and was requested with other parameters",
			)
		}
		return known.accepted(), nil
	}
	if rejected := f.orders.CheckAppID(c.Field("appid")); rejected != nil {
		return nil, rejected
	}
	ending, rejected := f.Ledger.EndingOf("transfer", number)
	if rejected != nil {
		return nil, rejected
	}
	t := Transfer{
		Course:  ledger.Begin("WAIT_USER_CONFIRM", c.Now),
		Request: request, ID: f.Number("13300", 40, c.Now), Number: number, Amount: amount,
		Package: "affffddafdfafddffda" + say.Hex(64) + "==",
	}
	t.Lead(ending, c.Now)
	f.transfers.Put(number, t)
	f.bills.Put(t.ID, number)
	f.Ledger.Enter("transfer", number, amount, c.Now, request)
	return t.accepted(), nil
}

// Bounds of transfer_amount between which user_name is optional, fen.
const (
	nameFrom   = 30      // a lower amount must not name the user
	nameNeeded = 200_000 // this amount and higher ones must
)

// checkPayee rejects a transfer that lacks user_name, and one that must not have it.
func (f *Flow) checkPayee(c *gate.Call, amount int64) *say.Rejection {
	name := c.Field("user_name")
	switch {
	case !f.Rules.Holds(gate.Names):
	case amount >= nameNeeded && name == "":
		return say.FieldError("body", "/user_name", "",
			say.Unfitting("转账金额大于等于2000元时，收款用户姓名必填", "transfers of 2,000 yuan and more need the name of the user"))
	case amount < nameFrom && name != "":
		return say.FieldError("body", "/user_name", "",
			say.Unfitting("转账金额小于0.3元时，不支持填写收款用户姓名", "transfers below 0.30 yuan must not name the user"))
	}
	return nil
}

// reach lets a transfer bill take a final state on.
func (f *Flow) reach(number string, t Transfer, final string, now time.Time) {
	t.Become(final, now)
	f.transfers.Put(number, t)
	notify, _ := book.ReadObject(t.Request)["notify_url"].(string)
	f.Post.Announce(notify, "MCHTRANSFER.BILL.FINISHED", t.resource(f.ID))
}

func (f *Flow) queryTransfer(c *gate.Call) (any, *say.Rejection) {
	return f.showTransfer(c, c.Path["out_bill_no"])
}

func (f *Flow) queryBill(c *gate.Call) (any, *say.Rejection) {
	return f.showTransfer(c, f.numberOfBill(c, c.Path["transfer_bill_no"]))
}

// lookBack is the age up to which a query finds a transfer bill. cancelDelay is the time that a
// cancellation takes.
const (
	lookBack    = 30 * 24 * time.Hour
	cancelDelay = time.Second
)

func (f *Flow) showTransfer(c *gate.Call, number string) (any, *say.Rejection) {
	defer c.Begin().Commit()
	found, known := f.transfers.Get(number)
	if !known || c.Hides(found.Since) || c.Now.Sub(found.Since) > lookBack && f.Rules.Holds(gate.LookBack) {
		return nil, transferNotFound
	}
	response := found.withReason(map[string]any{
		"mch_id": c.ID, "out_bill_no": found.Number, "transfer_bill_no": found.ID, "state": found.State, "transfer_amount": found.Amount,
		"create_time": say.Time(found.Since), "update_time": say.Time(found.Changed),
	})
	request := book.ReadObject(found.Request)
	for _, name := range []string{"appid", "transfer_remark", "openid"} {
		response[name] = request[name]
	}
	if name, ok := request["user_name"].(string); ok && name != "" {
		response["user_name"] = f.Encrypt(name)
	}
	return response, nil
}

func (f *Flow) cancelTransfer(c *gate.Call) (any, *say.Rejection) {
	defer c.Begin().Commit()
	t, known := f.transfers.Get(c.Path["out_bill_no"])
	if !known {
		return nil, transferNotFound
	}
	switch t.State {
	case "SUCCESS", "FAIL":
		return nil, say.InvalidRequest(
			say.Both("单据已是终态，不可撤销", "the bill has reached a final state and cannot be cancelled"),
			"the transfer bill has ended as "+t.State,
		)
	case "CANCELING", "CANCELLED":
		return t.cancelled(), nil
	}
	t.Become("CANCELING", c.Now)
	ending := ledger.Ending{State: "CANCELLED"}
	if f.Rules.Holds(gate.AsyncCancel) {
		ending.After = cancelDelay
	}
	t.Lead(ending, c.Now)
	f.transfers.Put(t.Number, t)
	return t.cancelled(), nil
}
