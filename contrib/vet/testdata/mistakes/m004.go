package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m004: a refund is queried with POST.
// want wxpath
func m004(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/refund/domestic/refunds/{out_refund_no}", o.Refund).Post(ctx, nil)
	return err
}
