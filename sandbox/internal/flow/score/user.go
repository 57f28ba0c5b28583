package score

import (
	"errors"
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/sample"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// ConfirmServiceOrder lets the user confirm a pay score order, which becomes DOING.
// PAYSCORE.USER_CONFIRM notifies the merchant at the order's notify_url. An order that does not
// wait for its user is an error.
func (f *Flow) ConfirmServiceOrder(outOrderNo string) error {
	return f.actOnService(outOrderNo, "confirm", func(o *serviceOrder, _ time.Time) error {
		if o.State != serviceCreated {
			return errors.New("the order does not wait for its user, it is " + o.State)
		}
		o.State = serviceDoing
		if o.OpenID == "" {
			o.OpenID = say.AnyPayer
		}
		f.noticeService("PAYSCORE.USER_CONFIRM", *o)
		return nil
	})
}

// PayServiceOrder lets the user pay a pay score order that the merchant has completed, and returns
// the transaction_id. PAYSCORE.USER_PAID notifies the merchant. An order that is not complete, or
// is paid, is an error.
func (f *Flow) PayServiceOrder(outOrderNo string) (transactionID string, err error) {
	err = f.actOnService(outOrderNo, "pay", func(o *serviceOrder, now time.Time) error {
		if o.description() != "MCH_COMPLETE" {
			return errors.New("nothing is to be paid, the order is " + o.State + " " + o.description())
		}
		transactionID = f.collect(*o, now)
		o.State, o.Transaction, o.PaidBy, o.PaidAt = serviceDone, transactionID, "NEWTON", now.In(say.Beijing).Format("20060102150405")
		f.noticeService("PAYSCORE.USER_PAID", *o)
		return nil
	})
	return transactionID, err
}

// collect makes the payment of a pay score order: an order of its own under order_id. The merchant
// can refund it, and bills have it.
func (f *Flow) collect(o serviceOrder, now time.Time) (transactionID string) {
	sub, _ := o.Fields["sub_mchid"].(string)
	request := map[string]any{
		"appid": o.Fields["appid"], "mchid": f.ID, "description": o.Fields["service_introduction"], "out_trade_no": o.ID,
		"amount": map[string]any{"total": o.Total, "currency": "CNY"},
	}
	if sub != "" {
		delete(request, "appid")
		delete(request, "mchid")
		request["sp_appid"], request["sp_mchid"], request["sub_mchid"] = o.Fields["appid"], f.ID, sub
	}
	return f.orders.Charge(order.Order{
		Number: o.ID, Sub: sub, Service: o.Number, Added: true, Way: "JSAPI", Total: o.Total, OpenID: o.OpenID,
		Since: now, Request: string(say.JSON(request)),
	}, now).Transaction
}

// actOnService lets a user act on a pay score order.
func (f *Flow) actOnService(number, what string, act func(*serviceOrder, time.Time) error) error {
	b, now := f.Begin()
	o, known := f.table.Get(number)
	err := fmt.Errorf("sandbox: %s: there is no pay score order %q", what, number)
	if known {
		if err = act(&o, now); err != nil {
			err = fmt.Errorf("sandbox: %s the pay score order %q: %w", what, number, err)
		} else {
			f.table.Put(number, o)
		}
	}
	if failed := b.End(); err == nil {
		err = failed
	}
	return err
}

func (f *Flow) noticeService(event string, o serviceOrder) {
	known := o.tell(f.ID)
	known["out_trade_no"] = o.ID // the number under which the platform collects
	if known["post_payments"] == nil {
		known["post_payments"] = []any{}
	}
	notify, _ := o.Fields["notify_url"].(string)
	f.Post.Announce(notify, event, sample.Resource(event, known))
}
