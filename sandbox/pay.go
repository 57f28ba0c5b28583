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
	Sub         string    `json:"sub,omitempty"`         // sub_mchid, if a service provider ordered for a sub-merchant
	Combine     string    `json:"combine,omitempty"`     // combine_out_trade_no, if it is a part of a combined order
	Service     string    `json:"service,omitempty"`     // out_order_no of the pay score order that it is the payment of
	Request     string    `json:"request"`               // in canonical JSON, to tell a repetition from another order under the same number
	Added       bool      `json:"added,omitempty"`       // without a request: by AddPaidOrder, or by a pay score order
	Way         string    `json:"way"`                   // trade_type
	Total       int64     `json:"total"`                 // fen
	OpenID      string    `json:"openid"`                // of the user who is to pay, or who paid
	Since       time.Time `json:"since"`                 // of creation
	Prepaid     time.Time `json:"prepaid,omitzero"`      // when it was last created, for the life of what the user pays with
	Expires     time.Time `json:"expires,omitzero"`      // when it closes unless it is paid
	Failed      bool      `json:"failed,omitempty"`      // the last payment failed, where a query says so
	Closed      bool      `json:"closed,omitempty"`      //
	Transaction string    `json:"transaction,omitempty"` // transaction_id, once paid
	PaidAt      time.Time `json:"paid_at,omitzero"`      //
	Refunds     int       `json:"refunds,omitempty"`     // accepted, without those that are closed
	Refunded    int64     `json:"refunded,omitempty"`    // what they take together, fen
	LastRefund  time.Time `json:"last_refund,omitzero"`  // when the last one was accepted
	Sharing     bool      `json:"sharing,omitempty"`     // settle_info.profit_sharing: it can be shared
	Shared      int64     `json:"shared,omitempty"`      // what receivers got or are to get, fen
	Shares      int       `json:"shares,omitempty"`      // how often it was shared
	Unfrozen    bool      `json:"unfrozen,omitempty"`    // nothing is left to share
}

// orderKey is the key of an order: out_trade_no is unique within the merchant for whom it is.
func orderKey(sub, number string) string {
	if sub == "" {
		return number
	}
	return sub + "/" + number
}

func (o order) key() string { return orderKey(o.Sub, o.Number) }

// due is when the order closes by itself. A part of a combined order closes with that.
func (o order) due() time.Time {
	if o.Transaction != "" || o.Closed || o.Combine != "" {
		return time.Time{}
	}
	return o.Expires
}

// ripenOrder closes an order whose time is over.
func (s *state) ripenOrder(key string, o order, _ time.Time) {
	o.Expires, o.Closed = time.Time{}, s.view.holds(Expiry)
	s.orders.put(key, o)
}

// States of an order.
const (
	stateNotPaid  = "NOTPAY"
	statePaid     = "SUCCESS"
	stateRefunded = "REFUND"
	stateClosed   = "CLOSED"
	stateFailed   = "PAYERROR"
)

var stateText = map[string]string{stateNotPaid: "订单未支付", statePaid: "支付成功", stateRefunded: "转入退款", stateClosed: "订单已关闭", stateFailed: "支付失败"}

// current is trade_state.
func (o order) current() string {
	switch {
	case o.Refunds > 0:
		return stateRefunded
	case o.Transaction != "":
		return statePaid
	case o.Closed:
		return stateClosed
	case o.Failed:
		return stateFailed
	}
	return stateNotPaid
}

// tradeNumber is the limit of out_trade_no.
var tradeNumber = limit{min: 6, max: 32, charset: orderChars}

// anyPayer is the user who pays when the order does not say who will.
const anyPayer = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"

