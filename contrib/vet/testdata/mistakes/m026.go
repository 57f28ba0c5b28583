package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m026: out_trade_no is called out_trade_num.
// want wxbody
func m026(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/native").Post(ctx, wxpay.JSON{
		"description":   o.Title,
		"notify_url":    notify,
		"amount":        wxpay.JSON{"total": o.Total},
		"out_trade_num": o.Number,
	})
	return err
}
