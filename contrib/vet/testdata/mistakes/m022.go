package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m022: the total is in yuan with a fraction.
// report https://github.com/wechatpay-apiv3/wechatpay-apache-httpclient/issues/70
// want wxbody
func m022(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/native").Post(ctx, wxpay.JSON{
		"description":  o.Title,
		"out_trade_no": o.Number,
		"notify_url":   notify,
		"amount":       wxpay.JSON{"total": 0.1},
	})
	return err
}
