package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m063: the query of an order has sub_mch_id.
// report https://github.com/wechatpay-apiv3/wechatpay-php/issues/64
// want wxquery
func m063(ctx context.Context, client *wxpay.Client, o order) error {
	res, err := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", o.Number).Query("mchid", mchid).Query("sub_mch_id", "1900000110").Get(ctx)
	if err != nil {
		return err
	}
	return o.set(res.Get("trade_state").String())
}
