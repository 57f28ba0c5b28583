package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m059: the bill type does not exist.
// want wxquery
func m059(ctx context.Context, client *wxpay.Client, o order) error {
	bill, err := client.Chain("v3/bill/tradebill").Query("bill_date", o.Day).Query("bill_type", "REFUNDS").Bill(ctx)
	if err != nil {
		return err
	}
	return bill.Close()
}
