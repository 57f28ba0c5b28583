package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m037: an omitted field is required.
// want wxbody
func m037(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/native").Post(ctx, &order037{Description: o.Title, OutTradeNo: o.Number, NotifyURL: notify})
	return err
}

type order037 struct {
	Description string                 `json:"description"`
	OutTradeNo  string                 `json:"out_trade_no"`
	NotifyURL   string                 `json:"notify_url"`
	Amount      *struct{ Total int64 } `json:"amount,omitempty"`
}
