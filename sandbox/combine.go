package sandbox

import (
	"fmt"
	"maps"
	"time"
)

// combined is a combined order: several orders that the user pays at once.
type combined struct {
	Number  string    `json:"number"`  // combine_out_trade_no
	Request string    `json:"request"` // in canonical JSON
	Way     string    `json:"way"`     // trade_type
	Parts   []string  `json:"parts"`   // keys of the orders
	OpenID  string    `json:"openid"`
	Since   time.Time `json:"since"`
	Prepaid time.Time `json:"prepaid"`
	Expires time.Time `json:"expires,omitzero"`
	Closed  bool      `json:"closed,omitempty"`
	Paid    string    `json:"paid,omitempty"` // combine_transaction_id
}

func (m combined) due() time.Time {
	if m.Paid != "" || m.Closed {
		return time.Time{}
	}
	return m.Expires
}

// maxParts is how many orders can be combined.
const maxParts = 50

const combinedOrders = "/v3/combine-transactions/"

// combineOperations are those of combined orders.
func combineOperations() []operation {
	const byNumber = combinedOrders + "out-trade-no/{combine_out_trade_no}"
	number := limit{min: 2, max: 32, charset: orderChars}
	list := []operation{
		{Operation: documented("GET", byNumber), limits: map[string]limit{"combine_out_trade_no": number}, do: (*call).queryCombined},
		{Operation: documented("POST", byNumber+"/close"), limits: map[string]limit{"combine_out_trade_no": number}, do: (*call).closeCombined},
	}
	for path, way := range ways {
		list = append(list, operation{
			Operation: documented("POST", combinedOrders+path),
			limits:    map[string]limit{"/combine_appid": {min: 1, max: 32}, "/combine_out_trade_no": number, "/notify_url": {min: 1, max: 255}},
			do:        func(c *call) (any, *refusal) { return c.createCombined(way) },
		})
	}
	return list
}

// subOrder is a sub order as a request names it.
type subOrder struct {
	object      map[string]any
	sub, number string
	total       int64
}

// parts reads the sub orders of a request. amounts says that they have them.
func (c *call) parts(amounts bool) ([]subOrder, *refusal) {
	sent := c.object["sub_orders"].([]any)
	if len(sent) < 1 || len(sent) > maxParts {
		return nil, memberError("body", "/sub_orders", len(sent), text{fmt.Sprintf("子单数量应为1至%d", maxParts), fmt.Sprintf("there must be 1 to %d orders", maxParts)})
	}
	list, seen := make([]subOrder, len(sent)), make(map[string]bool)
	for i := range sent {
		place := fmt.Sprintf("/sub_orders/%d", i)
		object := sent[i].(map[string]any)
		p := subOrder{object: object, number: object["out_trade_no"].(string)}
		p.sub, _ = object["sub_mchid"].(string)
		if issue := tradeNumber.check(p.number); issue != nil {
			return nil, memberError("body", place+"/out_trade_no", p.number, *issue)
		}
		if seen[orderKey(p.sub, p.number)] {
			return nil, memberError("body", place+"/out_trade_no", p.number, text{"子单商户订单号重复", "two of the orders have this number"})
		}
		seen[orderKey(p.sub, p.number)] = true
		if p.sub != "" {
			if refused := c.checkRelation(p.sub); refused != nil {
				return nil, refused
			}
		}
		if amounts {
			amount := object["amount"].(map[string]any)
			var refused *refusal
			if p.total, refused = checkAmount(place+"/amount/total_amount", amount["total_amount"]); refused != nil {
				return nil, refused
			}
			if amount["currency"] != "CNY" {
				return nil, memberError("body", place+"/amount/currency", amount["currency"], text{"境内商户仅支持CNY", "mainland merchants have CNY only"})
			}
		}
		list[i] = p
	}
	return list, nil
}

func (c *call) createCombined(way string) (any, *refusal) {
	if refused := c.checkMerchant("body", "/combine_mchid", c.member("combine_mchid")); refused != nil {
		return nil, refused
	}
	parts, refused := c.parts(true)
	if refused != nil {
		return nil, refused
	}
	if refused := c.checkNotifyURL(); refused != nil {
		return nil, refused
	}
	payer, _ := c.object["combine_payer_info"].(map[string]any)
	openID, _ := payer["openid"].(string)
	if own, _ := payer["sub_openid"].(string); way == "JSAPI" && openID == "" && own == "" {
		return nil, memberError("body", "/combine_payer_info/openid", "", issueRequired)
	}
	number, request := c.member("combine_out_trade_no"), string(marshal(c.object))
	s := c.begin()
	defer s.commit()
	if refused := s.checkAppID(c.member("combine_appid")); refused != nil {
		return nil, refused
	}
	m, known := s.combined.get(number)
	switch {
	case known && (m.Way != way || m.Request != request):
		return nil, numberUsed
	case known && m.Paid != "":
		return nil, orderPaid
	case known && m.Closed:
		return nil, orderClosed
	case !known:
		expires, refused := c.timeExpire(way)
		if refused != nil {
			return nil, refused
		}
		m = combined{Number: number, Request: request, Way: way, OpenID: or(openID, anyPayer), Since: c.now, Expires: expires}
		for _, p := range parts {
			if _, used := s.orders.get(orderKey(p.sub, p.number)); used {
				return nil, numberUsed
			}
		}
		for _, p := range parts {
			o := order{Number: p.number, Sub: p.sub, Combine: number, Request: string(marshal(p.object)), Way: way, Total: p.total, OpenID: m.OpenID, Since: c.now}
			if settle, ok := p.object["settle_info"].(map[string]any); ok {
				o.Sharing, _ = settle["profit_sharing"].(bool)
			}
			s.orders.put(o.key(), o)
			s.enterFor(o.Sub, OrderEffect, o.Number, o.Total, c.now, o.Request)
			m.Parts = append(m.Parts, o.key())
		}
	}
	m.Prepaid = c.now
	s.combined.put(number, m)
	return prepaid(way, c.now), nil
}

