package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m003: the refund path is that of APIv2 in another spelling.
// want wxpath
func m003(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/refund/domestic/refund").Post(ctx, wxpay.JSON{
		"out_trade_no":  o.Number,
		"out_refund_no": o.Refund,
		"amount":        wxpay.JSON{"refund": o.Total, "total": o.Total, "currency": "CNY"},
	})
	return err
}
