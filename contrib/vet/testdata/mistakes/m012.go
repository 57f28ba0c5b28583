package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m012: the path is written in camel case.
// want wxpath
func m012(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/outTradeNo/{out_trade_no}", o.Number).Query("mchid", mchid).Get(ctx)
	return err
}
