package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m035: the struct lacks json tags.
// report https://github.com/binarywang/WxJava/issues/2371
// want wxbody
func m035(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/native").Post(ctx, order035{Description: o.Title, OutTradeNo: o.Number, NotifyURL: notify})
	return err
}

type order035 struct {
	Description string
	OutTradeNo  string
	NotifyURL   string
	Amount      struct{ Total int64 }
}