// payOperations are those of basic payment, by a merchant for itself and by a service provider for a sub-merchant.
func payOperations() []operation {
	var list []operation
	for _, prefix := range []string{"/v3/pay/transactions/", partnerOrders} {
		byNumber := prefix + "out-trade-no/{out_trade_no}"
		list = append(list,
			operation{Operation: documented("GET", byNumber), limits: map[string]limit{"out_trade_no": tradeNumber}, do: (*call).queryOrder},
			operation{Operation: documented("GET", prefix+"id/{transaction_id}"), limits: map[string]limit{"transaction_id": {min: 1, max: 32}}, do: (*call).queryTransaction},
			operation{Operation: documented("POST", byNumber+"/close"), limits: map[string]limit{"out_trade_no": tradeNumber}, do: (*call).closeOrder},
		)
		for path, way := range ways {
			list = append(list, operation{
				Operation: documented("POST", prefix+path),
				limits: map[string]limit{
					"/appid": {min: 1, max: 32}, "/mchid": {min: 1, max: 32}, "/sp_appid": {min: 1, max: 32}, "/sp_mchid": {min: 1, max: 32}, "/sub_appid": {max: 32}, "/sub_mchid": {min: 1, max: 32},
					"/description": {min: 1, max: 127}, "/attach": {max: 127}, "/out_trade_no": tradeNumber, "/notify_url": {min: 1, max: 255}, "/goods_tag": {max: 32},
					"/payer/openid": {min: 1, max: 128}, "/payer/sp_openid": {max: 128}, "/payer/sub_openid": {max: 128},
				},
				do: func(c *call) (any, *refusal) { return c.createOrder(way) },
			})
		}
	}
	return list
}

// partnerOrders begins the paths of a service provider's orders.
const partnerOrders = "/v3/pay/partner/transactions/"

// ways are the trade_type by the last segment of the path.
var ways = map[string]string{"jsapi": "JSAPI", "app": "APP", "h5": "MWEB", "native": "NATIVE"}

// Lives of an order and of what its user pays with. time_expire may be 7 days ahead for Native and 15 for the others: pages
// disagree on that.
const (
	orderLife      = 7 * 24 * time.Hour
	orderLifeLong  = 15 * 24 * time.Hour
	orderLifeShort = time.Minute
	prepayLife     = 2 * time.Hour
	h5Life         = 5 * time.Minute
)

// tradeOf checks for whom an order is, and returns sub_mchid, which is empty without a service provider. get reads a member
// by its name.
func (c *call) tradeOf(location, slash string, get func(string) string) (sub string, refused *refusal) {
	if !strings.HasPrefix(c.operation.Path, partnerOrders) {
		return "", c.checkMerchant(location, slash+"mchid", get("mchid"))
	}
	if refused := c.checkMerchant(location, slash+"sp_mchid", get("sp_mchid")); refused != nil {
		return "", refused
	}
	sub = get("sub_mchid")
	return sub, c.checkRelation(sub)
}

// checkRelation refuses a merchant who is no sub-merchant of the caller.
func (c *call) checkRelation(sub string) *refusal {
	if c.isSub(sub) {
		return nil
	}
	return noAuth(text{"商户号不是该服务商的特约商户", "the merchant is no sub-merchant of the caller"},
		sub+" is no sub-merchant of "+c.merchant.ID+"; AddSubMerchant makes it one")
}

