package coupon

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// maxPage is the most stocks of a page.
const maxPage = 10

// tell returns all that there is to say of a stock.
func (f *Flow) tell(s stock) map[string]any {
	known := book.ReadObject(s.Request)
	maps.Copy(known, describe(known))
	rule, use := maps.Clone(objectOf(known, "stock_use_rule")), objectOf(known, "coupon_use_rule")
	if rule == nil {
		rule = make(map[string]any)
	}
	for name, usual := range map[string]any{
		"max_coupons": 0, "max_amount": 0, "max_coupons_per_user": 0, "natural_person_limit": false, "prevent_api_abuse": false,
	} {
		if rule[name] == nil {
			rule[name] = usual
		}
	}
	for _, name := range []string{"fixed_normal_coupon", "goods_tag", "trade_type", "combine_use"} {
		if use[name] != nil {
			rule[name] = use[name]
		}
	}
	known["stock_use_rule"], known["stock_id"], known["stock_creator_mchid"] = rule, s.ID, f.ID
	known["status"], known["distributed_coupons"], known["create_time"] = s.State, s.Sent, say.Time(s.Since)
	known["pause_time"], known["restart_time"] = say.Time(s.Changed), say.Time(s.Changed)
	if !s.Started.IsZero() {
		known["start_time"] = say.Time(s.Started)
	}
	if s.State == "stoped" {
		known["stop_time"] = say.Time(s.Changed)
	}
	return known
}

func (f *Flow) createStock(c *gate.Call) (any, *say.Rejection) {
	s := stock{Request: string(say.JSON(c.Object)), Number: c.Field("out_request_no"), State: "unactivated", Since: c.Now, Changed: c.Now}
	for name, to := range map[string]*time.Time{"available_begin_time": &s.Begin, "available_end_time": &s.End} {
		var err error
		if *to, err = time.Parse(time.RFC3339, c.Field(name)); err != nil {
			return nil, say.FieldError("body", "/"+name, c.Field(name), say.Unfitting("应为rfc3339格式的时间", "it must be a time of RFC 3339"))
		}
	}
	if !s.Begin.Before(s.End) || !c.Now.Before(s.End) {
		return nil, say.FieldError("body", "/available_end_time", c.Field("available_end_time"), say.Unfitting("应晚于开始时间和当前时间", "it must be later than the beginning and than now"))
	}
	if c.Field("stock_type") == "NORMAL" {
		fixed := objectOf(objectOf(c.Object, "coupon_use_rule"), "fixed_normal_coupon")
		const place = "/coupon_use_rule/fixed_normal_coupon"
		if fixed == nil {
			return nil, say.FieldError("body", place, "", say.IssueRequired)
		}
		var rejected *say.Rejection
		if s.Face, rejected = gate.CheckAmount(place+"/coupon_amount", fixed["coupon_amount"]); rejected != nil {
			return nil, rejected
		}
		if s.Minimum, rejected = gate.CheckAmount(place+"/transaction_minimum", fixed["transaction_minimum"]); rejected != nil {
			return nil, rejected
		}
	}
	defer c.Begin().Commit()
	for _, known := range f.stocks.Rows() {
		switch {
		case known.Number != s.Number:
		case known.Request != s.Request:
			return nil, say.InvalidRequest(say.Both("商户单据号已存在，且与之前的请求参数不一致", "out_request_no was used with other parameters"),
				"a stock with this out_request_no exists, and was requested with other parameters")
		default:
			return c.Tell(f.tell(known)), nil
		}
	}
	s.ID = f.Number("", 20, c.Now)
	f.stocks.Put(s.ID, s)
	return c.Tell(f.tell(s)), nil
}

// stockOf finds a stock, which its creator alone can see.
func (f *Flow) stockOf(id, creator string) (stock, *say.Rejection) {
	s, known := f.stocks.Get(id)
	if !known || creator != f.ID {
		return s, notExist
	}
	return s, nil
}

// move makes the operation that leads a stock from some states to another. The same once more
// changes nothing.
func (f *Flow) move(to string, from ...string) func(*gate.Call) (any, *say.Rejection) {
	return func(c *gate.Call) (any, *say.Rejection) {
		defer c.Begin().Commit()
		s, rejected := f.stockOf(c.Path["stock_id"], c.Field("stock_creator_mchid"))
		switch {
		case rejected != nil:
			return nil, rejected
		case s.State == to:
			return c.Tell(f.tell(s)), nil
		case !slices.Contains(from, s.State):
			return nil, say.InvalidRequest(say.Both("批次状态不支持该操作", "the state of the stock does not permit this"), "the stock is "+s.State)
		}
		s.State, s.Changed = to, c.Now
		if s.Started.IsZero() && to == "running" {
			s.Started = c.Now
		}
		f.stocks.Put(s.ID, s)
		return c.Tell(f.tell(s)), nil
	}
}

func (f *Flow) queryStock(c *gate.Call) (any, *say.Rejection) {
	defer c.Begin().Commit()
	s, rejected := f.stockOf(c.Path["stock_id"], c.Query.Get("stock_creator_mchid"))
	switch {
	case rejected != nil:
		return nil, rejected
	case c.Hides(s.Since):
		return nil, notExist
	}
	return c.Tell(f.tell(s)), nil
}

func (f *Flow) listStocks(c *gate.Call) (any, *say.Rejection) {
	page, limit, rejected := c.AskedPage(maxPage, maxPage)
	if rejected != nil {
		return nil, rejected
	}
	var bounds [2]time.Time
	for i, name := range []string{"create_start_time", "create_end_time"} {
		text := c.Query.Get(name)
		if text == "" {
			continue
		}
		var err error
		if bounds[i], err = time.Parse(time.RFC3339, text); err != nil {
			return nil, say.FieldError("query", name, text, say.Unfitting("应为rfc3339格式的时间", "it must be a time of RFC 3339"))
		}
	}
	defer c.Begin().Commit()
	var found []stock
	for _, s := range f.stocks.Rows() {
		status := c.Query.Get("status")
		if c.Query.Get("stock_creator_mchid") != f.ID || c.Hides(s.Since) || status != "" && status != s.State ||
			s.Since.Before(bounds[0]) || !bounds[1].IsZero() && s.Since.After(bounds[1]) {
			continue
		}
		found = append(found, s)
	}
	slices.SortFunc(found, func(a, b stock) int {
		if order := b.Since.Compare(a.Since); order != 0 {
			return order
		}
		return strings.Compare(b.ID, a.ID)
	})
	list := make([]map[string]any, len(found))
	for i, s := range found {
		list[i] = f.tell(s)
	}
	return numbered(c, list, page, limit), nil
}

// numbered is the page of that number, from 0.
func numbered(c *gate.Call, list []map[string]any, page, limit int) map[string]any {
	first := len(list)
	if page <= len(list)/limit {
		first = page * limit
	}
	response := c.Paged(list, first, limit)
	response["offset"] = page
	return response
}
