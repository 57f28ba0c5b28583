// Package score simulates pay score orders, of direct merchants and of service providers for
// sub-merchants.
package score

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// serviceOrder is a pay score order of a direct merchant (documentation v3/merchant/4012587900 and
// its neighbours), or of a service provider for a sub-merchant (v3/partner/4012692136). The user
// confirms it, the merchant completes it, the user pays.
type serviceOrder struct {
	Number      string         `json:"number"`  // out_order_no
	Request     string         `json:"request"` // that made it, in canonical JSON
	ID          string         `json:"id"`      // order_id
	State       string         `json:"state"`
	Fields      map[string]any `json:"fields"`              // of all requests, the latest of each
	Total       int64          `json:"total"`               // to be paid, fen; once it is complete
	Completed   string         `json:"completed,omitempty"` // the request that completed it
	Modified    string         `json:"modified,omitempty"`  // the last request that changed its amount
	Cancelled   string         `json:"cancelled,omitempty"` // the request that cancelled it
	OpenID      string         `json:"openid"`
	Transaction string         `json:"transaction,omitempty"` // once it is paid through WeChat Pay
	PaidBy      string         `json:"paid_by,omitempty"`     // NEWTON, or MCH if the merchant was paid otherwise
	PaidAt      string         `json:"paid_at,omitempty"`     // as it is told
	Since       time.Time      `json:"since"`
}

// States of a pay score order.
const (
	serviceCreated = "CREATED"
	serviceDoing   = "DOING"
	serviceDone    = "DONE"
	serviceRevoked = "REVOKED"
	serviceExpired = "EXPIRED"
)

// serviceLife is how long an order waits for its user.
const serviceLife = 30 * 24 * time.Hour

// Due is when an order that nobody confirmed expires.
func (o serviceOrder) Due() time.Time {
	if o.State != serviceCreated {
		return time.Time{}
	}
	return o.Since.Add(serviceLife)
}

// serviceNumber is the limit of out_order_no.
var serviceNumber = gate.Limit{Min: 1, Max: 32, Charset: gate.OrderChars}

// description returns state_description, which only a DOING order has.
func (o serviceOrder) description() string {
	switch {
	case o.State != serviceDoing:
		return ""
	case o.Completed != "":
		return "MCH_COMPLETE"
	}
	return "USER_CONFIRM"
}

// tell returns all that queries and notifications tell of the order.
func (o serviceOrder) tell(merchant string) map[string]any {
	known := maps.Clone(o.Fields)
	known["mchid"], known["order_id"], known["state"] = merchant, o.ID, o.State
	if o.OpenID != "" && o.State != serviceCreated && known["sub_openid"] == nil {
		known["openid"] = o.OpenID
	}
	if d := o.description(); d != "" {
		known["state_description"] = d
	}
	if o.Completed == "" {
		return known
	}
	known["total_amount"], known["need_collection"] = o.Total, o.Total > 0
	if o.Total > 0 {
		collection := map[string]any{"state": "USER_PAYING", "total_amount": o.Total, "paying_amount": o.Total, "paid_amount": 0}
		if o.PaidBy != "" {
			detail := map[string]any{"seq": 1, "amount": o.Total, "paid_type": o.PaidBy, "paid_time": o.PaidAt}
			if o.Transaction != "" {
				detail["transaction_id"] = o.Transaction
			}
			collection = map[string]any{
				"state": "USER_PAID", "total_amount": o.Total, "paying_amount": 0, "paid_amount": o.Total, "details": []any{detail},
			}
		}
		known["collection"] = collection
	}
	return known
}

// Flow is the pay score orders of one merchant.
type Flow struct {
	*gate.Merchant
	orders *order.Flow
	table  book.Table[serviceOrder] // by out_order_no
}

func (f *Flow) expire(number string, o serviceOrder, _ time.Time) {
	o.State = serviceExpired
	f.table.Put(number, o)
}

var serviceNotExist = &say.Rejection{
	Status: http.StatusNotFound, Code: "RESOURCE_NOT_EXISTS", Number: say.NumberUndocumented,
	Message: say.Both("服务订单不存在", "the service order does not exist"), Reason: "no pay score order was created under this out_order_no",
}

// serviceState is the rejection of an act that the state of the order does not permit.
func serviceState(o serviceOrder, needed string) *say.Rejection {
	return say.InvalidRequest(say.Both("当前订单状态不合法", "the order's state does not permit it"),
		"the order is "+o.State+" "+o.description()+"; it must be "+needed)
}

