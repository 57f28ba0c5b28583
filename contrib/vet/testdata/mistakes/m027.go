package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m027: the merchant number is a number.
// report https://github.com/yansongda/pay/issues/522
// want wxbody
func m027(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/native").Post(ctx, wxpay.JSON{
		"mchid":        1900000109,
		"description":  o.Title,
		"out_trade_no": o.Number,
		"notify_url":   notify,
		"amount":       wxpay.JSON{"total": o.Total},
	})
	return err
}
