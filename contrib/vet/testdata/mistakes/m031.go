package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m031: the refund amount is a number (public report).
// want wxbody
func m031(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/refund/domestic/refunds").Post(ctx, wxpay.JSON{
		"out_trade_no":  o.Number,
		"out_refund_no": o.Refund,
		"amount":        o.Total,
	})
	return err
}
