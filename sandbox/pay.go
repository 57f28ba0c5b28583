package sandbox

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// order is one order: what it was created with, and what became of it.
type order struct {
	created     string         // the request in canonical JSON, to tell a repetition from another order under the same number
	members     map[string]any // the request's members that queries return; never changed
	way         string         // trade_type
	total       int64          // fen
	openid      string         // of the user who is to pay, or who paid
	since       time.Time      // of creation
	closed      bool
	transaction string // transaction_id, once paid
	paidAt      time.Time
	asked       []*refund // every refund that was accepted
	refunds     int       // of these, those that are not closed
	refunded    int64     // what they take together, fen
}

// States of an order.
const (
	stateNotPaid  = "NOTPAY"
	statePaid     = "SUCCESS"
	stateRefunded = "REFUND"
	stateClosed   = "CLOSED"
)

var stateText = map[string]string{stateNotPaid: "订单未支付", statePaid: "支付成功", stateRefunded: "转入退款", stateClosed: "订单已关闭"}

// current is trade_state.
func (o *order) current() string {
	switch {
	case o.refunds > 0:
		return stateRefunded
	case o.transaction != "":
		return statePaid
	case o.closed:
		return stateClosed
	}
	return stateNotPaid
}

// at is trade_state, once what is due of the order's refunds has come.
func (o *order) at(now time.Time) string {
	for _, r := range o.asked {
		r.settle(now)
	}
	return o.current()
}

// tradeNumber is the limit of out_trade_no.
var tradeNumber = limit{min: 6, max: 32, charset: orderChars}

// anyPayer is the user who pays when the order does not say who will.
const anyPayer = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"

// payOperations are those of basic payment.
func payOperations() []operation {
	const orders = "/v3/pay/transactions/out-trade-no/{out_trade_no}"
	list := []operation{
		{Operation: documented("GET", orders), limits: map[string]limit{"out_trade_no": tradeNumber}, do: (*call).queryOrder},
		{Operation: documented("GET", "/v3/pay/transactions/id/{transaction_id}"), limits: map[string]limit{"transaction_id": {min: 1, max: 32}}, do: (*call).queryTransaction},
		{Operation: documented("POST", orders+"/close"), limits: map[string]limit{"out_trade_no": tradeNumber}, do: (*call).closeOrder},
	}
	for path, way := range map[string]string{"jsapi": "JSAPI", "app": "APP", "h5": "MWEB", "native": "NATIVE"} {
		list = append(list, operation{
			Operation: documented("POST", "/v3/pay/transactions/"+path),
			limits: map[string]limit{
				"/appid": {min: 1, max: 32}, "/mchid": {min: 1, max: 32}, "/description": {min: 1, max: 127}, "/attach": {max: 127},
				"/out_trade_no": tradeNumber, "/notify_url": {min: 1, max: 255}, "/goods_tag": {max: 32}, "/payer/openid": {min: 1, max: 128},
			},
			do: func(c *call) (any, *refusal) { return c.createOrder(way) },
		})
	}
	return list
}

// checkMerchant refuses a merchant number other than the caller's.
func (c *call) checkMerchant(location, place, id string) *refusal {
	if id == c.merchant.ID {
		return nil
	}
	return memberError(location, place, id, text{"与Http头Authorization中的mchid不一致", "it differs from mchid in the HTTP header Authorization"})
}

// checkAmount refuses an integer member below 1.
func checkAmount(place string, value any) (int64, *refusal) {
	number, _ := value.(json.Number)
	n, err := number.Int64()
	if err != nil {
		return 0, memberError("body", place, value, issueType("integer"))
	}
	if n < 1 {
		r := memberError("body", place, value, text{"小于最小值 1", "it is below the minimum of 1"})
		r.number = numberRange
		return 0, r
	}
	return n, nil
}

func checkCurrency(currency string) *refusal {
	if currency != "CNY" {
		return memberError("body", "/amount/currency", currency, text{"境内商户仅支持CNY", "mainland merchants have CNY only"})
	}
	return nil
}

// checkNotifyURL refuses an address that the platform would not notify. An absent one passes.
func (c *call) checkNotifyURL() *refusal {
	notify, sent := c.object["notify_url"].(string)
	if !sent {
		return nil
	}
	if u, err := url.Parse(notify); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || strings.Contains(notify, "?") {
		return memberError("body", "/notify_url", notify, text{"应为不带参数的完整URL", "it must be an absolute URL without a query"})
	}
	return nil
}

