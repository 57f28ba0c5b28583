package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m071: a struct takes a list as an object.
// report https://github.com/go-pay/gopay/issues/399
// want wxresponse
func m071(ctx context.Context, client *wxpay.Client, o order) error {
	got, err := wxpay.Into[reply071](client.Chain("v3/refund/domestic/refunds/{out_refund_no}", o.Refund).Get(ctx))
	if err != nil {
		return err
	}
	return o.set(got.Amount.From.Account)
}

type reply071 struct {
	Amount struct {
		From struct {
			Account string `json:"account"`
		} `json:"from"`
	} `json:"amount"`
}
