// Package amount takes payments.
package amount

import (
	"context"

	"github.com/wxpay-go/wxpay"
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
	numbers := make(chan string, 1)
	h.On(webhook.TransactionSuccess, func(ctx context.Context, e *webhook.Event) error {
		numbers <- e.Get("out_trade_no").String()
		return nil
	})
	h.On(webhook.TransactionSuccess, func(ctx context.Context, e *webhook.Event) error {
		return ask(ctx, e.Get("out_trade_no").String())
	})
	h.On(webhook.TransactionSuccess, func(ctx context.Context, e *webhook.Event) error {
		return indirectly(ctx, e.Get("out_trade_no").String())
	})
}

var client *wxpay.Client

// ask compares what the platform says.
func ask(ctx context.Context, number string) error {
	res, err := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", number).Query("mchid", "1900000109").Get(ctx)
	if err == nil && res.Get("amount.total").Int() != 1 {
		err = context.Canceled
	}
	return err
}

func indirectly(ctx context.Context, number string) error { return ask(ctx, number) }

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