func (c *call) createOrder(way string) (any, *refusal) {
	if refused := c.checkMerchant("body", "/mchid", c.object["mchid"].(string)); refused != nil {
		return nil, refused
	}
	amount := c.object["amount"].(map[string]any)
	total, refused := checkAmount("/amount/total", amount["total"])
	if refused != nil {
		return nil, refused
	}
	if currency, ok := amount["currency"].(string); ok {
		if refused := checkCurrency(currency); refused != nil {
			return nil, refused
		}
	}
	if refused := c.checkNotifyURL(); refused != nil {
		return nil, refused
	}

	created := string(marshal(c.object)) // sorted, so that the order of members has no meaning
	number := c.object["out_trade_no"].(string)
	s := &c.state
	s.mu.Lock()
	defer s.mu.Unlock()
	switch known := s.orders[number]; {
	case known == nil:
		o := &order{created: created, members: orderMembers(c.object), way: way, total: total, openid: anyPayer, since: c.now}
		if payer, ok := c.object["payer"].(map[string]any); ok {
			if openid, ok := payer["openid"].(string); ok {
				o.openid = openid
			}
		}
		s.orders[number] = o
		s.enter(OrderEffect, number, total, c.now, created, o)
	case known.way != way || known.created != created:
		return nil, &refusal{
			status: http.StatusForbidden, code: "OUT_TRADE_NO_USED", number: numberOrderMismatch,
			message: text{"商户订单号重复", "out_trade_no was used for another order"}, reason: "an order with this out_trade_no exists, and was created with other parameters or in another way",
		}
	case known.transaction != "":
		return nil, orderPaid
	case known.closed:
		return nil, &refusal{
			status: http.StatusBadRequest, code: "ORDER_CLOSED", number: numberUndocumented,
			message: text{"订单已关闭", "the order is closed"}, reason: "the order is closed, its out_trade_no cannot be used again",
		}
	}
	prepay := "wx" + c.now.In(beijing).Format("20060102150405") + strings.ToLower(hexText(20))
	switch way {
	case "NATIVE":
		return map[string]string{"code_url": "weixin://wxpay/bizpayurl?pr=" + rand.Text()[:9] + "zz"}, nil
	case "MWEB":
		return map[string]string{"h5_url": "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=" + prepay + "&package=" + strconv.Itoa(int(c.now.Unix()))}, nil
	}
	return map[string]string{"prepay_id": prepay}, nil
}

// orderMembers returns the members of an order that queries tell.
func orderMembers(object map[string]any) map[string]any {
	members := maps.Clone(object)
	for _, name := range []string{"settle_info", "subsidy_info", "payer"} { // a payer is known only after paying, an identity never
		delete(members, name)
	}
	amount := maps.Clone(members["amount"].(map[string]any))
	amount["currency"] = "CNY"
	members["amount"] = amount
	if scene, ok := members["scene_info"].(map[string]any); ok {
		scene = maps.Clone(scene)
		delete(scene, "h5_info")
		members["scene_info"] = scene
	}
	return members
}

var (
	orderNotExist = &refusal{
		status: http.StatusNotFound, code: "ORDER_NOT_EXIST", number: numberOrderMissing,
		message: text{"订单不存在", "the order does not exist"}, reason: "no order was created under this number",
	}
	orderPaid = &refusal{
		status: http.StatusBadRequest, code: "ORDER_PAID", number: numberOrderPaid,
		message: text{"订单已支付", "the order is paid"}, reason: "the order is paid",
	}
)

func (c *call) queryOrder() (any, *refusal) {
	return c.showOrder(func(s *state) *order { return s.orders[c.path["out_trade_no"]] })
}

func (c *call) queryTransaction() (any, *refusal) {
	return c.showOrder(func(s *state) *order { return s.transactions[c.path["transaction_id"]] })
}

func (c *call) showOrder(find func(*state) *order) (any, *refusal) {
	if refused := c.checkMerchant("query", "mchid", c.query.Get("mchid")); refused != nil {
		return nil, refused
	}
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	found := find(&c.state)
	if found == nil || c.faults.hides(c, c.now.Sub(found.since)) {
		return nil, orderNotExist
	}
	found.at(c.now)
	return found.tell(), nil
}

