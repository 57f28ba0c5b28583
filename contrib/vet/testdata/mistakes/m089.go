package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m089: the error of a transfer is assigned to the blank.
// want wxoutcome
func m089(ctx context.Context, client *wxpay.Client, o order) error {
	res, _ := client.Chain("v3/fund-app/mch-transfer/transfer-bills").Post(ctx, o.Body)
	return o.set(res.Get("state").String())
}
