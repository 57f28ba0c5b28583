package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m100: the state is compared with a misspelt one.
// want wxstate
func m100(ctx context.Context, client *wxpay.Client, o order) error {
	res, err := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", o.Number).Query("mchid", mchid).Get(ctx)
	if err != nil {
		return err
	}
	if res.Get("trade_state").String() != "SUCESS" {
		return o.set("open")
	}
	return o.set("paid")
}
