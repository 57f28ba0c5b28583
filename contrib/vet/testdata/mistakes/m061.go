package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m061: the bill of funds is asked by bill_type.
// report https://github.com/binarywang/WxJava/pull/3102
// want wxquery
func m061(ctx context.Context, client *wxpay.Client, o order) error {
	bill, err := client.Chain("v3/bill/fundflowbill").Query("bill_date", o.Day).Query("bill_type", "BASIC").Bill(ctx)
	if err != nil {
		return err
	}
	return bill.Close()
}
