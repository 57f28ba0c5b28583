package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m033: the refund total is a text.
// want wxbody
func m033(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/refund/domestic/refunds").Post(ctx, wxpay.JSON{
		"out_trade_no":  o.Number,
		"out_refund_no": o.Refund,
		"amount":        wxpay.JSON{"refund": o.Total, "total": "100", "currency": "CNY"},
	})
	return err
}
