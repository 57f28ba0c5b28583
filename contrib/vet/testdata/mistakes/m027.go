package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m027: description is called body, as in APIv2 (public report).
// want wxbody
func m027(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/native").Post(ctx, wxpay.JSON{
		"out_trade_no": o.Number,
		"notify_url":   notify,
		"amount":       wxpay.JSON{"total": o.Total},
		"body":         o.Title,
	})
	return err
}
