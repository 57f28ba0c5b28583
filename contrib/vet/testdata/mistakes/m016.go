package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m016: the path of an application lacks its last slash.
// report https://github.com/go-pay/gopay/pull/156
// want wxpath
func m016(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/applyment4sub/applyment").Post(ctx, o.Body)
	return err
}
