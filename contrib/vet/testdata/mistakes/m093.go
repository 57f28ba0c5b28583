package mistakes

import (
	"context"
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay"
)

// m093: each attempt has another refund number.
// want wxretry
func m093(ctx context.Context, client *wxpay.Client, o order) error {
	for range 3 {
		_, err := client.Chain("v3/refund/domestic/refunds").Post(ctx, wxpay.JSON{
			"out_trade_no":  o.Number,
			"out_refund_no": fmt.Sprint("R", time.Now().UnixNano()),
			"amount":        wxpay.JSON{"refund": o.Total, "total": o.Total, "currency": "CNY"},
		})
		if err == nil {
			return nil
		}
		time.Sleep(time.Second)
	}
	return o.set("FAILED")
}
