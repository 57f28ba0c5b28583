package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m071: a struct misspells a field of the response.
// want wxresponse
func m071(ctx context.Context, client *wxpay.Client, o order) error {
	got, err := wxpay.Into[reply071](client.Chain("v3/refund/domestic/refunds/{out_refund_no}", o.Refund).Get(ctx))
	if err != nil {
		return err
	}
	return o.set(got.Status)
}

type reply071 struct {
	Status string `json:"statuss"`
	Refund string `json:"refund_id"`
}
