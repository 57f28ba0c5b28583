package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m024: the payer has open_id in place of openid.
// report https://github.com/lokielse/omnipay-wechatpay/issues/111
// want wxbody
func m024(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/jsapi").Post(ctx, wxpay.JSON{
		"description":  o.Title,
		"out_trade_no": o.Number,
		"notify_url":   notify,
		"amount":       wxpay.JSON{"total": o.Total},
		"payer":        wxpay.JSON{"open_id": o.OpenID},
	})
	return err
}
