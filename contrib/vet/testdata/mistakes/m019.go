package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m019: the refund has no amount.
// report https://github.com/wwog/wechat-pay-v3-sdk/issues/2
// want wxbody
func m019(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/refund/domestic/refunds").Post(ctx, wxpay.JSON{
		"out_trade_no":  o.Number,
		"out_refund_no": o.Refund,
		"reason":        o.Title,
	})
	return err
}
