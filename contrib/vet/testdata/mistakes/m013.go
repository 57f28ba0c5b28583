package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m013: an order number is a name of At.
// want wxpath
func m013(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.At("v3", "pay", "transactions", "outTradeNo", "ORDER-2026110001").Query("mchid", mchid).Get(ctx)
	return err
}
