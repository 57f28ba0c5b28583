package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m088: the error of a refund is dropped.
// want wxoutcome
func m088(ctx context.Context, client *wxpay.Client, o order) error {
	client.Chain("v3/refund/domestic/refunds").Post(ctx, wxpay.JSON{
		"out_trade_no":  o.Number,
		"out_refund_no": o.Refund,
		"amount":        wxpay.JSON{"refund": o.Total, "total": o.Total, "currency": "CNY"},
	})
	return o.set("refunded")
}
