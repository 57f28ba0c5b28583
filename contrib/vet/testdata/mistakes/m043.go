package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m043: goods_detail is an object.
// want wxbody
func m043(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/jsapi").Post(ctx, wxpay.JSON{
		"description":  o.Title,
		"out_trade_no": o.Number,
		"notify_url":   notify,
		"amount":       wxpay.JSON{"total": o.Total},
		"payer":        wxpay.JSON{"openid": o.OpenID},
		"detail":       wxpay.JSON{"goods_detail": wxpay.JSON{"merchant_goods_id": o.Number, "quantity": 1, "unit_price": o.Total}},
	})
	return err
}
