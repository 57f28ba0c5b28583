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
	Number      string    `json:"number"`                // out_trade_no
	Request     string    `json:"request"`               // in canonical JSON, to tell a repetition from another order under the same number
	Added       bool      `json:"added,omitempty"`       // by AddPaidOrder: there was no request
	Way         string    `json:"way"`                   // trade_type
	Total       int64     `json:"total"`                 // fen
	OpenID      string    `json:"openid"`                // of the user who is to pay, or who paid
	Since       time.Time `json:"since"`                 // of creation
	Closed      bool      `json:"closed,omitempty"`      //
	Transaction string    `json:"transaction,omitempty"` // transaction_id, once paid
	PaidAt      time.Time `json:"paid_at,omitzero"`      //
	Refunds     int       `json:"refunds,omitempty"`     // accepted, without those that are closed
	Refunded    int64     `json:"refunded,omitempty"`    // what they take together, fen
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
func (o order) current() string {
	switch {
	case o.Refunds > 0:
		return stateRefunded
	case o.Transaction != "":
		return statePaid
	case o.Closed:
		return stateClosed
	}
	return stateNotPaid
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
	if notify, sent := c.object["notify_url"]; sent {
		return checkURL("/notify_url", notify)
	}
	return nil
}

// checkURL refuses an address that the platform would not notify, at a place of the body.
func checkURL(place string, value any) *refusal {
	address, _ := value.(string)
	if u, err := url.Parse(address); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || strings.Contains(address, "?") {
		return memberError("body", place, address, text{"应为不带参数的完整URL", "it must be an absolute URL without a query"})
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

	request := string(marshal(c.object)) // sorted, so that the order of members has no meaning
	number := c.object["out_trade_no"].(string)
	s := c.begin()
	defer s.commit()
	switch o, known := s.orders.get(number); {
	case !known:
		o = order{Number: number, Request: request, Way: way, Total: total, OpenID: anyPayer, Since: c.now}
		if payer, ok := c.object["payer"].(map[string]any); ok {
			if openid, ok := payer["openid"].(string); ok {
				o.OpenID = openid
			}
		}
		s.orders.put(number, o)
		s.enter(OrderEffect, number, total, c.now, request)
	case o.Way != way || o.Added || o.Request != request:
		return nil, &refusal{
			status: http.StatusForbidden, code: "OUT_TRADE_NO_USED", number: numberOrderMismatch,
			message: text{"商户订单号重复", "out_trade_no was used for another order"}, reason: "an order with this out_trade_no exists, and was created with other parameters or in another way",
		}
	case o.Transaction != "":
		return nil, orderPaid
	case o.Closed:
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

// readRequest reads the canonical JSON of a request.
func readRequest(text string) map[string]any {
	object, err := readRow[map[string]any](json.RawMessage(text))
	if err != nil {
		panic(fmt.Sprintf("sandbox: a request that was kept cannot be read: %v", err)) // it was written here
	}
	return object
}

// members returns those of the request that queries tell.
func (o order) members() map[string]any {
	members := readRequest(o.Request)
	for _, name := range []string{"settle_info", "subsidy_info", "payer"} { // a payer is known only after paying, an identity never
		delete(members, name)
	}
	members["amount"].(map[string]any)["currency"] = "CNY"
	if scene, ok := members["scene_info"].(map[string]any); ok {
		delete(scene, "h5_info")
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

func (c *call) queryOrder() (any, *refusal) { return c.showOrder(c.path["out_trade_no"]) }

func (c *call) queryTransaction() (any, *refusal) {
	s := c.begin()
	number, _ := s.transactions.get(c.path["transaction_id"])
	s.commit()
	return c.showOrder(number)
}

func (c *call) showOrder(number string) (any, *refusal) {
	if refused := c.checkMerchant("query", "mchid", c.query.Get("mchid")); refused != nil {
		return nil, refused
	}
	s := c.begin()
	defer s.commit()
	found, known := s.orders.get(number)
	if !known || c.faults.hides(c, c.now.Sub(found.Since)) {
		return nil, orderNotExist
	}
	return found.tell(), nil
}

// tell returns the order as a query tells it.
func (o order) tell() map[string]any {
	answer := o.members()
	answer["trade_state"], answer["trade_state_desc"] = o.current(), stateText[o.current()]
	if o.Transaction != "" {
		answer["transaction_id"], answer["trade_type"], answer["bank_type"] = o.Transaction, o.Way, "OTHERS"
		answer["success_time"] = platformTime(o.PaidAt)
		answer["payer"] = map[string]any{"openid": o.OpenID}
		amount := answer["amount"].(map[string]any)
		amount["payer_total"], amount["payer_currency"] = o.Total, "CNY"
	}
	return answer
}

func (c *call) closeOrder() (any, *refusal) {
	if refused := c.checkMerchant("body", "/mchid", c.object["mchid"].(string)); refused != nil {
		return nil, refused
	}
	s := c.begin()
	defer s.commit()
	switch o, known := s.orders.get(c.path["out_trade_no"]); {
	case !known:
		return nil, orderNotExist
	case o.Transaction != "":
		return nil, orderPaid
	default:
		o.Closed = true // closing again is answered the same
		s.orders.put(o.Number, o)
		return nil, nil
	}
}

// Pay lets the user pay an order, and returns the transaction_id. An order that does not exist, is closed or paid is an
// error. The merchant is notified at the order's notify_url.
func (s *Sandbox) Pay(outTradeNo string) (transactionID string, err error) {
	now := s.clock()
	st := s.state.begin(now)
	o, known := st.orders.get(outTradeNo)
	switch {
	case !known:
		err = fmt.Errorf("sandbox: pay: there is no order %q", outTradeNo)
	case o.Closed:
		err = fmt.Errorf("sandbox: pay: the order %q is closed", outTradeNo)
	case o.Transaction != "":
		err = fmt.Errorf("sandbox: pay: the order %q is paid", outTradeNo)
	default:
		transactionID = st.pay(o, now)
	}
	if failed := st.end(); failed != nil {
		return "", failed
	}
	return transactionID, err
}

// pay makes the order paid.
func (s *state) pay(o order, now time.Time) (transactionID string) {
	o.Transaction, o.PaidAt = s.platformNumber("4200001234", 28, now), now
	s.orders.put(o.Number, o)
	s.transactions.put(o.Transaction, o.Number)
	s.enter(PaymentEffect, o.Number, o.Total, now, "")
	notify, _ := readRequest(o.Request)["notify_url"].(string)
	s.announce(notify, "TRANSACTION.SUCCESS", o.resource())
	return o.Transaction
}

// resource is what the notification of the payment says.
func (o order) resource() map[string]any {
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
	st := s.state.begin(now)
	if _, known := st.orders.get(outTradeNo); known {
		err = fmt.Errorf("sandbox: AddPaidOrder: there is an order %q already", outTradeNo)
	} else {
		o := order{
			Number: outTradeNo, Added: true, Way: "NATIVE", Total: total, OpenID: anyPayer, Since: now,
			Request: string(marshal(map[string]any{
				"appid": sampleAppID, "mchid": s.merchant.ID, "description": "sandbox", "out_trade_no": outTradeNo,
				"amount": map[string]any{"total": total, "currency": "CNY"},
			})),
		}
		st.enter(OrderEffect, outTradeNo, total, now, "")
		transactionID = st.pay(o, now)
	}
	if failed := st.end(); failed != nil {
		return "", failed
	}
	return transactionID, err
}