// createServiceOrder makes an order. It waits for its user unless need_user_confirm is false. A
// repetition gets the same response (documented). Another request under the number is
// ALREADY_EXISTS.
func (f *Flow) createServiceOrder(c *gate.Call) (any, *say.Rejection) {
	if rejected := gate.CheckURL("/notify_url", c.Object["notify_url"]); rejected != nil {
		return nil, rejected
	}
	if _, rejected := gate.CheckAmount("/risk_fund/amount", c.Object["risk_fund"].(map[string]any)["amount"]); rejected != nil {
		return nil, rejected
	}
	if sub, partner := c.Object["sub_mchid"].(string); partner {
		if rejected := c.CheckRelation(sub); rejected != nil {
			return nil, rejected
		}
	}
	confirm, asked := c.Object["need_user_confirm"].(bool)
	openid := cmp.Or(c.Field("openid"), c.Field("sub_openid"))
	if asked && !confirm && openid == "" {
		return nil, say.FieldError("body", "/openid", "", say.IssueRequired)
	}
	number, request := c.Object["out_order_no"].(string), string(say.JSON(c.Object))
	defer c.Begin().Commit()
	o, known := f.table.Get(number)
	switch {
	case known && o.Request != request:
		return nil, say.BadRequest("ALREADY_EXISTS", say.Both("商户服务订单号已存在", "out_order_no exists already"),
			"a pay score order with this out_order_no was created with other parameters")
	case !known:
		o = serviceOrder{
			Number: number, Request: request, ID: f.Number("1500", 32, c.Now), State: serviceCreated, Fields: c.Object,
			OpenID: openid, Since: c.Now,
		}
		if asked && !confirm {
			o.State = serviceDoing
		}
		f.table.Put(number, o)
		f.Ledger.Enter("service", number, 0, c.Now, request)
	}
	told := o.tell(f.ID)
	told["package"] = "service" + o.ID
	return c.Tell(told), nil
}

// serviceOrder returns the order that the path names, if appid and service_id are those that it was
// made with.
func (f *Flow) serviceOrder(c *gate.Call, number string) (serviceOrder, *say.Rejection) {
	o, known := f.table.Get(number)
	if !known {
		return o, serviceNotExist
	}
	if o.Fields["sub_mchid"] != nil != strings.HasPrefix(c.Operation.Path, "/v3/payscore/partner/") {
		return o, serviceNotExist // a direct merchant's, or a sub-merchant's
	}
	for _, name := range []string{"appid", "service_id", "sub_mchid"} {
		location, place, value := "body", "/"+name, c.Object[name]
		if c.Object == nil {
			location, place, value = "query", name, any(nil)
			if sent := c.Query.Get(name); sent != "" {
				value = sent
			}
		}
		if value != nil && value != o.Fields[name] {
			return o, say.FieldError(location, place, value, say.Unfitting("与创建订单时不一致", "it differs from that of the order"))
		}
	}
	return o, nil
}

func (f *Flow) queryServiceOrder(c *gate.Call) (any, *say.Rejection) {
	number, query := c.Query.Get("out_order_no"), c.Query.Get("query_id")
	if (number == "") == (query == "") {
		return nil, say.FieldError("query", "out_order_no", number,
			say.Unfitting("out_order_no与query_id必填且只能填一个", "exactly one of out_order_no and query_id is required"))
	}
	if query != "" {
		return nil, serviceNotExist // only the front end gets one, and there is none
	}
	defer c.Begin().Commit()
	o, rejected := f.serviceOrder(c, number)
	if rejected != nil {
		return nil, rejected
	}
	return c.Tell(o.tell(f.ID)), nil
}

// serviceSum checks that the total is the sum of payments and discounts, and no more than a
// deposit, and returns it.
func (f *Flow) serviceSum(c *gate.Call, o serviceOrder) (int64, *say.Rejection) {
	sum := int64(0)
	for name, sign := range map[string]int64{"post_payments": 1, "post_discounts": -1} {
		list, _ := c.Object[name].([]any)
		for _, one := range list {
			amount, _ := one.(map[string]any)["amount"].(json.Number)
			n, _ := amount.Int64() // 0 without one
			sum += sign * n
		}
	}
	total, err := c.Object["total_amount"].(json.Number).Int64()
	risk := o.Fields["risk_fund"].(map[string]any)
	deposit, _ := risk["amount"].(json.Number).Int64()
	switch {
	case err != nil || total < 0 || total != sum:
		return 0, say.FieldError("body", "/total_amount", c.Object["total_amount"],
			say.Unfitting("应等于后付费项目金额与优惠项目金额之差", "it must be the sum of post_payments less that of post_discounts"))
	case risk["name"] == "DEPOSIT" && total > deposit:
		return 0, say.FieldError("body", "/total_amount", c.Object["total_amount"],
			say.Unfitting("不能大于押金金额", "it must not be more than the deposit"))
	}
	return total, nil
}

