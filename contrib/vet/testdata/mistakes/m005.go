package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m005: an order is closed with GET.
// want wxpath
func m005(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}/close", o.Number).Query("mchid", mchid).Get(ctx)
	return err
}