// tell returns the order as a query tells it.
func (o *order) tell() map[string]any {
	answer := maps.Clone(o.members)
	answer["trade_state"], answer["trade_state_desc"] = o.current(), stateText[o.current()]
	if o.transaction != "" {
		answer["transaction_id"], answer["trade_type"], answer["bank_type"] = o.transaction, o.way, "OTHERS"
		answer["success_time"] = platformTime(o.paidAt)
		answer["payer"] = map[string]any{"openid": o.openid}
		amount := maps.Clone(o.members["amount"].(map[string]any))
		amount["payer_total"], amount["payer_currency"] = o.total, "CNY"
		answer["amount"] = amount
	}
	return answer
}

func (c *call) closeOrder() (any, *refusal) {
	if refused := c.checkMerchant("body", "/mchid", c.object["mchid"].(string)); refused != nil {
		return nil, refused
	}
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	switch found := c.state.orders[c.path["out_trade_no"]]; {
	case found == nil:
		return nil, orderNotExist
	case found.transaction != "":
		return nil, orderPaid
	default:
		found.closed = true // closing again is answered the same
		return nil, nil
	}
}

// Pay lets the user pay an order, and returns the transaction_id. An order that does not exist, is closed or paid is an
// error. The merchant is notified at the order's notify_url.
func (s *Sandbox) Pay(outTradeNo string) (transactionID string, err error) {
	now := s.clock()
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	o := s.state.orders[outTradeNo]
	switch {
	case o == nil:
		return "", fmt.Errorf("sandbox: pay: there is no order %q", outTradeNo)
	case o.closed:
		return "", fmt.Errorf("sandbox: pay: the order %q is closed", outTradeNo)
	case o.transaction != "":
		return "", fmt.Errorf("sandbox: pay: the order %q is paid", outTradeNo)
	}
	s.pay(o, outTradeNo, now)
	return o.transaction, nil
}

// pay makes the order paid. The state's mutex is held.
func (s *Sandbox) pay(o *order, number string, now time.Time) {
	o.transaction, o.paidAt = s.state.platformNumber("4200001234", 28, now), now
	s.state.transactions[o.transaction] = o
	s.state.enter(PaymentEffect, number, o.total, now, "", nil)
	s.announce(o.members["notify_url"], "TRANSACTION.SUCCESS", o.resource())
}

// resource is what the notification of the payment says.
func (o *order) resource() map[string]any {
	resource := pickMembers(o.tell(), "appid", "mchid", "out_trade_no", "transaction_id", "trade_type", "trade_state", "bank_type",
		"attach", "success_time", "payer", "amount", "scene_info")
	resource["trade_state_desc"] = stateText[o.current()]
	return resource
}

// pickMembers returns the members of that name which there are.
func pickMembers(from map[string]any, names ...string) map[string]any {
	picked := maps.Clone(from)
	maps.DeleteFunc(picked, func(name string, _ any) bool { return !slices.Contains(names, name) })
	return picked
}

// AddPaidOrder puts an order that is paid already, over total fen, and returns its transaction_id: the start of a test about
// refunds. It has no notify_url, so nobody is notified.
func (s *Sandbox) AddPaidOrder(outTradeNo string, total int64) (transactionID string, err error) {
	if issue := tradeNumber.check(outTradeNo); issue != nil {
		return "", fmt.Errorf("sandbox: AddPaidOrder: out_trade_no: %s", issue.en)
	}
	if total < 1 {
		return "", errors.New("sandbox: AddPaidOrder: the total is below 1 fen")
	}
	now := s.clock()
	s.state.mu.Lock()
	defer s.state.mu.Unlock()
	if s.state.orders[outTradeNo] != nil {
		return "", fmt.Errorf("sandbox: AddPaidOrder: there is an order %q already", outTradeNo)
	}
	o := &order{
		members: map[string]any{
			"appid": sampleAppID, "mchid": s.merchant.ID, "description": "sandbox", "out_trade_no": outTradeNo,
			"amount": map[string]any{"total": total, "currency": "CNY"},
		},
		way: "NATIVE", total: total, openid: anyPayer, since: now,
	}
	s.state.orders[outTradeNo] = o
	s.state.enter(OrderEffect, outTradeNo, total, now, "", o)
	s.pay(o, outTradeNo, now)
	return o.transaction, nil
}
