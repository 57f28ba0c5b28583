package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m036: the struct misspells a tag.
// want wxbody
func m036(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/native").Post(ctx, order036{Description: o.Title, OutTradeNo: o.Number, NotifyURL: notify, Amount: map[string]int64{"total": o.Total}})
	return err
}

type order036 struct {
	Description string           `json:"desciption"`
	OutTradeNo  string           `json:"out_trade_no"`
	NotifyURL   string           `json:"notify_url"`
	Amount      map[string]int64 `json:"amount"`
}
