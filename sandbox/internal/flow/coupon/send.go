package coupon

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// send gives a user a coupon.
func (f *Flow) send(c *gate.Call) (any, *say.Rejection) {
	p := coupon{
		Request: string(say.JSON(c.Object)), Number: c.Field("out_request_no"), Stock: c.Field("stock_id"),
		OpenID: c.Path["openid"], AppID: c.Field("appid"), State: "SENDED", Since: c.Now,
	}
	defer c.Begin().Commit()
	if rejected := f.orders.CheckAppID(c.Field("appid")); rejected != nil {
		return nil, rejected
	}
	if known, again := f.coupons.Get(p.Number); again {
		if known.Request != p.Request || known.OpenID != p.OpenID {
			return nil, say.InvalidRequest(say.Both("商户单据号已存在，且与之前的请求参数不一致", "out_request_no was used with other parameters"),
				"a coupon with this out_request_no was sent, and was requested with other parameters")
		}
		return map[string]any{"coupon_id": known.ID}, nil
	}
	s, rejected := f.stockOf(p.Stock, c.Field("stock_creator_mchid"))
	if rejected != nil {
		return nil, rejected
	}
	request := book.ReadObject(s.Request)
	rule := objectOf(request, "stock_use_rule")
	p.Face, p.Minimum = cmp.Or(integer(c.Object, "coupon_value"), s.Face), cmp.Or(integer(c.Object, "coupon_minimum"), s.Minimum)
	exceeds := func(name string, sum int64) bool {
		highest := integer(rule, name)
		return highest > 0 && sum > highest
	}
	switch {
	case s.State != "running":
		return nil, say.InvalidRequest(say.Both("批次未激活或已结束", "the stock is not active"), "the stock is "+s.State)
	case request["stock_type"] == "DISCOUNT_CUT":
		return nil, say.InvalidRequest(say.Both("该类型的批次不支持发放", "coupons of this type are not sent"), "a stock of DISCOUNT_CUT has no coupons to send")
	case exceeds("max_coupons", s.Sent+1), exceeds("max_amount", s.Amount+p.Face):
		return nil, say.Forbidden("NOT_ENOUGH", say.Both("批次预算不足", "the budget of the stock is used up"), "max_coupons or max_amount of the stock is reached")
	case exceeds("max_coupons_per_user", f.has(p.OpenID, s.ID)+1):
		return nil, say.Forbidden("REQUEST_BLOCKED", say.Both("用户领券数已达上限", "the user has as many coupons as permitted"), "max_coupons_per_user of the stock is reached")
	}
	p.ID, p.Begin, p.End = f.Number("", 20, c.Now), s.Begin, s.End
	if p.Begin.Before(c.Now) {
		p.Begin = c.Now
	}
	use := objectOf(objectOf(request, "coupon_use_rule"), "coupon_available_time")
	if minutes := integer(use, "available_time_after_receive"); minutes > 0 && minutes < int64(s.End.Sub(c.Now)/time.Minute) {
		p.End = c.Now.Add(time.Duration(minutes) * time.Minute)
	}
	s.Sent, s.Amount = s.Sent+1, s.Amount+p.Face
	f.stocks.Put(s.ID, s)
	f.coupons.Put(p.Number, p)
	f.Ledger.Enter("coupon", p.Number, p.Face, c.Now, p.Request)
	return map[string]any{"coupon_id": p.ID}, nil
}

// has counts what a user got of a stock, used or not.
func (f *Flow) has(openID, stock string) (n int64) {
	for _, p := range f.coupons.Rows() {
		if p.OpenID == openID && p.Stock == stock {
			n++
		}
	}
	return n
}

// tellCoupon returns all that there is to say of a coupon.
func (f *Flow) tellCoupon(p coupon) map[string]any {
	s, _ := f.stocks.Get(p.Stock)
	request := book.ReadObject(s.Request)
	known := describe(request)
	for name, value := range map[string]any{
		"stock_creator_mchid": f.ID, "stock_id": p.Stock, "coupon_id": p.ID, "coupon_name": request["stock_name"], "status": p.State,
		"create_time": say.Time(p.Since), "coupon_type": "NORMAL", "available_begin_time": say.Time(p.Begin), "available_end_time": say.Time(p.End),
		"out_request_no": p.Number,
	} {
		known[name] = value
	}
	if p.Face > 0 {
		known["normal_coupon_information"] = map[string]any{"coupon_amount": p.Face, "transaction_minimum": p.Minimum}
	}
	if p.State == "USED" {
		known["consume_information"] = map[string]any{
			"consume_time": say.Time(p.UsedAt), "consume_mchid": p.UsedBy, "transaction_id": p.Transaction, "consume_amount": p.Amount,
		}
	}
	return known
}

// couponOf finds a coupon by its coupon_id.
func (f *Flow) couponOf(id string) (coupon, bool) {
	for _, p := range f.coupons.Rows() {
		if p.ID == id {
			return p, true
		}
	}
	return coupon{}, false
}

func (f *Flow) queryCoupon(c *gate.Call) (any, *say.Rejection) {
	defer c.Begin().Commit()
	p, known := f.couponOf(c.Path["coupon_id"])
	if !known || p.OpenID != c.Path["openid"] || p.AppID != c.Query.Get("appid") || c.Hides(p.Since) {
		return nil, notExist
	}
	return c.Tell(f.tellCoupon(p)), nil
}

func (f *Flow) listCoupons(c *gate.Call) (any, *say.Rejection) {
	page, limit, rejected := c.AskedPage(20, 0)
	if rejected != nil {
		return nil, rejected
	}
	asked := func(name, value string) bool { return c.Query.Get(name) == "" || c.Query.Get(name) == value }
	defer c.Begin().Commit()
	var found []coupon
	for _, p := range f.coupons.Rows() {
		if p.OpenID != c.Path["openid"] || p.AppID != c.Query.Get("appid") || c.Hides(p.Since) || !asked("stock_id", p.Stock) ||
			!asked("status", p.State) || !asked("creator_mchid", f.ID) || !asked("sender_mchid", f.ID) || !f.usable(p, c.Query.Get("available_mchid")) {
			continue
		}
		found = append(found, p)
	}
	slices.SortFunc(found, func(a, b coupon) int { return cmp.Or(b.Since.Compare(a.Since), strings.Compare(b.ID, a.ID)) })
	list := make([]map[string]any, len(found))
	for i, p := range found {
		list[i] = f.tellCoupon(p)
	}
	return numbered(c, list, page, limit), nil
}

// usable reports whether a coupon can be used with a merchant; an empty one is any.
func (f *Flow) usable(p coupon, merchant string) bool {
	s, _ := f.stocks.Get(p.Stock)
	places := listOf(objectOf(book.ReadObject(s.Request), "coupon_use_rule"), "available_merchants")
	return merchant == "" || len(places) == 0 || slices.Contains(places, any(merchant))
}
