package sandbox

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/fact"
)

// serviceOrder is a pay score order of a direct merchant (documentation v3/merchant/4012587900 and its neighbours), or of a service
// provider for a sub-merchant (v3/partner/4012692136). The user confirms it, the merchant completes it, the user pays.
type serviceOrder struct {
	Number      string         `json:"number"`  // out_order_no
	Request     string         `json:"request"` // that made it, in canonical JSON
	ID          string         `json:"id"`      // order_id
	State       string         `json:"state"`
	Members     map[string]any `json:"members"`             // of all requests, the latest of each
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

// due is when an order that nobody confirmed expires.
func (o serviceOrder) due() time.Time {
	if o.State != serviceCreated {
		return time.Time{}
	}
	return o.Since.Add(serviceLife)
}

func (s *state) ripenServiceOrder(number string, o serviceOrder, _ time.Time) {
	o.State = serviceExpired
	s.serviceOrders.put(number, o)
}

// serviceNumber is the limit of out_order_no.
var serviceNumber = limit{min: 1, max: 32, charset: orderChars}

// serviceOperations are those of pay score orders.
func serviceOperations() []operation {
	var list []operation
	for _, orders := range []string{"/v3/payscore/serviceorder", "/v3/payscore/partner/serviceorder"} {
		list = append(list,
			operation{
				Operation: documented("POST", orders),
				limits:    map[string]limit{"/out_order_no": serviceNumber, "/service_introduction": {min: 1, max: 20}, "/attach": {max: 256}},
				do:        (*call).createServiceOrder,
			},
			operation{Operation: documented("GET", orders), do: (*call).queryServiceOrder},
		)
		for name, do := range map[string]func(*call) (any, *refusal){
			"cancel": (*call).cancelServiceOrder, "complete": (*call).completeServiceOrder, "modify": (*call).modifyServiceOrder,
			"pay": (*call).collectServiceOrder, "sync": (*call).syncServiceOrder,
		} {
			list = append(list, operation{
				Operation: documented("POST", orders+"/{out_order_no}/"+name),
				limits:    map[string]limit{"out_order_no": serviceNumber, "/reason": {min: 1, max: 50}}, do: do,
			})
		}
	}
	return list
}

var serviceNotExist = &refusal{
	status: http.StatusNotFound, code: "RESOURCE_NOT_EXISTS", number: numberUndocumented,
	message: text{"服务订单不存在", "the service order does not exist"}, reason: "no pay score order was created under this out_order_no",
}

// serviceState is the refusal of what an order's state does not permit, as it was seen.
func serviceState(o serviceOrder, needed string) *refusal {
	return invalidRequest(text{"当前订单状态不合法", "the order's state does not permit it"}, "the order is "+o.State+" "+o.description()+"; it must be "+needed)
}

// description is state_description, which only an order under way has.
func (o serviceOrder) description() string {
	switch {
	case o.State != serviceDoing:
		return ""
	case o.Completed != "":
		return "MCH_COMPLETE"
	}
	return "USER_CONFIRM"
}

// tell is what queries and notices tell of the order.
func (o serviceOrder) tell(merchant string) map[string]any {
	known := maps.Clone(o.Members)
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
			collection = map[string]any{"state": "USER_PAID", "total_amount": o.Total, "paying_amount": 0, "paid_amount": o.Total, "details": []any{detail}}
		}
		known["collection"] = collection
	}
	return known
}

