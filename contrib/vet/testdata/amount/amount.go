// Package amount takes payments.
package amount

import (
	"context"

	"github.com/wxpay-go/wxpay/webhook"
)

type payment struct {
	Number string `json:"out_trade_no"`
	Amount struct {
		Total int64 `json:"total"`
	} `json:"amount"`
}

func right(h *webhook.Handler, paid func(string, int64) error, other func(context.Context, *webhook.Event) error) {
	h.On(webhook.TransactionSuccess, func(ctx context.Context, e *webhook.Event) error {
		total, err := e.Fen("amount.total")
		if err != nil {
			return err
		}
		return paid(e.Get("out_trade_no").String(), total)
	})
	h.On(webhook.TransactionSuccess, func(ctx context.Context, e *webhook.Event) error {
		_ = e.Get("out_trade_no").String()
		return other(ctx, e)
	})
	h.On(webhook.TransactionSuccess, func(ctx context.Context, e *webhook.Event) error {
		return webhook.Payment{OutTradeNo: e.Get("out_trade_no").String(), Total: 1}.Check(e)
	})
	webhook.On(h, webhook.TransactionSuccess, func(ctx context.Context, e *webhook.Event, p payment) error {
		return paid(p.Number, p.Amount.Total)
	})
	h.On(webhook.TransactionSuccess, other)
}

func wrong(h *webhook.Handler, paid func(string) error) {
	h.On(webhook.TransactionSuccess, func(ctx context.Context, e *webhook.Event) error { // want `does not look at amount.total`
		return paid(e.Get("out_trade_no").String())
	})
	webhook.On(h, "TRANSACTION.SUCCESS", func(ctx context.Context, e *webhook.Event, p payment) error { // want `does not look at amount.total`
		return paid(p.Number)
	})
	s := shop{paid}
	h.On("TRANSACTION.SUCCESS", s.took) // want `does not look at amount.total`
}

type shop struct{ paid func(string) error }

func (s shop) took(ctx context.Context, e *webhook.Event) error {
	number, err := e.Text("out_trade_no")
	if err != nil {
		return err
	}
	return s.paid(number)
}
