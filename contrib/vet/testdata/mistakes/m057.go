package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m057: the payer of a service provider's order has openid.
// report https://github.com/ArtisanCloud/PowerWeChat/issues/315
// want wxbody
func m057(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/partner/transactions/jsapi").Post(ctx, wxpay.JSON{
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
