package order

import (
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// deducted is the trade_type of a deduction under a contract.
const deducted = "PAP"

// Deduct makes an order that the user of a contract pays at once, and tells notify. request is what
// queries tell of it, and what a repetition must be equal to. A number is charged once: repeating
// it is an error, as with payments by code.
func (f *Flow) Deduct(number, openID, notify string, total int64, request map[string]any, now time.Time) *say.Rejection {
	o := Order{Number: number, Request: string(say.JSON(request)), Way: deducted, Total: total, OpenID: openID, Since: now}
	if known, again := f.orders.Get(o.Key()); again {
		if known.Way != o.Way || known.Added || known.Request != o.Request {
			return numberUsed
		}
		return orderPaid
	}
	f.Ledger.EnterFor("", "order", number, total, now, o.Request)
	f.Post.Announce(notify, "TRANSACTION.SUCCESS", f.Charge(o, now).resource())
	return nil
}