// createServiceOrder makes an order, which waits for its user unless that is not needed. The same request is answered the same
// (documented); another one under the number is ALREADY_EXISTS.
func (c *call) createServiceOrder() (any, *refusal) {
	if refused := checkURL("/notify_url", c.object["notify_url"]); refused != nil {
		return nil, refused
	}
	if _, refused := checkAmount("/risk_fund/amount", c.object["risk_fund"].(map[string]any)["amount"]); refused != nil {
		return nil, refused
	}
	if sub, partner := c.object["sub_mchid"].(string); partner {
		if refused := c.checkRelation(sub); refused != nil {
			return nil, refused
		}
	}
	confirm, asked := c.object["need_user_confirm"].(bool)
	openid := cmp.Or(c.member("openid"), c.member("sub_openid"))
	if asked && !confirm && openid == "" {
		return nil, memberError("body", "/openid", "", issueRequired)
	}
	number, request := c.object["out_order_no"].(string), string(marshal(c.object))
	s := c.begin()
	defer s.commit()
	o, known := s.serviceOrders.get(number)
	switch {
	case known && o.Request != request:
		return nil, &refusal{
			status: http.StatusBadRequest, code: "ALREADY_EXISTS", number: numberUndocumented,
			message: text{"商户服务订单号已存在", "out_order_no exists already"}, reason: "a pay score order with this out_order_no was created with other parameters",
		}
	case !known:
		o = serviceOrder{
			Number: number, Request: request, ID: s.platformNumber("1500", 32, c.now), State: serviceCreated, Members: c.object, OpenID: openid, Since: c.now,
		}
		if asked && !confirm {
			o.State = serviceDoing
		}
		s.serviceOrders.put(number, o)
		s.enter(ServiceEffect, number, 0, c.now, request)
	}
	told := o.tell(s.merchant)
	told["package"] = "service" + o.ID
	return c.tell(told), nil
}

// serviceOrder returns the order that the path names, if appid and service_id are those that it was made with.
func (c *call) serviceOrder(s *state, number string) (serviceOrder, *refusal) {
	o, known := s.serviceOrders.get(number)
	if !known {
		return o, serviceNotExist
	}
	if o.Members["sub_mchid"] != nil != strings.HasPrefix(c.operation.Path, "/v3/payscore/partner/") {
		return o, serviceNotExist // a direct merchant's, or a sub-merchant's
	}
	for _, name := range []string{"appid", "service_id", "sub_mchid"} {
		location, place, value := "body", "/"+name, c.object[name]
		if c.object == nil {
			location, place, value = "query", name, any(nil)
			if sent := c.query.Get(name); sent != "" {
				value = sent
			}
		}
		if value != nil && value != o.Members[name] {
			return o, memberError(location, place, value, text{"与创建订单时不一致", "it differs from that of the order"})
		}
	}
	return o, nil
}

func (c *call) queryServiceOrder() (any, *refusal) {
	number, query := c.query.Get("out_order_no"), c.query.Get("query_id")
	if (number == "") == (query == "") {
		return nil, memberError("query", "out_order_no", number, text{"out_order_no与query_id必填且只能填一个", "exactly one of out_order_no and query_id is required"})
	}
	if query != "" {
		return nil, serviceNotExist // only the front end gets one, and there is none
	}
	s := c.begin()
	defer s.commit()
	o, refused := c.serviceOrder(s, number)
	if refused != nil {
		return nil, refused
	}
	return c.tell(o.tell(s.merchant)), nil
}

// serviceSum checks that the total is the sum of payments and discounts, and no more than a deposit, and returns it.
func (c *call) serviceSum(o serviceOrder) (int64, *refusal) {
	sum := int64(0)
	for name, sign := range map[string]int64{"post_payments": 1, "post_discounts": -1} {
		list, _ := c.object[name].([]any)
		for _, one := range list {
			amount, _ := one.(map[string]any)["amount"].(json.Number)
			n, _ := amount.Int64() // 0 without one
			sum += sign * n
		}
	}
	total, err := c.object["total_amount"].(json.Number).Int64()
	risk := o.Members["risk_fund"].(map[string]any)
	deposit, _ := risk["amount"].(json.Number).Int64()
	switch {
	case err != nil || total < 0 || total != sum:
		return 0, memberError("body", "/total_amount", c.object["total_amount"], text{"应等于后付费项目金额与优惠项目金额之差", "it must be the sum of post_payments less that of post_discounts"})
	case risk["name"] == "DEPOSIT" && total > deposit:
		return 0, memberError("body", "/total_amount", c.object["total_amount"], text{"不能大于押金金额", "it must not be more than the deposit"})
	}
	return total, nil
}

