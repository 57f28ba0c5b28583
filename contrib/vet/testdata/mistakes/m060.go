package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m060: the query is named date.
// want wxquery
func m060(ctx context.Context, client *wxpay.Client, o order) error {
	bill, err := client.Chain("v3/bill/fundflowbill").Query("date", o.Day).Bill(ctx)
	if err != nil {
		return err
	}
	return bill.Close()
}
