package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m065: the total is read at the top.
// want wxresponse
func m065(ctx context.Context, client *wxpay.Client, o order) error {
	res, err := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", o.Number).Query("mchid", mchid).Get(ctx)
	if err != nil {
		return err
	}
	total, err := res.Fen("total")
	if err != nil {
		return err
	}
	return o.pay(total)
}