// absorb takes the members of a request over that queries tell.
func (o *serviceOrder) absorb(request map[string]any) {
	o.Members = maps.Clone(o.Members)
	for _, name := range []string{"post_payments", "post_discounts", "location"} {
		if value, ok := request[name]; ok {
			o.Members[name] = value
		}
	}
	if times, ok := request["time_range"].(map[string]any); ok {
		merged := maps.Clone(o.Members["time_range"].(map[string]any))
		maps.Copy(merged, times)
		o.Members["time_range"] = merged
	}
}

// onServiceOrder lets act change the order that the request names, and answers with it as it is then, where there is an answer.
// request is the body in canonical JSON.
func (c *call) onServiceOrder(act func(o *serviceOrder, request string) *refusal) (any, *refusal) {
	s := c.begin()
	defer s.commit()
	o, refused := c.serviceOrder(s, c.path["out_order_no"])
	if refused == nil {
		refused = act(&o, string(marshal(c.object)))
	}
	if refused != nil {
		return nil, refused
	}
	s.serviceOrders.put(o.Number, o)
	if c.operation.Response == fact.EmptyResponse { // a service provider's
		return nil, nil
	}
	return c.tell(o.tell(s.merchant)), nil
}

// completeServiceOrder ends the service: what the user owes is collected from then on.
func (c *call) completeServiceOrder() (any, *refusal) {
	return c.onServiceOrder(func(o *serviceOrder, request string) *refusal {
		times, _ := c.object["time_range"].(map[string]any)
		switch {
		case o.Completed == request && o.Modified == "" && o.State != serviceRevoked:
			return nil
		case o.description() != "USER_CONFIRM":
			return serviceState(*o, "DOING USER_CONFIRM")
		case o.Members["time_range"].(map[string]any)["end_time"] == nil && times["end_time"] == nil:
			return memberError("body", "/time_range/end_time", "", issueRequired) // the order has none yet
		}
		o.Completed = request
		return c.owe(o)
	})
}

// modifyServiceOrder changes what the user owes, as long as it is not paid.
func (c *call) modifyServiceOrder() (any, *refusal) {
	return c.onServiceOrder(func(o *serviceOrder, request string) *refusal {
		switch {
		case o.Modified == request && o.State != serviceRevoked:
			return nil
		case o.description() != "MCH_COMPLETE":
			return serviceState(*o, "DOING MCH_COMPLETE")
		}
		o.Modified = request
		return c.owe(o)
	})
}

// owe sets what the user owes. An order over nothing is done at once.
func (c *call) owe(o *serviceOrder) *refusal {
	total, refused := c.serviceSum(*o)
	if refused != nil {
		return refused
	}
	o.absorb(c.object)
	if o.Total = total; total == 0 {
		o.State = serviceDone
	}
	return nil
}

// cancelServiceOrder ends an order that is not paid. The same request is answered the same (documented).
func (c *call) cancelServiceOrder() (any, *refusal) {
	return c.onServiceOrder(func(o *serviceOrder, request string) *refusal {
		if o.Cancelled != request && o.State != serviceCreated && o.State != serviceDoing {
			return parameterError(text{"当前订单状态不满足撤销条件", "the order's state does not permit to cancel it"}, nil, "the order is "+o.State)
		}
		o.State, o.Cancelled = serviceRevoked, request
		return nil
	})
}

// collectServiceOrder asks the user to pay; that takes [Sandbox.PayServiceOrder].
func (c *call) collectServiceOrder() (any, *refusal) {
	return c.onServiceOrder(func(o *serviceOrder, _ string) *refusal {
		if o.description() != "MCH_COMPLETE" {
			return serviceState(*o, "DOING MCH_COMPLETE")
		}
		return nil
	})
}

