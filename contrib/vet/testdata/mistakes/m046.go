package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m046: H5 has no scene_info.
// report https://github.com/smartwalle/wxpay/issues/14
// want wxbody
func m046(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/h5").Post(ctx, wxpay.JSON{
		"description":  o.Title,
		"out_trade_no": o.Number,
		"notify_url":   notify,
		"amount":       wxpay.JSON{"total": o.Total},
	})
	return err
}
