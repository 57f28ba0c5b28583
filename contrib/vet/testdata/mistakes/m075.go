package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m075: Need asks for a field that is none.
// want wxresponse
func m075(ctx context.Context, client *wxpay.Client, o order) error {
	res, err := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", o.Number).Query("mchid", mchid).Get(ctx)
	if err != nil {
		return err
	}
	return res.Need("trade_state", "pay_time")
}
