package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m034: the struct has another type for the total.
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
		Total string `json:"total"`
	} `json:"amount"`
}
