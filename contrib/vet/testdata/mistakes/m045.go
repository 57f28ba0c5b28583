package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m045: profit_sharing is a text (public report).
// want wxbody
func m045(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/jsapi").Post(ctx, wxpay.JSON{
		"description":  o.Title,
		"out_trade_no": o.Number,
		"notify_url":   notify,
		"amount":       wxpay.JSON{"total": o.Total},
		"payer":        wxpay.JSON{"openid": o.OpenID},
		"settle_info":  wxpay.JSON{"profit_sharing": "true"},
	})
	return err
}