func (c *call) queryCombined() (any, *refusal) {
	s := c.begin()
	defer s.commit()
	m, known := s.combined.get(c.path["combine_out_trade_no"])
	if !known || c.hides(m.Since) {
		return nil, orderNotExist
	}
	return s.tellCombined(m), nil
}

// tellCombined returns a combined order as queries and notifications tell it.
func (s *state) tellCombined(m combined) map[string]any {
	answer := pickMembers(readRequest(m.Request), "combine_appid", "combine_mchid", "combine_out_trade_no", "scene_info")
	if scene, ok := answer["scene_info"].(map[string]any); ok {
		answer["scene_info"] = pickMembers(scene, "device_id")
	}
	if m.Paid != "" {
		answer["combine_transaction_id"] = m.Paid
		answer["combine_payer_info"] = map[string]any{"openid": m.OpenID}
	}
	parts := make([]any, len(m.Parts))
	for i, key := range m.Parts {
		o, _ := s.orders.get(key)
		sent := readRequest(o.Request)
		told := pickMembers(sent, "mchid", "sub_mchid", "sub_appid", "out_trade_no", "attach")
		told["trade_type"], told["trade_state"] = o.Way, o.current()
		amount := map[string]any{"total_amount": o.Total, "currency": "CNY", "payer_amount": 0}
		if o.Transaction != "" {
			told["transaction_id"], told["bank_type"], told["success_time"] = o.Transaction, "OTHERS", platformTime(o.PaidAt)
			amount["payer_amount"], amount["payer_currency"] = o.Total, "CNY"
		}
		told["amount"] = amount
		parts[i] = told
	}
	answer["sub_orders"] = parts
	return answer
}

// closeCombined closes all parts at once: the request names every one of them.
func (c *call) closeCombined() (any, *refusal) {
	parts, refused := c.parts(false)
	if refused != nil {
		return nil, refused
	}
	s := c.begin()
	defer s.commit()
	m, known := s.combined.get(c.path["combine_out_trade_no"])
	if !known {
		return nil, orderNotExist
	}
	named := make(map[string]bool)
	for _, p := range parts {
		named[orderKey(p.sub, p.number)] = true
	}
	wanted := make(map[string]bool)
	for _, key := range m.Parts {
		wanted[key] = true
	}
	switch {
	case readRequest(m.Request)["combine_appid"] != c.object["combine_appid"]:
		return nil, memberError("body", "/combine_appid", c.object["combine_appid"], text{"与下单时不一致", "it is not that of the order"})
	case !maps.Equal(named, wanted):
		return nil, memberError("body", "/sub_orders", len(parts), text{"子单与下单时不一致", "they are not the parts of this combined order"})
	case m.Paid != "":
		return nil, orderPaid
	}
	s.endCombined(m)
	return nil, nil
}

// endCombined closes a combined order with its parts.
func (s *state) endCombined(m combined) {
	m.Closed, m.Expires = true, time.Time{}
	s.combined.put(m.Number, m)
	for _, key := range m.Parts {
		o, _ := s.orders.get(key)
		o.Closed, o.Failed = true, false
		s.orders.put(key, o)
	}
}

// ripenCombined closes a combined order whose time is over.
func (s *state) ripenCombined(number string, m combined, _ time.Time) {
	if s.view.holds(Expiry) {
		s.endCombined(m)
		return
	}
	m.Expires = time.Time{}
	s.combined.put(number, m)
}

func (m combined) payable(s *state, now time.Time) error {
	life := prepayLife
	if m.Way == "MWEB" {
		life = h5Life
	}
	switch {
	case m.Closed:
		return fmt.Errorf("the order %q is closed", m.Number)
	case m.Paid != "":
		return fmt.Errorf("the order %q is paid", m.Number)
	case now.Sub(m.Prepaid) > life && s.view.holds(Expiry):
		return expiredPrepay(m.Number, life)
	}
	return nil
}

// payCombined makes all parts paid, each with a transaction of its own, and tells of them together.
func (s *state) payCombined(m combined, openID string, now time.Time) (string, error) {
	if err := m.payable(s, now); err != nil {
		return "", err
	}
	payer, err := payerOf(m.Way, m.OpenID, openID)
	if err != nil {
		return "", err
	}
	m.OpenID, m.Paid = payer, s.platformNumber("4200004321", 28, now)
	for _, key := range m.Parts {
		o, _ := s.orders.get(key)
		o.OpenID = payer
		s.charge(o, now)
	}
	s.combined.put(m.Number, m)
	notify, _ := readRequest(m.Request)["notify_url"].(string)
	s.announce(notify, "TRANSACTION.SUCCESS", s.tellCombined(m))
	return m.Paid, nil
}

func (s *state) failCombined(m combined, now time.Time) error {
	if err := m.payable(s, now); err != nil {
		return err
	}
	for _, key := range m.Parts {
		o, _ := s.orders.get(key)
		o.Failed = true
		s.orders.put(key, o)
	}
	return nil
}
