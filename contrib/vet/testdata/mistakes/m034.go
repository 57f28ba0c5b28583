package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m034: the struct has a float for the total.
// report https://github.com/wechatpay-apiv3/wechatpay-go/issues/104
// want wxbody
func m034(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/native").Post(ctx, order034{Description: o.Title, OutTradeNo: o.Number, NotifyURL: notify})
	return err
}

type order034 struct {
	Description string `json:"description"`
	OutTradeNo  string `json:"out_trade_no"`
	NotifyURL   string `json:"notify_url"`
	Amount      struct {
		Total float64 `json:"total"`
	} `json:"amount"`
}
