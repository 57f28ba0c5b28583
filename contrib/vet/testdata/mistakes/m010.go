package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m010: the value has the name of another placeholder.
// want wxpath
func m010(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/refund/domestic/refunds/{out_refund_no}").Var("refund_no", o.Refund).Get(ctx)
	return err
}
