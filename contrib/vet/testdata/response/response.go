// Package response reads responses and notifications with mistakes and without.
package response

import (
	"context"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
)

type order struct {
	TradeState string `json:"trade_state"`
	Amount     struct {
		Total int64 `json:"total"`
	} `json:"amount"`
	Own string `json:"-"`
}

type misspelt struct {
	TradeStatus string `json:"trade_stat"`
	Amount      struct {
		Total string `json:"total"`
	} `json:"amount"`
}

func right(ctx context.Context, client *wxpay.Client, number, path string, other *wxpay.Response) error {
	res, err := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", number).Get(ctx)
	if err != nil {
		return err
	}
	_ = res.Get("trade_state").String() + res.Get(path).String() + other.Get("anything").String()
	_ = res.Get("promotion_detail.#.coupon_id").Array()
	_ = res.Get("promotion_detail.0.coupon_id").String()
	_ = res.Get(`promotion_detail.#(type=="CASH").coupon_id`).String()
	_ = res.Get("amount").Get("total").Int()
	if _, err := res.Fen("amount.total"); err != nil {
		return err
	}
	found, err := wxpay.Into[order](client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", number).Get(ctx))
	_ = found
	for complaint, err := range client.Chain("v3/merchant-service/complaints-v2").Each(ctx, "data") {
		_, _ = complaint.Get("complaint_id").String(), err
	}
	return err
}

func wrong(ctx context.Context, client *wxpay.Client, number string) error {
	res, err := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", number).Get(ctx)
	if err != nil {
		return err
	}
	_ = res.Get("trade_status").String()          // want `documents no trade_status; did you mean trade_state\?`
	_, _ = res.Fen("total")                       // want `documents no total; did you mean amount.total\?`
	_ = res.Get("amount").Get("totl").Int()       // want `documents no totl; did you mean total\?`
	_, _ = res.Text("amount.total")               // want `amount.total of .* is documented as integer, and Text does not read that`
	_ = res.Need("trade_state", "transaction_di") // want `documents no transaction_di; did you mean transaction_id\?`
	for _, coupon := range res.Get("promotion_detail").Array() {
		_ = coupon.Get("coupon_ids").String() // want `documents no coupon_ids; did you mean coupon_id\?`
	}
	for complaint := range client.Chain("v3/merchant-service/complaints-v2").Each(ctx, "list") { // want `documents no list`
		_ = complaint
	}
	for complaint := range client.Chain("v3/merchant-service/complaints-v2").Each(ctx, "data") {
		_ = complaint.Get("complaintid").String() // want `documents no complaintid; did you mean complaint_id\?`
	}
	found, err := wxpay.Into[misspelt](client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", number).Get(ctx)) // want `documents no trade_stat; did you mean trade_state\?` `amount.total of .* is documented as integer, and the struct takes a string`
	_ = found
	return err
}

func events(h *webhook.Handler) {
	h.On(webhook.TransactionSuccess, func(ctx context.Context, e *webhook.Event) error {
		_ = e.Get("out_trade_no").String()
		_ = e.Get("out_trade_number").String() // want `TRANSACTION.SUCCESS documents no out_trade_number`
		_, err := e.Fen("amount.total")
		return err
	})
	h.On("REFUND.SUCCESS", refunded)
}

func refunded(ctx context.Context, e *webhook.Event) error {
	_ = e.Get("out_refund_no").String()
	_, err := e.Fen("amount.refunds") // want `documents no amount.refunds; did you mean amount.refund\?`
	return err
}
