package mistakes

import (
	"context"
	"strconv"

	"github.com/wxpay-go/wxpay"
)

// m021: the total is a string.
// want wxbody
func m021(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/jsapi").Post(ctx, wxpay.JSON{
		"description":  o.Title,
		"out_trade_no": o.Number,
		"notify_url":   notify,
		"amount":       wxpay.JSON{"total": strconv.FormatInt(o.Total, 10)},
		"payer":        wxpay.JSON{"openid": o.OpenID},
	})
	return err
}
