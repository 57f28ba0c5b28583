// Package gopls is the file that was open when the diagnostics beside it were recorded.
package gopls

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

func Pay(ctx context.Context, client *wxpay.Client, number, openid string) (string, error) {
	res, err := client.Chain("v3/pay/transactions/jsapi").Post(ctx, wxpay.JSON{
		"description":  "tea",
		"out_trade_no": number,
		"notfy_url":    "https://example.com/notify",
		"amount":       wxpay.JSON{"total": "100"},
		"payer":        wxpay.JSON{"openid": openid},
	})
	if err != nil {
		return "", err
	}
	return res.Get("prepayid").String(), nil
}
