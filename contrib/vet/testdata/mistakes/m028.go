package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m028: the amount is called total_fee, as in APIv2 (public report).
// want wxbody
func m028(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/native").Post(ctx, wxpay.JSON{
		"description":  o.Title,
		"out_trade_no": o.Number,
		"notify_url":   notify,
		"amount":       wxpay.JSON{"total_fee": o.Total},
	})
	return err
}
