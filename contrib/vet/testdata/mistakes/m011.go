package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m011: two values fill one placeholder.
// want wxpath
func m011(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/id/{transaction_id}", o.Transaction, mchid).Get(ctx)
	return err
}
