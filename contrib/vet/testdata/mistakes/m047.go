package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m047: the H5 type is nested at the wrong place.
// want wxbody
func m047(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/h5").Post(ctx, wxpay.JSON{
		"description":  o.Title,
		"out_trade_no": o.Number,
		"notify_url":   notify,
		"amount":       wxpay.JSON{"total": o.Total},
		"scene_info":   wxpay.JSON{"payer_client_ip": o.IP, "type": "Wap"},
	})
	return err
}
