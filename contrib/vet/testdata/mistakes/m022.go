package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m022: the total is in yuan with a fraction (public report).
// want wxbody
func m022(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/jsapi").Post(ctx, wxpay.JSON{
		"description":  o.Title,
		"out_trade_no": o.Number,
		"notify_url":   notify,
		"amount":       wxpay.JSON{"total": 88.88, "currency": "CNY"},
		"payer":        wxpay.JSON{"openid": o.OpenID},
	})
	return err
}
