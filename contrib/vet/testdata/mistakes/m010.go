package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m010: the number of an order is given as out_trace_no.
// report https://github.com/zwczou/weixin-python/pull/13
// want wxpath
func m010(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}/close").Var("out_trace_no", o.Number).Post(ctx, wxpay.JSON{"mchid": mchid})
	return err
}
