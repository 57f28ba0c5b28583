package member

import (
	"encoding/json"

	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// createFeed shows a feed in the card of a user who holds it. No documented query tells of it.
func (f *Flow) createFeed(c *gate.Call) (any, *say.Rejection) {
	told := c.OfBrand()
	number, params := c.OwnNumber(), string(say.JSON(told))
	defer c.Begin().Commit()
	known, again := f.feeds.Get(number)
	switch {
	case again && f.repeated == Duplicate:
	case again && f.repeated == Same && known.Request == params:
		return told, nil
	case again:
		return nil, requestNumberUsed
	}
	if _, rejected := f.holder(c); rejected != nil && !f.lenient {
		return nil, rejected
	}
	f.feeds.Put(number, feed{Request: params})
	f.Ledger.Enter("feed", c.Object["out_request_no"].(string), 0, c.Now, params)
	return told, nil
}

// syncPoints sets the balance of a user's points, which is absolute (documentation
// v3/partner/4015897280). A late or repeated request overwrites a newer balance.
func (f *Flow) syncPoints(c *gate.Call) (any, *say.Rejection) {
	number, request := c.OwnNumber(), string(say.JSON(c.Object))
	balance, err := c.Object["point_balance"].(json.Number).Int64()
	if err != nil || balance < 0 {
		r := say.FieldError("body", "/point_balance", c.Object["point_balance"], say.IssueLeast(0))
		r.Number = say.NumberRange
		return nil, r
	}
	defer c.Begin().Commit()
	if known, again := f.syncs.Get(number); again && known.Request != request {
		return nil, requestNumberUsed
	}
	u, rejected := f.holder(c)
	switch {
	case rejected == nil:
		u.Points, u.AskedFor, u.Changed = balance, false, c.Now
		f.keep(u)
	case !f.lenient:
		return nil, rejected
	}
	f.syncs.Put(number, pointSync{request})
	return c.Tell(c.OfBrand()), nil
}

// confirmExchange takes the result of an exchange (documentation v3/partner/4015897268). A
// repetition gets the same response.
func (f *Flow) confirmExchange(c *gate.Call) (any, *say.Rejection) {
	request := string(say.JSON(c.Object))
	defer c.Begin().Commit()
	e, known := f.exchanges.Get(c.Object["record_id"].(string))
	if !known || e.BrandID != c.BrandID() {
		return nil, say.NotFound("RESOURCE_NOT_EXISTS", say.Both("积分兑券记录不存在", "the exchange does not exist"),
			"no user exchanged points under this record_id")
	}
	for name, value := range map[string]string{
		"card_id": e.CardID, "openid": e.OpenID, "user_card_code": e.Code, "exchange_coupon_template_id": e.TemplateID,
	} {
		if c.Object[name] != value {
			return nil, say.FieldError("body", "/"+name, c.Object[name], say.Unfitting("与积分兑券记录不一致", "it differs from the exchange"))
		}
	}
	// Newer documentation and older libraries call the two fields and their values differently.
	result, told := c.Object["result"], "result"
	if result == nil {
		result, told = c.Object["state"], "state"
	}
	granted := result == "POINT_EXCHANGE_COUPON_SUCCESS" || result == "POINT_EXCHANGE_COUPON_ALLOW"
	response := c.OfBrand()
	response["state"] = result
	switch {
	case e.Request == request:
		return c.Tell(response), nil
	case e.Request != "":
		return nil, say.InvalidRequest(say.Both("积分兑券结果已同步", "the result of the exchange was told before"),
			"the result of the exchange was told before, and was another")
	case granted && c.Object["coupon_code"] == nil && !say.IsBrand(c.Target): // no page of brands has it
		return nil, say.FieldError("body", "/coupon_code", "", say.IssueRequired)
	case granted:
		e.CouponCode, _ = c.Object["coupon_code"].(string)
	case result == "POINT_EXCHANGE_COUPON_FAIL" || result == "POINT_EXCHANGE_COUPON_REJECT":
		for _, name := range []string{"reject_reason", "fail_reason"} {
			if reason, ok := c.Object[name].(string); ok {
				e.FailReason = reason
			}
		}
	default:
		return nil, say.FieldError("body", "/"+told, result, say.IssueConstant)
	}
	e.State, e.Request = result.(string), request
	f.exchanges.Put(e.RecordID, e)
	return c.Tell(response), nil
}
