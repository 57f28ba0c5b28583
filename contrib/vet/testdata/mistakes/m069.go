package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m069: the prepay id is misspelt.
// want wxresponse
func m069(ctx context.Context, client *wxpay.Client, o order) error {
	res, err := client.Chain("v3/pay/transactions/jsapi").Post(ctx, wxpay.JSON{
		"description":  o.Title,
		"out_trade_no": o.Number,
		"notify_url":   notify,
		"amount":       wxpay.JSON{"total": o.Total},
		"payer":        wxpay.JSON{"openid": o.OpenID},
	})
	if err != nil {
		return err
	}
	return o.set(res.Get("prepayid").String())
}