// syncServiceOrder tells that the user paid the merchant otherwise.
func (c *call) syncServiceOrder() (any, *refusal) {
	if c.object["type"] != "Order_Paid" {
		return nil, memberError("body", "/type", c.object["type"], issueConstant)
	}
	paid := c.object["detail"].(map[string]any)["paid_time"].(string)
	return c.onServiceOrder(func(o *serviceOrder, _ string) *refusal {
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

// ConfirmServiceOrder lets the user confirm a pay score order, which is under way then. The merchant is told by PAYSCORE.USER_CONFIRM at
// the order's notify_url. An order that does not wait for its user is an error.
func (s *Sandbox) ConfirmServiceOrder(outOrderNo string) error {
	return s.actOnService(outOrderNo, "confirm", func(st *state, o *serviceOrder, _ time.Time) error {
		if o.State != serviceCreated {
			return errors.New("the order does not wait for its user, it is " + o.State)
		}
		o.State = serviceDoing
		if o.OpenID == "" {
			o.OpenID = anyPayer
		}
		st.noticeService("PAYSCORE.USER_CONFIRM", *o)
		return nil
	})
}

// PayServiceOrder lets the user pay a pay score order that the merchant has completed, and returns the transaction_id. The merchant is
// told by PAYSCORE.USER_PAID. An order that is not complete, or is paid, is an error.
func (s *Sandbox) PayServiceOrder(outOrderNo string) (transactionID string, err error) {
	err = s.actOnService(outOrderNo, "pay", func(st *state, o *serviceOrder, now time.Time) error {
		if o.description() != "MCH_COMPLETE" {
			return errors.New("nothing is to be paid, the order is " + o.State + " " + o.description())
		}
		transactionID = st.collect(*o, now)
		o.State, o.Transaction, o.PaidBy, o.PaidAt = serviceDone, transactionID, "NEWTON", now.In(beijing).Format("20060102150405")
		st.noticeService("PAYSCORE.USER_PAID", *o)
		return nil
	})
	return transactionID, err
}

// collect is the payment of a pay score order: an order of its own, under the platform's number of the service, which can be
// refunded and is in the bills.
func (s *state) collect(o serviceOrder, now time.Time) (transactionID string) {
	sub, _ := o.Members["sub_mchid"].(string)
	request := map[string]any{
		"appid": o.Members["appid"], "mchid": s.merchant, "description": o.Members["service_introduction"], "out_trade_no": o.ID,
		"amount": map[string]any{"total": o.Total, "currency": "CNY"},
	}
	if sub != "" {
		delete(request, "appid")
		delete(request, "mchid")
		request["sp_appid"], request["sp_mchid"], request["sub_mchid"] = o.Members["appid"], s.merchant, sub
	}
	return s.charge(order{
		Number: o.ID, Sub: sub, Service: o.Number, Added: true, Way: "JSAPI", Total: o.Total, OpenID: o.OpenID, Since: now, Request: string(marshal(request)),
	}, now).Transaction
}

// actOnService lets a user act on a pay score order.
func (s *Sandbox) actOnService(number, what string, act func(*state, *serviceOrder, time.Time) error) error {
	now := s.clock()
	st := s.state.begin(now)
	o, known := st.serviceOrders.get(number)
	err := fmt.Errorf("sandbox: %s: there is no pay score order %q", what, number)
	if known {
		if err = act(st, &o, now); err != nil {
			err = fmt.Errorf("sandbox: %s the pay score order %q: %w", what, number, err)
		} else {
			st.serviceOrders.put(number, o)
		}
	}
	if failed := st.end(); err == nil {
		err = failed
	}
	return err
}

func (s *state) noticeService(event string, o serviceOrder) {
	known := o.tell(s.merchant)
	known["out_trade_no"] = o.ID // the number under which the platform collects
	if known["post_payments"] == nil {
		known["post_payments"] = []any{}
	}
	notify, _ := o.Members["notify_url"].(string)
	s.announce(notify, event, resourceOf(event, known))
}
