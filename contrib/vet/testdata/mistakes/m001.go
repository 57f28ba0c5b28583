package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m001: the path has transaction for transactions.
// want wxpath
func m001(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transaction/jsapi").Post(ctx, wxpay.JSON{
		"description":  o.Title,
		"out_trade_no": o.Number,
		"notify_url":   notify,
		"amount":       wxpay.JSON{"total": o.Total},
		"payer":        wxpay.JSON{"openid": o.OpenID},
	})
	return err
}
