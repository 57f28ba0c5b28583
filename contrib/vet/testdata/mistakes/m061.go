package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m061: the account type does not exist.
// want wxquery
func m061(ctx context.Context, client *wxpay.Client, o order) error {
	bill, err := client.Chain("v3/bill/fundflowbill").Query("bill_date", o.Day).Query("account_type", "BASICS").Bill(ctx)
	if err != nil {
		return err
	}
	return bill.Close()
}
