package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m029: the refund has no currency (public report).
// want wxbody
func m029(ctx context.Context, client *wxpay.Client, o order) error {
	verdict, err := client.Chain("v3/refund/domestic/refunds").Ensure(ctx, wxpay.JSON{
		"out_trade_no":  o.Number,
		"out_refund_no": o.Refund,
		"amount":        wxpay.JSON{"refund": o.Total, "total": o.Total},
	})
	if err != nil {
		return err
	}
	return o.set(string(verdict.State))
}
