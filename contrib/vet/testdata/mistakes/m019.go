package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m019: the amount is missing (public report).
// want wxbody
func m019(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/native").Post(ctx, wxpay.JSON{
		"description":  o.Title,
		"out_trade_no": o.Number,
		"notify_url":   notify,
	})
	return err
}
