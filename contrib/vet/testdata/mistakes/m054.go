package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m054: the order is closed with another field.
// want wxbody
func m054(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}/close", o.Number).Post(ctx, wxpay.JSON{"mch_id": mchid})
	return err
}
