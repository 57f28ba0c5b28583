package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m028: the order of a service provider goes to a merchant's own path.
// report https://github.com/wechatpay-apiv3/wechatpay-go/issues/72
// want wxbody
func m028(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/jsapi").Post(ctx, wxpay.JSON{
		"sp_appid":     appid,
		"sp_mchid":     mchid,
		"sub_mchid":    "1900000110",
		"description":  o.Title,
		"out_trade_no": o.Number,
		"notify_url":   notify,
		"amount":       wxpay.JSON{"total": o.Total},
		"payer":        wxpay.JSON{"openid": o.OpenID},
	})
	return err
}
