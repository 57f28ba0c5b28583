package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m032: the refund has refund_fee, as in APIv2.
// want wxbody
func m032(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/refund/domestic/refunds").Post(ctx, wxpay.JSON{
		"out_trade_no":  o.Number,
		"out_refund_no": o.Refund,
		"amount":        wxpay.JSON{"refund_fee": o.Total, "total": o.Total, "currency": "CNY"},
	})
	return err
}
