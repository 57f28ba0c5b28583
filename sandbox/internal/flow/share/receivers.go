package share

import (
	"fmt"
	"slices"

	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/sample"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// receiverTypes are those of accounts.
var receiverTypes = []string{"MERCHANT_ID", "PERSONAL_OPENID", "PERSONAL_SUB_OPENID"}

func checkReceiverType(place, kind string) *say.Rejection {
	if slices.Contains(receiverTypes, kind) {
		return nil
	}
	return say.FieldError("body", place, kind, say.Unfitting(fmt.Sprintf("应为%v之一", receiverTypes), fmt.Sprintf("it must be one of %v", receiverTypes)))
}

func (f *Flow) addReceiver(c *gate.Call) (any, *say.Rejection) {
	sub, rejected := c.SubOf(c.Field("sub_mchid"))
	if rejected != nil {
		return nil, rejected
	}
	r := receiver{
		Type: c.Field("type"), Account: c.Field("account"), Name: c.Field("name"), Relation: c.Field("relation_type"), Custom: c.Field("custom_relation"), Since: c.Now,
	}
	if rejected := checkReceiverType("/type", r.Type); rejected != nil {
		return nil, rejected
	}
	switch {
	case r.Type == "MERCHANT_ID" && r.Name == "":
		return nil, say.FieldError("body", "/name", "", say.Unfitting("分账接收方类型为MERCHANT_ID时，商户全称必填", "a merchant is added with its full name"))
	case r.Relation == "CUSTOM" && r.Custom == "":
		return nil, say.FieldError("body", "/custom_relation", "", say.Unfitting("relation_type为CUSTOM时必填", "relation_type CUSTOM needs it"))
	}
	b := c.Begin()
	f.receivers.Put(receiverKey(sub, r.Type, r.Account), r)
	b.Commit()
	response := sample.Named(c.Object, "sub_mchid", "type", "account", "relation_type", "custom_relation")
	if r.Name != "" {
		response["name"] = f.Encrypt(r.Name)
	}
	return response, nil
}

// deleteReceiver ends the relation. One that there is not is answered the same.
func (f *Flow) deleteReceiver(c *gate.Call) (any, *say.Rejection) {
	sub, rejected := c.SubOf(c.Field("sub_mchid"))
	if rejected != nil {
		return nil, rejected
	}
	if rejected := checkReceiverType("/type", c.Field("type")); rejected != nil {
		return nil, rejected
	}
	b := c.Begin()
	f.receivers.Delete(receiverKey(sub, c.Field("type"), c.Field("account")))
	b.Commit()
	return sample.Named(c.Object, "sub_mchid", "type", "account"), nil
}
