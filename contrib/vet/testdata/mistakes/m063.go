package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m063: the query of an order has merchid.
// want wxquery
func m063(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/id/{transaction_id}", o.Transaction).Query("mch_id", mchid).Get(ctx)
	return err
}
