package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m009: the placeholder has no value.
// want wxpath
func m009(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/refund/domestic/refunds/{out_refund_no}").Get(ctx)
	return err
}
