package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m002: the path lacks v3.
// want wxpath
func m002(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("pay/transactions/native").Post(ctx, wxpay.JSON{
		"description":  o.Title,
		"out_trade_no": o.Number,
		"notify_url":   notify,
		"amount":       wxpay.JSON{"total": o.Total},
	})
	return err
}