// absorb copies those fields of a request that queries tell.
func (o *serviceOrder) absorb(request map[string]any) {
	o.Fields = maps.Clone(o.Fields)
	for _, name := range []string{"post_payments", "post_discounts", "location"} {
		if value, ok := request[name]; ok {
			o.Fields[name] = value
		}
	}
	if times, ok := request["time_range"].(map[string]any); ok {
		merged := maps.Clone(o.Fields["time_range"].(map[string]any))
		maps.Copy(merged, times)
		o.Fields["time_range"] = merged
	}
}

// onServiceOrder lets act change the order that the request names, and responds with the order, or
// with an empty response where that is documented. request is the body in canonical JSON.
func (f *Flow) onServiceOrder(c *gate.Call, act func(o *serviceOrder, request string) *say.Rejection) (any, *say.Rejection) {
	defer c.Begin().Commit()
	o, rejected := f.serviceOrder(c, c.Path["out_order_no"])
	if rejected == nil {
		rejected = act(&o, string(say.JSON(c.Object)))
	}
	if rejected != nil {
		return nil, rejected
	}
	f.table.Put(o.Number, o)
	if c.Operation.Response == fact.EmptyResponse { // a service provider's
		return nil, nil
	}
	return c.Tell(o.tell(f.ID)), nil
}

// completeServiceOrder ends the service. From then on the user owes the total.
func (f *Flow) completeServiceOrder(c *gate.Call) (any, *say.Rejection) {
	return f.onServiceOrder(c, func(o *serviceOrder, request string) *say.Rejection {
		times, _ := c.Object["time_range"].(map[string]any)
		switch {
		case o.Completed == request && o.Modified == "" && o.State != serviceRevoked:
			return nil
		case o.description() != "USER_CONFIRM":
			return serviceState(*o, "DOING USER_CONFIRM")
		case o.Fields["time_range"].(map[string]any)["end_time"] == nil && times["end_time"] == nil:
			return say.FieldError("body", "/time_range/end_time", "", say.IssueRequired) // the order has none yet
		}
		o.Completed = request
		return f.owe(c, o)
	})
}

// modifyServiceOrder changes the total that the user owes, before it is paid.
func (f *Flow) modifyServiceOrder(c *gate.Call) (any, *say.Rejection) {
	return f.onServiceOrder(c, func(o *serviceOrder, request string) *say.Rejection {
		switch {
		case o.Modified == request && o.State != serviceRevoked:
			return nil
		case o.description() != "MCH_COMPLETE":
			return serviceState(*o, "DOING MCH_COMPLETE")
		}
		o.Modified = request
		return f.owe(c, o)
	})
}

// owe sets the total that the user owes. An order over 0 fen is DONE at once.
func (f *Flow) owe(c *gate.Call, o *serviceOrder) *say.Rejection {
	total, rejected := f.serviceSum(c, *o)
	if rejected != nil {
		return rejected
	}
	o.absorb(c.Object)
	if o.Total = total; total == 0 {
		o.State = serviceDone
	}
	return nil
}

// cancelServiceOrder ends an order that is not paid. A repetition gets the same response
// (documented).
func (f *Flow) cancelServiceOrder(c *gate.Call) (any, *say.Rejection) {
	return f.onServiceOrder(c, func(o *serviceOrder, request string) *say.Rejection {
		if o.Cancelled != request && o.State != serviceCreated && o.State != serviceDoing {
			return say.ParameterError(
				say.Both("当前订单状态不满足撤销条件", "the order's state does not permit to cancel it"), nil, "the order is "+o.State,
			)
		}
		o.State, o.Cancelled = serviceRevoked, request
		return nil
	})
}

// collectServiceOrder asks the user to pay. PayServiceOrder is the payment.
func (f *Flow) collectServiceOrder(c *gate.Call) (any, *say.Rejection) {
	return f.onServiceOrder(c, func(o *serviceOrder, _ string) *say.Rejection {
		if o.description() != "MCH_COMPLETE" {
			return serviceState(*o, "DOING MCH_COMPLETE")
		}
		return nil
	})
}

// syncServiceOrder records that the user paid the merchant without WeChat Pay.
func (f *Flow) syncServiceOrder(c *gate.Call) (any, *say.Rejection) {
	if c.Object["type"] != "Order_Paid" {
		return nil, say.FieldError("body", "/type", c.Object["type"], say.IssueConstant)
	}
	detail, _ := c.Object["detail"].(map[string]any) // required for this type alone
	paid, _ := detail["paid_time"].(string)
	if paid == "" {
		return nil, say.FieldError("body", "/detail/paid_time", "", say.IssueRequired)
	}
	return f.onServiceOrder(c, func(o *serviceOrder, _ string) *say.Rejection {
		switch {
		case o.PaidBy == "MCH" && o.PaidAt == paid:
			return nil
		case o.description() != "MCH_COMPLETE":
			return serviceState(*o, "DOING MCH_COMPLETE")
		}
		o.State, o.PaidBy, o.PaidAt = serviceDone, "MCH", paid
		return nil
	})
}
