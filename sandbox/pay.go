package sandbox

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/wxpay-go/wxpay/fact"
)

// orders are the merchant's orders by out_trade_no.
type orders struct {
	mu sync.Mutex
	by map[string]*order
}

// order is one order: what it was created with, and its state.
type order struct {
	created []byte         // the request in canonical JSON, to tell a repetition from another order under the same number
	members map[string]any // the request's members that queries return; never changed
	state   string
}

// States of an order.
const (
	stateNotPaid = "NOTPAY"
	stateClosed  = "CLOSED"
)

var stateText = map[string]string{stateNotPaid: "订单未支付", stateClosed: "订单已关闭"}

// tradeNumber is the limit of out_trade_no.
var tradeNumber = limit{min: 6, max: 32, charset: orderChars}

// payOperations are those of basic payment.
func payOperations() []operation {
	number := fact.Field{Name: "out_trade_no", Type: fact.String, Required: true}
	merchant := fact.Field{Name: "mchid", Type: fact.String, Required: true}
	return []operation{
		{
			Operation: &fact.Operation{
				Method: "POST", Path: "/v3/pay/transactions/native", Name: "Native下单", Answer: fact.JSONAnswer, Success: 200,
				In: fact.Request{JSON: nativeMembers()}, Docs: []string{"v3/merchant/4012791877"},
			},
			limits: map[string]limit{
				"/appid": {min: 1, max: 32}, "/mchid": {min: 1, max: 32}, "/description": {min: 1, max: 127}, "/attach": {max: 127},
				"/out_trade_no": tradeNumber, "/notify_url": {min: 1, max: 255}, "/goods_tag": {max: 32},
			},
			do: (*call).createNative,
		},
		{
			Operation: &fact.Operation{
				Method: "GET", Path: "/v3/pay/transactions/out-trade-no/{out_trade_no}", Name: "商户订单号查询", Answer: fact.JSONAnswer, Success: 200,
				In: fact.Request{Path: []fact.Field{number}, Query: []fact.Field{merchant}}, Docs: []string{"v3/merchant/4012791859"},
			},
			limits: map[string]limit{"out_trade_no": tradeNumber},
			do:     (*call).queryOrder,
		},
		{
			Operation: &fact.Operation{
				Method: "POST", Path: "/v3/pay/transactions/out-trade-no/{out_trade_no}/close", Name: "关单", Answer: fact.EmptyAnswer, Success: 204,
				In: fact.Request{Path: []fact.Field{number}, JSON: []fact.Field{merchant}}, Docs: []string{"v3/merchant/4012791860"},
			},
			limits: map[string]limit{"out_trade_no": tradeNumber},
			do:     (*call).closeOrder,
		},
	}
}

// nativeMembers are the members of a native order.
func nativeMembers() []fact.Field {
	str := func(name string) fact.Field { return fact.Field{Name: name, Type: fact.String} }
	required := func(f fact.Field) fact.Field { f.Required = true; return f }
	integer := func(name string) fact.Field { return fact.Field{Name: name, Type: fact.Integer} }
	boolean := func(name string) fact.Field { return fact.Field{Name: name, Type: fact.Boolean} }
	object := func(name string, fields ...fact.Field) fact.Field {
		return fact.Field{Name: name, Type: fact.Object, Fields: fields}
	}
	encrypted := func(name string) fact.Field {
		return fact.Field{Name: name, Type: fact.String, Required: true, Cipher: fact.RSA}
	}
	goods := fact.Field{Name: "goods_detail", Type: fact.Objects, Fields: []fact.Field{
		required(str("merchant_goods_id")), str("wechatpay_goods_id"), str("goods_name"), required(integer("quantity")), required(integer("unit_price")),
	}}
	return []fact.Field{
		required(str("appid")), required(str("mchid")), required(str("description")), str("attach"), required(str("out_trade_no")),
		required(object("amount", required(integer("total")), str("currency"))),
		{Name: "time_expire", Type: fact.String, Format: "rfc3339"},
		required(str("notify_url")), str("goods_tag"), {Name: "limit_pay", Type: fact.Strings}, boolean("support_fapiao"),
		object("detail", integer("cost_price"), str("invoice_id"), goods),
		object("scene_info", str("payer_client_ip"), str("device_id"),
			object("store_info", str("id"), required(str("name")), required(str("area_code")), required(str("address")))),
		object("payer", object("identity", required(str("type")), encrypted("number"), encrypted("name"))),
		object("settle_info", boolean("profit_sharing")),
	}
}

