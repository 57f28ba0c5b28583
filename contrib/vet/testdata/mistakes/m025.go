package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m025: out_trade_no is a number.
// report https://github.com/yansongda/pay/issues/705
// want wxbody
func m025(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/native").Post(ctx, wxpay.JSON{
		"description":  o.Title,
		"out_trade_no": o.ID,
		"notify_url":   notify,
		"amount":       wxpay.JSON{"total": o.Total},
	})
	return err
}
