package mistakes

import (
	"context"
	"fmt"

	"github.com/wxpay-go/wxpay"
)

// m007: the transaction id is formatted into the path.
// want wxconcat
func m007(ctx context.Context, client *wxpay.Client, o order) error {
	res, err := client.Chain(fmt.Sprintf("v3/pay/transactions/id/%s", o.Transaction)).Query("mchid", mchid).Get(ctx)
	if err != nil {
		return err
	}
	return o.set(res.Get("trade_state").String())
}
