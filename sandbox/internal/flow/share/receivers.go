package share

import (
	"fmt"
	"slices"

	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/sample"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// receiverTypes are those of accounts that merchants and service providers have for receivers.
var receiverTypes = []string{"MERCHANT_ID", "PERSONAL_OPENID", "PERSONAL_SUB_OPENID"}

// CheckType rejects a receiver who is of none of the types.
func CheckType(place, kind string, types []string) *say.Rejection {
	if slices.Contains(types, kind) {
		return nil
	}
	return say.FieldError("body", place, kind, say.Unfitting(fmt.Sprintf("应为%v之一", types), fmt.Sprintf("it must be one of %v", types)))
}

// Relate adds a receiver of a sub-merchant's shares, or of the caller's for none.
func (f *Flow) Relate(c *gate.Call, sub string, r Receiver) *say.Rejection {
	if r.Type == "MERCHANT_ID" && r.Name == "" {
		return say.FieldError("body", "/name", "", say.Unfitting("分账接收方类型为MERCHANT_ID时，商户全称必填", "a merchant is added with its full name"))
	}
	b := c.Begin()
	f.receivers.Put(receiverKey(sub, r.Type, r.Account), r)
	b.Commit()
	return nil
}

// Part ends the relation. There need not be one.
func (f *Flow) Part(c *gate.Call, sub, kind, account string) {
	b := c.Begin()
	f.receivers.Delete(receiverKey(sub, kind, account))
	b.Commit()
}

func (f *Flow) addReceiver(c *gate.Call) (any, *say.Rejection) {
	sub, rejected := c.SubOf(c.Field("sub_mchid"))
	if rejected != nil {
		return nil, rejected
	}
	r := Receiver{
		Type: c.Field("type"), Account: c.Field("account"), Name: c.Field("name"), Relation: c.Field("relation_type"), Custom: c.Field("custom_relation"), Since: c.Now,
	}
	if rejected := CheckType("/type", r.Type, receiverTypes); rejected != nil {
		return nil, rejected
	}
	if r.Relation == "CUSTOM" && r.Custom == "" {
		return nil, say.FieldError("body", "/custom_relation", "", say.Unfitting("relation_type为CUSTOM时必填", "relation_type CUSTOM needs it"))
	}
	if rejected := f.Relate(c, sub, r); rejected != nil {
		return nil, rejected
	}
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
	if rejected := CheckType("/type", c.Field("type"), receiverTypes); rejected != nil {
		return nil, rejected
	}
	f.Part(c, sub, c.Field("type"), c.Field("account"))
	return sample.Named(c.Object, "sub_mchid", "type", "account"), nil
}
