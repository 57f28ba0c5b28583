package order

import (
	"cmp"
	"fmt"
	"maps"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/ledger"
	"github.com/wxpay-go/wxpay/sandbox/internal/sample"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// maxParts is how many orders can be combined.
const maxParts = 50

const combinedOrders = "/v3/combine-transactions/"

// subOrder is a sub order as a request names it.
type subOrder struct {
	object      map[string]any
	sub, number string
	total       int64
}

// parts reads the sub orders of a request. amounts says that they have them.
func (f *Flow) parts(c *gate.Call, amounts bool) ([]subOrder, *say.Rejection) {
	sent := c.Object["sub_orders"].([]any)
	if len(sent) < 1 || len(sent) > maxParts {
		return nil, say.FieldError("body", "/sub_orders", len(sent), say.Unfitting(fmt.Sprintf("子单数量应为1至%d", maxParts), fmt.Sprintf("there must be 1 to %d orders", maxParts)))
	}
	list, seen := make([]subOrder, len(sent)), make(map[string]bool)
	for i := range sent {
		place := fmt.Sprintf("/sub_orders/%d", i)
		object := sent[i].(map[string]any)
		p := subOrder{object: object, number: object["out_trade_no"].(string)}
		p.sub, _ = object["sub_mchid"].(string)
		if seen[ledger.Key(p.sub, p.number)] {
			return nil, say.FieldError("body", place+"/out_trade_no", p.number, say.Unfitting("子单商户订单号重复", "two of the orders have this number"))
		}
		seen[ledger.Key(p.sub, p.number)] = true
		if p.sub != "" {
			if rejected := c.CheckRelation(p.sub); rejected != nil {
				return nil, rejected
			}
		}
		if amounts {
			amount := object["amount"].(map[string]any)
			var rejected *say.Rejection
			if p.total, rejected = gate.CheckAmount(place+"/amount/total_amount", amount["total_amount"]); rejected != nil {
				return nil, rejected
			}
			currency, _ := amount["currency"].(string)
			if rejected := gate.CheckCurrency(place+"/amount/currency", currency); rejected != nil {
				return nil, rejected
			}
		}
		list[i] = p
	}
	return list, nil
}

func (f *Flow) createCombined(c *gate.Call, way string) (any, *say.Rejection) {
	if rejected := c.CheckMerchant("body", "/combine_mchid", c.Field("combine_mchid")); rejected != nil {
		return nil, rejected
	}
	parts, rejected := f.parts(c, true)
	if rejected != nil {
		return nil, rejected
	}
	if rejected := c.CheckNotifyURL(); rejected != nil {
		return nil, rejected
	}
	payer, _ := c.Object["combine_payer_info"].(map[string]any)
	openID, _ := payer["openid"].(string)
	if own, _ := payer["sub_openid"].(string); way == "JSAPI" && openID == "" && own == "" {
		return nil, say.FieldError("body", "/combine_payer_info/openid", "", say.IssueRequired)
	}
	number, request := c.Field("combine_out_trade_no"), string(say.JSON(c.Object))
	defer c.Begin().Commit()
	if rejected := f.CheckAppID(c.Field("combine_appid")); rejected != nil {
		return nil, rejected
	}
	m, known := f.combined.Get(number)
	switch {
	case known && (m.Way != way || m.Request != request):
		return nil, numberUsed
	case known && m.Paid != "":
		return nil, orderPaid
	case known && m.Closed:
		return nil, orderClosed
	case !known:
		expires, rejected := f.timeExpire(c, way)
		if rejected != nil {
			return nil, rejected
		}
		m = combined{Number: number, Request: request, Way: way, OpenID: cmp.Or(openID, say.AnyPayer), Since: c.Now, Expires: expires}
		for _, p := range parts {
			if _, used := f.orders.Get(ledger.Key(p.sub, p.number)); used {
				return nil, numberUsed
			}
		}
		for _, p := range parts {
			o := Order{Number: p.number, Sub: p.sub, Combine: number, Request: string(say.JSON(p.object)), Way: way, Total: p.total, OpenID: m.OpenID, Since: c.Now}
			if settle, ok := p.object["settle_info"].(map[string]any); ok {
				o.Sharing, _ = settle["profit_sharing"].(bool)
			}
			f.orders.Put(o.Key(), o)
			f.Ledger.EnterFor(o.Sub, "order", o.Number, o.Total, c.Now, o.Request)
			m.Parts = append(m.Parts, o.Key())
		}
	}
	response := prepaid(way, c.Now)
	m.Prepaid, m.Links = c.Now, addLink(m.Links, response)
	f.combined.Put(number, m)
	return response, nil
}

func (f *Flow) queryCombined(c *gate.Call) (any, *say.Rejection) {
	defer c.Begin().Commit()
	m, known := f.combined.Get(c.Path["combine_out_trade_no"])
	if !known || c.Hides(m.Since) {
		return nil, orderNotExist
	}
	return f.tellCombined(m), nil
}

// tellCombined returns a combined order as queries and notifications tell it.
func (f *Flow) tellCombined(m combined) map[string]any {
	response := sample.Named(book.ReadObject(m.Request), "combine_appid", "combine_mchid", "combine_out_trade_no", "scene_info")
	if scene, ok := response["scene_info"].(map[string]any); ok {
		response["scene_info"] = sample.Named(scene, "device_id")
	}
	if m.Paid != "" {
		response["combine_transaction_id"] = m.Paid
		response["combine_payer_info"] = map[string]any{"openid": m.OpenID}
	}
	parts := make([]any, len(m.Parts))
	for i, key := range m.Parts {
		o, _ := f.orders.Get(key)
		sent := book.ReadObject(o.Request)
		told := sample.Named(sent, "mchid", "sub_mchid", "sub_appid", "out_trade_no", "attach")
		told["trade_type"], told["trade_state"] = o.Way, o.State()
		amount := map[string]any{"total_amount": o.Total, "currency": "CNY", "payer_amount": 0}
		if o.Transaction != "" {
			told["transaction_id"], told["bank_type"], told["success_time"] = o.Transaction, "OTHERS", say.Time(o.PaidAt)
			amount["payer_amount"], amount["payer_currency"] = o.Total, "CNY"
		}
		told["amount"] = amount
		parts[i] = told
	}
	response["sub_orders"] = parts
	return response
}

// closeCombined closes all parts at once: the request names every one of them.
func (f *Flow) closeCombined(c *gate.Call) (any, *say.Rejection) {
	parts, rejected := f.parts(c, false)
	if rejected != nil {
		return nil, rejected
	}
	defer c.Begin().Commit()
	m, known := f.combined.Get(c.Path["combine_out_trade_no"])
	if !known {
		return nil, orderNotExist
	}
	named := make(map[string]bool)
	for _, p := range parts {
		named[ledger.Key(p.sub, p.number)] = true
	}
	wanted := make(map[string]bool)
	for _, key := range m.Parts {
		wanted[key] = true
	}
	switch {
	case book.ReadObject(m.Request)["combine_appid"] != c.Object["combine_appid"]:
		return nil, say.FieldError("body", "/combine_appid", c.Object["combine_appid"], say.Unfitting("与下单时不一致", "it is not that of the order"))
	case !maps.Equal(named, wanted):
		return nil, say.FieldError("body", "/sub_orders", len(parts), say.Unfitting("子单与下单时不一致", "they are not the parts of this combined order"))
	case m.Paid != "":
		return nil, orderPaid
	}
	f.endCombined(m)
	return nil, nil
}

// endCombined closes a combined order with its parts.
func (f *Flow) endCombined(m combined) {
	m.Closed, m.Expires = true, time.Time{}
	f.combined.Put(m.Number, m)
	for _, key := range m.Parts {
		o, _ := f.orders.Get(key)
		o.Closed, o.Failed = true, false
		f.orders.Put(key, o)
	}
}

// expireCombined closes a combined order whose time is over.
func (f *Flow) expireCombined(number string, m combined, _ time.Time) {
	if f.Rules.Holds(gate.Expiry) {
		f.endCombined(m)
		return
	}
	m.Expires = time.Time{}
	f.combined.Put(number, m)
}

func (f *Flow) payableCombined(m combined, now time.Time) error {
	life := prepayLife
	if m.Way == "MWEB" {
		life = h5Life
	}
	switch {
	case m.Closed:
		return fmt.Errorf("the order %q is closed", m.Number)
	case m.Paid != "":
		return fmt.Errorf("the order %q is paid", m.Number)
	case now.Sub(m.Prepaid) > life && f.Rules.Holds(gate.Expiry):
		return expiredPrepay(m.Number, life)
	}
	return nil
}

// payCombined makes all parts paid, each with a transaction of its own, and tells of them together.
func (f *Flow) payCombined(m combined, openID string, now time.Time) (string, error) {
	if err := f.payableCombined(m, now); err != nil {
		return "", err
	}
	payer, err := payerOf(m.Way, m.OpenID, openID)
	if err != nil {
		return "", err
	}
	m.OpenID, m.Paid = payer, f.Number("4200004321", 28, now)
	for _, key := range m.Parts {
		o, _ := f.orders.Get(key)
		o.OpenID = payer
		f.Charge(o, now)
	}
	f.combined.Put(m.Number, m)
	notify, _ := book.ReadObject(m.Request)["notify_url"].(string)
	f.Post.Announce(notify, "TRANSACTION.SUCCESS", f.tellCombined(m))
	return m.Paid, nil
}

func (f *Flow) failCombined(m combined, now time.Time) error {
	if err := f.payableCombined(m, now); err != nil {
		return err
	}
	for _, key := range m.Parts {
		o, _ := f.orders.Get(key)
		o.Failed = true
		f.orders.Put(key, o)
	}
	return nil
}
