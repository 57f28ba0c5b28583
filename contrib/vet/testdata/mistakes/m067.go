package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m067: the openid is read at the top.
// want wxresponse
func m067(ctx context.Context, client *wxpay.Client, o order) error {
	res, err := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", o.Number).Query("mchid", mchid).Get(ctx)
	if err != nil {
		return err
	}
	return o.set(res.Get("openid").String())
}
