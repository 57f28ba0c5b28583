package mistakes

import (
	"context"
	"log"

	"github.com/wxpay-go/wxpay"
)

// m090: a refund that fails is marked as failed.
// report https://github.com/yansongda/pay/issues/201
// want wxoutcome
func m090(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/refund/domestic/refunds").Post(ctx, wxpay.JSON{
		"out_trade_no":  o.Number,
		"out_refund_no": o.Refund,
		"amount":        wxpay.JSON{"refund": o.Total, "total": o.Total, "currency": "CNY"},
	})
	if err != nil {
		log.Printf("refund %s: %v", o.Refund, err)
		return o.set("FAILED")
	}
	return o.set("REFUNDED")
}
