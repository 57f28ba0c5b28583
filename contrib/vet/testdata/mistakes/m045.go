package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m045: profit_sharing stands outside of settle_info.
// report https://github.com/wechatpay-apiv3/wechatpay-go/pull/122
// want wxbody
func m045(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/native").Post(ctx, wxpay.JSON{
		"description":    o.Title,
		"out_trade_no":   o.Number,
		"notify_url":     notify,
		"amount":         wxpay.JSON{"total": o.Total},
		"profit_sharing": true,
	})
	return err
}
