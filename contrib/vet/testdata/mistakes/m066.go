package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m066: the total is read as total_fee.
// want wxresponse
func m066(ctx context.Context, client *wxpay.Client, o order) error {
	res, err := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", o.Number).Query("mchid", mchid).Get(ctx)
	if err != nil {
		return err
	}
	return o.pay(res.Get("amount.total_fee").Int())
}
