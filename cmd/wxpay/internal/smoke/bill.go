package smoke

import (
	"context"
	"errors"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/wxbill"
)

// secondDay looks the payment and its refund up in the bill.
func (r *runner) secondDay(ctx context.Context) {
	r.transcript.begin(stepBill)
	bill, err := r.client.Chain("v3/bill/tradebill").Query("bill_date", r.date).Bill(ctx)
	switch {
	case errors.Is(err, wxpay.ErrNotReady):
		r.add(stepBill, failed, shell.Say("the platform has not made the bill of %s yet: ask again after 10:00 of the next day, Beijing time", r.date))
		return
	case err != nil:
		r.unsent = wxpay.OutcomeOf(err) == wxpay.NotSent
		r.add(stepBill, failed, shell.Say("%s", shell.Plainly(err)))
		return
	}
	defer bill.Close()
	rows, odd := 0, 0
	var paid, refunded []wxpay.Row
	for row, err := range bill.Rows() {
		switch {
		case err != nil && len(row.Values()) == 0:
			odd++
			continue
		case err != nil:
			odd++
		}
		rows++
		switch {
		case row.Get(wxbill.OutTradeNo) != r.number:
		case row.Get(wxbill.OutRefundNo) == r.refundNumber():
			refunded = append(refunded, row)
		case row.Get(wxbill.TradeState) == "SUCCESS":
			paid = append(paid, row)
		}
	}
	if odd > 0 {
		r.add(stepBill, failed, shell.Say("the bill of %s has %d rows, and %d lines that are no right row", r.date, rows, odd))
	} else {
		r.add(stepBill, done, shell.Say("the bill of %s has %d rows", r.date, rows))
	}
	r.inBill(stepPayment, paid, wxbill.Amount, wxbill.TradeState)
	r.inBill(stepRefund, refunded, wxbill.Refund, wxbill.RefundState)
}

// inBill tells whether the bill has one row with the fen.
func (r *runner) inBill(name string, rows []wxpay.Row, amount, state string) {
	if len(rows) != 1 {
		r.add(name, failed, shell.Say("the bill has %d rows of it, for order %s; what happened after midnight stands in the bill of the next day",
			len(rows), r.number))
		return
	}
	fen, err := rows[0].Fen(amount)
	is := shell.Bounded(rows[0].Get(state))
	switch {
	case err != nil:
		r.add(name, failed, shell.Say("%s", shell.Plainly(err)))
	case fen != total:
		r.add(name, failed, shell.Say("the bill has %d fen for it, and it was %d", fen, total))
	case is != "SUCCESS":
		r.add(name, unknown, shell.Say("the bill has it in the state %s; to ask: wxpay resolve POST %s %s%s", is, refundPath, r.refundNumber(), r.flags()))
	default:
		r.add(name, done, shell.Say("the bill has it, with %d fen", fen))
	}
}
