package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m054: the order is closed with mch_id.
// report https://github.com/Javen205/IJPay/issues/79
// want wxbody
func m054(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}/close", o.Number).Post(ctx, wxpay.JSON{"mch_id": mchid})
	return err
}
