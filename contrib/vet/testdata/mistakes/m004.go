package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m004: an order is queried with POST.
// report https://github.com/ArtisanCloud/PowerWeChat/pull/257
// want wxpath
func m004(ctx context.Context, client *wxpay.Client, o order) error {
	res, err := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", o.Number).Post(ctx, wxpay.JSON{"mchid": mchid})
	if err != nil {
		return err
	}
	return o.set(res.Get("trade_state").String())
}
