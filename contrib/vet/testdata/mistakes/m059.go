package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m059: the compression is an empty text.
// report https://github.com/JeffreySu/WeiXinMPSDK/pull/2822
// want wxquery
func m059(ctx context.Context, client *wxpay.Client, o order) error {
	bill, err := client.Chain("v3/bill/tradebill").Query("bill_date", o.Day).Query("tar_type", "").Bill(ctx)
	if err != nil {
		return err
	}
	return bill.Close()
}
