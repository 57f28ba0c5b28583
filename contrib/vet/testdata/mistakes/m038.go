package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m038: the description has an emoji.
// want wxbody
func m038(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/native").Post(ctx, wxpay.JSON{
		"description":  "🎁 gift",
		"out_trade_no": o.Number,
		"notify_url":   notify,
		"amount":       wxpay.JSON{"total": o.Total},
	})
	return err
}
