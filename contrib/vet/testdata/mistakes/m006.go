package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m006: the order number is concatenated into the path.
// report https://github.com/w7corp/easywechat/issues/2350
// want wxconcat
func m006(ctx context.Context, client *wxpay.Client, o order) error {
	res, err := client.Chain("v3/pay/transactions/out-trade-no/"+o.Number).Query("mchid", mchid).Get(ctx)
	if err != nil {
		return err
	}
	return o.set(res.Get("trade_state").String())
}
