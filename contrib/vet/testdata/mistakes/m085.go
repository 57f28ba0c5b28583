package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m085: an error code is misspelt.
// want wxcode
func m085(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/id/{transaction_id}", o.Transaction).Query("mchid", mchid).Get(ctx)
	if wxpay.IsCode(err, "ORDER_NOT_EXISTS") {
		return o.set("none")
	}
	return err
}
