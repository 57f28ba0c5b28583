package ecommerce

import (
	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/share"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/sample"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Limits of the fields of profit sharing: those of the same fields of other service providers.
var (
	receiverAccount = gate.Limit{Min: 1, Max: 64, Characters: true}
	accountLimits   = map[string]gate.Limit{"/appid": {Min: 1, Max: 32}, "/account": receiverAccount, "/name": {Max: 256}}
	shareLimits     = map[string]gate.Limit{
		"/out_order_no": share.Number, "/transaction_id": {Min: 1, Max: 32}, "/description": {Min: 1, Max: 80},
		"/receivers/receiver_account": receiverAccount, "/receivers/description": {Min: 1, Max: 80}, "/notify_url": {Max: 256},
	}
	returnLimits = map[string]gate.Limit{
		"/out_order_no": {Max: 64}, "/order_id": {Max: 64}, "/out_return_no": share.Number,
		"/return_mchid": {Min: 1, Max: 32}, "/description": {Min: 1, Max: 80}, "/transaction_id": {Max: 32},
	}
	shareQuery  = map[string]gate.Limit{"out_order_no": share.Number}
	returnQuery = map[string]gate.Limit{"out_return_no": share.Number}
)

// form is that of a platform, whose receivers can get a share of every sub-merchant's order:
// https://pay.weixin.qq.com/wiki/doc/apiv3/apis/chapter7_4_7.shtml
var form = share.Form{
	Account: "receiver_account", Finish: "finish", Types: []string{"MERCHANT_ID", "PERSONAL_OPENID"}, Platform: true,
}

// shareOperations are those of profit sharing. They keep the rules and the records of the other
// sharings of a service provider, and tell them in other fields.
func shareOperations(f *share.Flow) []gate.Operation {
	const base = "/v3/ecommerce/profitsharing/"
	accept := func(c *gate.Call) (share.Share, *say.Rejection) { return f.Accept(c, form) }
	return []gate.Operation{
		{Operation: gate.Documented("POST", base+"orders"), Limits: shareLimits, Do: gate.Told(accept, tellShare)},
		{Operation: gate.Documented("GET", base+"orders"), Limits: shareQuery, Do: gate.Told(f.Find, tellShare)},
		{Operation: gate.Documented("GET", base+"orders/{transaction_id}/amounts"), Do: f.TellUnsplit},
		{Operation: gate.Documented("POST", base+"finish-order"), Limits: shareLimits, Do: gate.Told(f.Unfreeze, tellFinished)},
		{Operation: gate.Documented("POST", base+"returnorders"), Limits: returnLimits, Do: gate.Told(f.AcceptReturn, tellReturn)},
		{Operation: gate.Documented("GET", base+"returnorders"), Limits: returnQuery, Do: gate.Told(f.FindReturn, tellReturn)},
		{Operation: gate.Documented("POST", base+"receivers/add"), Limits: accountLimits, Do: addReceiver(f)},
		{Operation: gate.Documented("POST", base+"receivers/delete"), Limits: accountLimits, Do: deleteReceiver(f)},
	}
}

func addReceiver(f *share.Flow) func(*gate.Call) (any, *say.Rejection) {
	return func(c *gate.Call) (any, *say.Rejection) {
		r := share.Receiver{Type: c.Field("type"), Account: c.Field("account"), Name: c.Field("name"), Relation: c.Field("relation_type"), Since: c.Now}
		if rejected := share.CheckType("/type", r.Type, form.Types); rejected != nil {
			return nil, rejected
		}
		if r.Type == "PERSONAL_OPENID" {
			r.Name = c.Field("encrypted_name")
		}
		if rejected := f.Relate(c, "", r); rejected != nil {
			return nil, rejected
		}
		return sample.Named(c.Object, "type", "account"), nil
	}
}

// deleteReceiver ends the relation. One that there is not is answered the same.
func deleteReceiver(f *share.Flow) func(*gate.Call) (any, *say.Rejection) {
	return func(c *gate.Call) (any, *say.Rejection) {
		if rejected := share.CheckType("/type", c.Field("type"), form.Types); rejected != nil {
			return nil, rejected
		}
		f.Part(c, "", c.Field("type"), c.Field("account"))
		return sample.Named(c.Object, "type", "account"), nil
	}
}

// tellShare returns a sharing as the request itself and queries tell it. Money that returns to the
// sub-merchant has no receiver here.
func tellShare(h share.Share) map[string]any {
	told := h.Tell()
	told["status"] = told["state"]
	delete(told, "state")
	var receivers []any
	for i, t := range h.To {
		if t.Rest {
			continue
		}
		r := told["receivers"].([]any)[i].(map[string]any)
		r["receiver_account"] = t.Account
		if t.Type == "MERCHANT_ID" {
			r["receiver_mchid"] = t.Account
		}
		delete(r, "account")
		delete(r, "create_time")
		receivers = append(receivers, r)
	}
	if told["receivers"] = receivers; receivers == nil { // it is the end of the sharing alone
		delete(told, "receivers")
		told["finish_amount"], told["finish_description"] = h.To[0].Amount, book.ReadObject(h.Request)["description"]
	}
	return told
}

// tellFinished returns the end of a sharing as the request itself tells it.
func tellFinished(h share.Share) map[string]any {
	return sample.Named(tellShare(h), "sub_mchid", "transaction_id", "out_order_no", "order_id")
}

// tellReturn returns a return, whose number and whose state FAILED have other names here.
func tellReturn(r share.Return) map[string]any {
	told := r.Tell()
	told["return_no"] = told["return_id"]
	if r.State == "FAILED" {
		told["result"] = "FAIL"
	}
	for _, name := range []string{"return_id", "description", "create_time"} {
		delete(told, name)
	}
	return told
}
