package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m031: the amount of a refund is a list.
// report https://github.com/minibear2021/wechatpayv3/issues/57
// want wxbody
func m031(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/refund/domestic/refunds").Post(ctx, wxpay.JSON{
		"out_trade_no":  o.Number,
		"out_refund_no": o.Refund,
		"amount":        []wxpay.JSON{{"refund": o.Total, "total": o.Total, "currency": "CNY"}},
	})
	return err
}
