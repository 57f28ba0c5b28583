package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m030: the refund has no number of its own (public report).
// want wxbody
func m030(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/refund/domestic/refunds").Post(ctx, wxpay.JSON{
		"out_trade_no": o.Number,
		"amount":       wxpay.JSON{"refund": o.Total, "total": o.Total, "currency": "CNY"},
	})
	return err
}
