package order

import (
	"cmp"
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/ledger"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

func (f *Flow) createOrder(c *gate.Call, way string) (any, *say.Rejection) {
	sub, rejected := f.tradeOf(c, "body", "/", c.Field)
	if rejected != nil {
		return nil, rejected
	}
	amount := c.Object["amount"].(map[string]any)
	total, rejected := gate.CheckAmount("/amount/total", amount["total"])
	if rejected != nil {
		return nil, rejected
	}
	if currency, ok := amount["currency"].(string); ok {
		if rejected := gate.CheckCurrency("/amount/currency", currency); rejected != nil {
			return nil, rejected
		}
	}
	if rejected := c.CheckNotifyURL(); rejected != nil {
		return nil, rejected
	}
	payer, _ := c.Object["payer"].(map[string]any)
	openID, _ := payer["openid"].(string)
	if sub != "" {
		openID, _ = payer["sp_openid"].(string)
		if own, _ := payer["sub_openid"].(string); way == "JSAPI" && openID == "" && own == "" {
			return nil, say.FieldError("body", "/payer/sp_openid", "", say.Unfitting("sp_openid与sub_openid二选一必填", "either sp_openid or sub_openid is required"))
		}
	}

	request := string(say.JSON(c.Object)) // sorted, so that the order of fields has no meaning
	number := c.Object["out_trade_no"].(string)
	defer c.Begin().Commit()
	if rejected := f.CheckAppID(cmp.Or(c.Field("sp_appid"), c.Field("appid"))); rejected != nil {
		return nil, rejected
	}
	o, known := f.orders.Get(ledger.Key(sub, number))
	switch {
	case !known:
		expires, rejected := f.timeExpire(c, way)
		if rejected != nil {
			return nil, rejected
		}
		o = Order{Number: number, Sub: sub, Request: request, Way: way, Total: total, OpenID: cmp.Or(openID, say.AnyPayer), Since: c.Now, Expires: expires}
		if settle, ok := c.Object["settle_info"].(map[string]any); ok {
			o.Sharing, _ = settle["profit_sharing"].(bool)
		}
		f.Ledger.EnterFor(sub, "order", number, total, c.Now, request)
	case o.Way != way || o.Added || o.Request != request || o.Combine != "":
		return nil, numberUsed
	case o.Closed: // a reversed one may be paid, too
		return nil, orderClosed
	case o.Transaction != "":
		return nil, orderPaid
	}
	o.Prepaid = c.Now
	if way == byCode {
		return f.charge(c, o), nil
	}
	response := prepaid(way, c.Now)
	o.Links = addLink(o.Links, response)
	f.orders.Put(o.Key(), o)
	return response, nil
}

func (f *Flow) queryOrder(c *gate.Call) (any, *say.Rejection) {
	return f.showOrder(c, func(sub string) string { return ledger.Key(sub, c.Path["out_trade_no"]) })
}

func (f *Flow) queryTransaction(c *gate.Call) (any, *say.Rejection) {
	return f.showOrder(c, func(string) string {
		key, _ := f.transactions.Get(c.Path["transaction_id"])
		return key
	})
}

// showOrder tells the order of the key that find returns. A part of a combined order is told by the
// query of that alone.
func (f *Flow) showOrder(c *gate.Call, find func(sub string) string) (any, *say.Rejection) {
	sub, rejected := f.tradeOf(c, "query", "", c.Query.Get)
	if rejected != nil {
		return nil, rejected
	}
	defer c.Begin().Commit()
	found, known := f.orders.Get(find(sub))
	if !known || found.Sub != sub || found.Combine != "" || c.Hides(found.Since) {
		return nil, orderNotExist
	}
	return found.tell(), nil
}

func (f *Flow) closeOrder(c *gate.Call) (any, *say.Rejection) {
	sub, rejected := f.tradeOf(c, "body", "/", c.Field)
	if rejected != nil {
		return nil, rejected
	}
	defer c.Begin().Commit()
	switch o, known := f.orders.Get(ledger.Key(sub, c.Path["out_trade_no"])); {
	case !known, o.Combine != "":
		return nil, orderNotExist
	case o.Way == byCode:
		return nil, onlyReversed
	case o.Transaction != "":
		return nil, orderPaid
	default:
		o.Closed = true // closing again is answered the same
		f.orders.Put(o.Key(), o)
		return nil, nil
	}
}

// payable finds the order that a user is about to pay: by out_trade_no, of whatever sub-merchant.
func (f *Flow) payable(number string, now time.Time) (Order, error) {
	o, known := f.orders.Get(number)
	if !known {
		for _, other := range f.orders.Rows() {
			if other.Number == number {
				if known {
					return Order{}, fmt.Errorf("several sub-merchants have an order %q; put SUB_MCHID/ before it", number)
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
	case !o.Reversed.IsZero():
		return o, fmt.Errorf("the payment %q is reversed", number)
	case o.Closed:
		return o, fmt.Errorf("the order %q is closed", number)
	case o.Transaction != "":
		return o, fmt.Errorf("the order %q is paid", number)
	case o.Failed:
		return o, fmt.Errorf("the payment %q has failed; another attempt takes another number", number)
	case o.Way != byCode && now.Sub(o.Prepaid) > life && f.Rules.Holds(gate.Expiry):
		return o, expiredPrepay(number, life)
	}
	return o, nil
}

// pay makes the order paid.
func (f *Flow) pay(o Order, now time.Time) (transactionID string) {
	o = f.Charge(o, now)
	notify, _ := book.ReadObject(o.Request)["notify_url"].(string)
	f.Post.Announce(notify, "TRANSACTION.SUCCESS", o.resource())
	return o.Transaction
}
