package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m068: the total is read as a text.
// want wxresponse
func m068(ctx context.Context, client *wxpay.Client, o order) error {
	res, err := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", o.Number).Query("mchid", mchid).Get(ctx)
	if err != nil {
		return err
	}
	total, err := res.Text("amount.total")
	if err != nil {
		return err
	}
	return o.set(total)
}
