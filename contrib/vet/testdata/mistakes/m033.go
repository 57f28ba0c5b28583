package mistakes

import (
	"context"
	"time"

	"github.com/wxpay-go/wxpay"
)

// m033: the end of the order is written as in APIv2.
// report https://github.com/dromara/payment-spring-boot/issues/66
// want wxbody
func m033(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/h5").Post(ctx, wxpay.JSON{
		"description":  o.Title,
		"out_trade_no": o.Number,
		"notify_url":   notify,
		"amount":       wxpay.JSON{"total": o.Total},
		"time_expire":  time.Now().Add(time.Hour).Format("20060102150405"),
		"scene_info":   wxpay.JSON{"payer_client_ip": o.IP, "h5_info": wxpay.JSON{"type": "Wap"}},
	})
	return err
}
