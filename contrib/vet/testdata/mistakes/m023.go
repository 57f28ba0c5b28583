package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m023: the total is a float of yuan times a hundred.
// report https://github.com/wechatpay-apiv3/wechatpay-php/issues/43
// want wxbody
func m023(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/native").Post(ctx, wxpay.JSON{
		"description":  o.Title,
		"out_trade_no": o.Number,
		"notify_url":   notify,
		"amount":       wxpay.JSON{"total": o.Yuan * 100},
	})
	return err
}
