package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m072: a struct takes the total as text.
// report https://github.com/binarywang/weixin-java-pay-demo/issues/25
// want wxresponse
func m072(ctx context.Context, client *wxpay.Client, o order) error {
	got, err := wxpay.Into[reply072](client.Chain("v3/refund/domestic/refunds/{out_refund_no}", o.Refund).Get(ctx))
	if err != nil {
		return err
	}
	return o.set(got.Amount.Refund)
}

type reply072 struct {
	Amount struct {
		Refund string `json:"refund"`
	} `json:"amount"`
}
