package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m058: the bill has no date.
// want wxquery
func m058(ctx context.Context, client *wxpay.Client, o order) error {
	bill, err := client.Chain("v3/bill/tradebill").Query("bill_type", "ALL").Bill(ctx)
	if err != nil {
		return err
	}
	return bill.Close()
}