func (c *call) member(name string) string {
	value, _ := c.object[name].(string)
	return value
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
	sub, refused := c.tradeOf("body", "/", c.member)
	if refused != nil {
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
	payer, _ := c.object["payer"].(map[string]any)
	openID, _ := payer["openid"].(string)
	if sub != "" {
		openID, _ = payer["sp_openid"].(string)
		if own, _ := payer["sub_openid"].(string); way == "JSAPI" && openID == "" && own == "" {
			return nil, memberError("body", "/payer/sp_openid", "", text{"sp_openid与sub_openid二选一必填", "either sp_openid or sub_openid is required"})
		}
	}

	request := string(marshal(c.object)) // sorted, so that the order of members has no meaning
	number := c.object["out_trade_no"].(string)
	s := c.begin()
	defer s.commit()
	if refused := s.checkAppID(or(c.member("sp_appid"), c.member("appid"))); refused != nil {
		return nil, refused
	}
	o, known := s.orders.get(orderKey(sub, number))
	switch {
	case !known:
		expires, refused := c.timeExpire(way)
		if refused != nil {
			return nil, refused
		}
		o = order{Number: number, Sub: sub, Request: request, Way: way, Total: total, OpenID: or(openID, anyPayer), Since: c.now, Expires: expires}
		if settle, ok := c.object["settle_info"].(map[string]any); ok {
			o.Sharing, _ = settle["profit_sharing"].(bool)
		}
		s.enterFor(sub, OrderEffect, number, total, c.now, request)
	case o.Way != way || o.Added || o.Request != request || o.Combine != "":
		return nil, numberUsed
	case o.Transaction != "":
		return nil, orderPaid
	case o.Closed:
		return nil, orderClosed
	}
	o.Prepaid = c.now
	s.orders.put(o.key(), o)
	return prepaid(way, c.now), nil
}

// timeExpire reads time_expire, or says when the order closes without it.
func (c *call) timeExpire(way string) (time.Time, *refusal) {
	sent, ok := c.object["time_expire"].(string)
	if !ok || sent == "" {
		return c.now.Add(orderLife), nil
	}
	at, err := time.Parse(time.RFC3339, sent)
	longest := orderLifeLong
	if way == "NATIVE" {
		longest = orderLife
	}
	switch {
	case err != nil:
		return at, memberError("body", "/time_expire", sent, text{"不是RFC 3339格式的时间", "it is not a time in the form of RFC 3339"})
	case !c.holds(Expiry):
	case at.Before(c.now.Add(orderLifeShort)):
		return at, memberError("body", "/time_expire", sent, text{"订单失效时间应至少晚于当前时间1分钟", "it must be a minute ahead at least, and it is " + platformTime(c.now)})
	case at.After(c.now.Add(longest)):
		return at, memberError("body", "/time_expire", sent, text{"订单失效时间过晚", "it must be " + longest.String() + " ahead at most"})
	}
	return at, nil
}

// prepaid is what the user pays with.
func prepaid(way string, now time.Time) map[string]any {
	prepay := "wx" + now.In(beijing).Format("20060102150405") + strings.ToLower(hexText(20))
	switch way {
	case "NATIVE":
		return map[string]any{"code_url": "weixin://wxpay/bizpayurl?pr=" + rand.Text()[:9] + "zz"}
	case "MWEB":
		return map[string]any{"h5_url": "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=" + prepay + "&package=" + strconv.Itoa(int(now.Unix()))}
	}
	return map[string]any{"prepay_id": prepay}
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
	for _, name := range []string{"subsidy_info", "payer"} { // a payer is known only after paying, an identity never
		delete(members, name)
	}
	if o.Sub == "" { // only a service provider is told
		delete(members, "settle_info")
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
	numberUsed = &refusal{
		status: http.StatusForbidden, code: "OUT_TRADE_NO_USED", number: numberOrderMismatch,
		message: text{"商户订单号重复", "the number was used for another order"}, reason: "an order with this number exists, and was created with other parameters or in another way",
	}
	orderClosed = &refusal{
		status: http.StatusBadRequest, code: "ORDER_CLOSED", number: numberUndocumented,
		message: text{"订单已关闭", "the order is closed"}, reason: "the order is closed, its number cannot be used again",
	}
)

func (c *call) queryOrder() (any, *refusal) {
	return c.showOrder(func(_ *state, sub string) string { return orderKey(sub, c.path["out_trade_no"]) })
}

func (c *call) queryTransaction() (any, *refusal) {
	return c.showOrder(func(s *state, _ string) string {
		key, _ := s.transactions.get(c.path["transaction_id"])
		return key
	})
}

// showOrder tells the order of the key that find returns. A part of a combined order is told by the query of that alone.
func (c *call) showOrder(find func(s *state, sub string) string) (any, *refusal) {
	sub, refused := c.tradeOf("query", "", c.query.Get)
	if refused != nil {
		return nil, refused
	}
	s := c.begin()
	defer s.commit()
	found, known := s.orders.get(find(s, sub))
	if !known || found.Sub != sub || found.Combine != "" || c.hides(found.Since) {
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
		answer["payer"] = o.payer()
		amount := answer["amount"].(map[string]any)
		amount["payer_total"], amount["payer_currency"] = o.Total, "CNY"
	}
	return answer
}

// payer is who paid.
func (o order) payer() map[string]any {
	if o.Sub == "" {
		return map[string]any{"openid": o.OpenID}
	}
	payer := map[string]any{"sp_openid": o.OpenID}
	if sent, ok := readRequest(o.Request)["payer"].(map[string]any); ok && sent["sub_openid"] != nil {
		payer["sub_openid"] = sent["sub_openid"]
	}
	return payer
}

func (c *call) closeOrder() (any, *refusal) {
	sub, refused := c.tradeOf("body", "/", c.member)
	if refused != nil {
		return nil, refused
	}
	s := c.begin()
	defer s.commit()
	switch o, known := s.orders.get(orderKey(sub, c.path["out_trade_no"])); {
	case !known, o.Combine != "":
		return nil, orderNotExist
	case o.Transaction != "":
		return nil, orderPaid
	default:
		o.Closed = true // closing again is answered the same
		s.orders.put(o.key(), o)
		return nil, nil
	}
}

// payable finds the order that a user is about to pay: by out_trade_no, of whatever sub-merchant.
func (s *state) payable(number string, now time.Time) (order, error) {
	o, known := s.orders.get(number)
	if !known {
		for _, other := range s.orders.rows {
			if other.Number == number {
				if known {
					return order{}, fmt.Errorf("several sub-merchants have an order %q; put SUB_MCHID/ before it", number)
				}
				o, known = other, true
			}
		}
	}
	life := prepayLife
	if o.Way == "MWEB" {
		life = h5Life
	}
	switch {
	case !known:
		return o, fmt.Errorf("there is no order %q", number)
	case o.Combine != "":
		return o, fmt.Errorf("the order %q is a part of the combined order %q, which is paid as a whole", number, o.Combine)
	case o.Closed:
		return o, fmt.Errorf("the order %q is closed", number)
	case o.Transaction != "":
		return o, fmt.Errorf("the order %q is paid", number)
	case now.Sub(o.Prepaid) > life && s.view.holds(Expiry):
		return o, expiredPrepay(number, life)
	}
	return o, nil
}

func expiredPrepay(number string, life time.Duration) error {
	return fmt.Errorf("what the order %q is paid with has expired after %v: the merchant has to create it again, with the same parameters", number, life)
}

// Pay lets the user pay an order or a combined order, and returns the transaction_id. number is out_trade_no or
// combine_out_trade_no; of two sub-merchants' orders with the same number it is SUB_MCHID/out_trade_no. An order that does
// not exist, is closed or paid is an error, and so is one whose prepay_id, code_url or h5_url has expired. The merchant is
// notified at the order's notify_url.
func (s *Sandbox) Pay(number string) (transactionID string, err error) { return s.PayAs(number, "") }

// PayAs is [Sandbox.Pay] by the user with that openid. A JSAPI order is for one user, so another is an error; an empty openid
// is whoever it is for.
func (s *Sandbox) PayAs(number, openID string) (transactionID string, err error) {
	now := s.clock()
	st := s.state.begin(now)
	if m, combined := st.combined.get(number); combined {
		transactionID, err = st.payCombined(m, openID, now)
	} else {
		var o order
		if o, err = st.payable(number, now); err == nil {
			if o.OpenID, err = payerOf(o.Way, o.OpenID, openID); err == nil {
				transactionID = st.pay(o, now)
			}
		}
	}
	if failed := st.end(); failed != nil {
		return "", failed
	}
	if err != nil {
		return "", fmt.Errorf("sandbox: pay: %w", err)
	}
	return transactionID, nil
}

// payerOf says who pays.
func payerOf(way, expected, openID string) (string, error) {
	switch {
	case openID == "" || openID == expected:
		return expected, nil
	case way == "JSAPI":
		return "", errors.New("the order is for another user: a JSAPI order names its payer")
	}
	return openID, nil
}

// FailPayment lets a payment fail, as when the bank refuses it or the user turns away: nobody is notified, and the order can
// still be paid. Its state stays NOTPAY; only the parts of a combined order become PAYERROR. number is as for [Sandbox.Pay].
func (s *Sandbox) FailPayment(number string) error {
	now := s.clock()
	st := s.state.begin(now)
	var err error
	if m, combined := st.combined.get(number); combined {
		err = st.failCombined(m, now)
	} else {
		_, err = st.payable(number, now)
	}
	if failed := st.end(); failed != nil {
		return failed
	}
	if err != nil {
		return fmt.Errorf("sandbox: fail a payment: %w", err)
	}
	return nil
}

// pay makes the order paid.
func (s *state) pay(o order, now time.Time) (transactionID string) {
	o = s.charge(o, now)
	notify, _ := readRequest(o.Request)["notify_url"].(string)
	s.announce(notify, "TRANSACTION.SUCCESS", o.resource())
	return o.Transaction
}

// charge makes the order paid and tells nobody.
func (s *state) charge(o order, now time.Time) order {
	o.Transaction, o.PaidAt, o.Failed = s.platformNumber("4200001234", 28, now), now, false
	s.orders.put(o.key(), o)
	s.transactions.put(o.Transaction, o.key())
	s.enterFor(o.Sub, PaymentEffect, o.Number, o.Total, now, "")
	return o
}

// resource is what the notification of the payment says.
func (o order) resource() map[string]any {
	resource := pickMembers(o.tell(), "appid", "mchid", "sp_appid", "sp_mchid", "sub_appid", "sub_mchid", "out_trade_no", "transaction_id", "trade_type", "trade_state", "bank_type",
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
