package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m030: the refund has mchid and appid, which it does not take.
// report https://github.com/dounine/wechat-pay-rust-sdk/issues/14
// want wxbody
func m030(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/refund/domestic/refunds").Post(ctx, wxpay.JSON{
		"mchid":         mchid,
		"appid":         appid,
		"out_trade_no":  o.Number,
		"out_refund_no": o.Refund,
		"amount":        wxpay.JSON{"refund": o.Total, "total": o.Total, "currency": "CNY"},
	})
	return err
}