// checkMerchant refuses a merchant number other than the caller's.
func (c *call) checkMerchant(location, place, id string) *refusal {
	if id == c.merchant.ID {
		return nil
	}
	return memberError(location, place, id, text{"与Http头Authorization中的mchid不一致", "it differs from mchid in the HTTP header Authorization"})
}

func (c *call) createNative() (any, *refusal) {
	if refused := c.checkMerchant("body", "/mchid", c.object["mchid"].(string)); refused != nil {
		return nil, refused
	}
	amount := c.object["amount"].(map[string]any)
	if total, _ := amount["total"].(json.Number).Int64(); total < 1 {
		r := memberError("body", "/amount/total", amount["total"], text{"小于最小值 1", "it is below the minimum of 1"})
		r.number = numberRange
		return nil, r
	}
	if currency, ok := amount["currency"].(string); ok && currency != "CNY" {
		return nil, memberError("body", "/amount/currency", currency, text{"境内商户仅支持CNY", "mainland merchants have CNY only"})
	}
	notify := c.object["notify_url"].(string)
	if u, err := url.Parse(notify); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || strings.Contains(notify, "?") {
		return nil, memberError("body", "/notify_url", notify, text{"应为不带参数的完整URL", "it must be an absolute URL without a query"})
	}

	created := marshal(c.object) // sorted, so that the order of members has no meaning
	number := c.object["out_trade_no"].(string)
	c.orders.mu.Lock()
	defer c.orders.mu.Unlock()
	switch known := c.orders.by[number]; {
	case known == nil:
		members := maps.Clone(c.object)
		delete(members, "settle_info")
		delete(members, "payer") // the payer's identity is not told; a payer is known only after paying
		amount = maps.Clone(amount)
		amount["currency"] = "CNY"
		members["amount"] = amount
		if c.orders.by == nil {
			c.orders.by = make(map[string]*order)
		}
		c.orders.by[number] = &order{created: created, members: members, state: stateNotPaid}
	case !bytes.Equal(known.created, created):
		return nil, &refusal{
			status: http.StatusForbidden, code: "OUT_TRADE_NO_USED", number: numberOrderMismatch,
			message: text{"商户订单号重复", "out_trade_no was used for another order"}, reason: "an order with this out_trade_no exists, and was created with other parameters",
		}
	case known.state == stateClosed:
		return nil, &refusal{
			status: http.StatusBadRequest, code: "ORDER_CLOSED", number: numberUndocumented,
			message: text{"订单已关闭", "the order is closed"}, reason: "the order is closed, its out_trade_no cannot be used again",
		}
	}
	return struct {
		CodeURL string `json:"code_url"`
	}{"weixin://wxpay/bizpayurl?pr=" + rand.Text()[:9] + "zz"}, nil
}

var orderNotExist = &refusal{
	status: http.StatusNotFound, code: "ORDER_NOT_EXIST", number: numberOrderMissing,
	message: text{"订单不存在", "the order does not exist"}, reason: "no order was created under this out_trade_no",
}

func (c *call) queryOrder() (any, *refusal) {
	if refused := c.checkMerchant("query", "mchid", c.query.Get("mchid")); refused != nil {
		return nil, refused
	}
	c.orders.mu.Lock()
	defer c.orders.mu.Unlock()
	found := c.orders.by[c.path["out_trade_no"]]
	if found == nil {
		return nil, orderNotExist
	}
	answer := maps.Clone(found.members)
	answer["trade_state"], answer["trade_state_desc"] = found.state, stateText[found.state]
	return answer, nil
}

func (c *call) closeOrder() (any, *refusal) {
	if refused := c.checkMerchant("body", "/mchid", c.object["mchid"].(string)); refused != nil {
		return nil, refused
	}
	c.orders.mu.Lock()
	defer c.orders.mu.Unlock()
	found := c.orders.by[c.path["out_trade_no"]]
	if found == nil {
		return nil, orderNotExist
	}
	found.state = stateClosed // closing again is answered the same
	return nil, nil
}
