package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m092: the verdict of a refund is dropped.
// want wxverdict
func m092(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/refund/domestic/refunds").UntilFinal().Ensure(ctx, wxpay.JSON{
		"out_trade_no":  o.Number,
		"out_refund_no": o.Refund,
		"amount":        wxpay.JSON{"refund": o.Total, "total": o.Total, "currency": "CNY"},
	})
	return err
}
