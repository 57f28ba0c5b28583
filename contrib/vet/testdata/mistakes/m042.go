package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m042: the body is nil.
// want wxbody
func m042(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/refund/domestic/refunds").Post(ctx, nil)
	return err
}
