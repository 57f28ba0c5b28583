package order

import (
	"errors"
	"fmt"

	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/visible"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Pay lets the user pay an order or a combined order, and returns the transaction_id. number is
// out_trade_no or combine_out_trade_no; of two sub-merchants' orders with the same number it is
// SUB_MCHID/out_trade_no. An order that does not exist, is closed or paid is an error, and so is
// one whose prepay_id, code_url or h5_url has expired. The merchant is notified at the order's
// notify_url.
func (f *Flow) Pay(number string) (transactionID string, err error) { return f.PayAs(number, "") }

// PayAs is Pay by the user with that openid. A JSAPI order is for one user, so another is an error;
// an empty openid is whoever it is for.
func (f *Flow) PayAs(number, openID string) (transactionID string, err error) {
	b, now := f.Begin()
	if m, combined := f.combined.Get(number); combined {
		transactionID, err = f.payCombined(m, openID, now)
	} else {
		var o Order
		if o, err = f.payable(number, now); err == nil {
			if o.OpenID, err = payerOf(o.Way, o.OpenID, openID); err == nil {
				transactionID = f.pay(o, now)
			}
		}
	}
	if failed := b.End(); failed != nil {
		return "", failed
	}
	if err != nil {
		return "", fmt.Errorf("sandbox: pay: %w", err)
	}
	return transactionID, nil
}

// FailPayment lets a payment fail, as when the bank rejects it or the user turns away: nobody is
// notified, and the order can still be paid. Its state stays NOTPAY; only the parts of a combined
// order become PAYERROR, and a payment by code, which then cannot be paid any more. number is as
// for Pay.
func (f *Flow) FailPayment(number string) error {
	b, now := f.Begin()
	var err error
	if m, combined := f.combined.Get(number); combined {
		err = f.failCombined(m, now)
	} else {
		var o Order
		if o, err = f.payable(number, now); err == nil && o.Way == byCode {
			o.Failed = true
			f.orders.Put(o.Key(), o)
		}
	}
	if failed := b.End(); failed != nil {
		return failed
	}
	if err != nil {
		return fmt.Errorf("sandbox: fail a payment: %w", err)
	}
	return nil
}

// AddPaidOrder puts an order that is paid already, over total fen, and returns its transaction_id:
// the start of a test about refunds. It has no notify_url, so nobody is notified.
func (f *Flow) AddPaidOrder(outTradeNo string, total int64) (transactionID string, err error) {
	if issue := tradeNumber.Check(outTradeNo); issue != nil {
		return "", fmt.Errorf("sandbox: AddPaidOrder: out_trade_no: %s", issue.EN)
	}
	if total < 1 {
		return "", errors.New("sandbox: AddPaidOrder: the total is below 1 fen")
	}
	b, now := f.Begin()
	if _, known := f.orders.Get(outTradeNo); known {
		err = fmt.Errorf("sandbox: AddPaidOrder: there is an order %q already", outTradeNo)
	} else {
		o := Order{
			Number: outTradeNo, Added: true, Way: "NATIVE", Total: total, OpenID: say.AnyPayer, Since: now,
			Request: string(say.JSON(map[string]any{
				"appid": say.SampleAppID, "mchid": f.ID, "description": "sandbox", "out_trade_no": outTradeNo,
				"amount": map[string]any{"total": total, "currency": "CNY"},
			})),
		}
		f.Ledger.Enter("order", outTradeNo, total, now, "")
		transactionID = f.pay(o, now)
	}
	if failed := b.End(); failed != nil {
		return "", failed
	}
	return transactionID, err
}

// BindAppID binds an appid to this merchant. From the first one on, orders with another are 400
// APPID_MCHID_NOT_MATCH; before that the sandbox knows of no bindings and takes every appid.
func (f *Flow) BindAppID(id string) error {
	if err := visible.Word(id); err != nil {
		return fmt.Errorf("sandbox: BindAppID: of the appid %s, %w", redact.Quote(id), err)
	}
	if id == "" || len(id) > 32 {
		return errors.New("sandbox: BindAppID: an appid has 1 to 32 characters")
	}
	b, now := f.Begin()
	if _, known := f.appIDs.Get(id); !known {
		f.appIDs.Put(id, appID{Since: now})
	}
	return b.End()
}
