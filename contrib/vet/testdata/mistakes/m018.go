package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m018: a helper returns a chain with a typo.
// want wxpath
func m018(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := statusOf018(client, o.Number).Get(ctx)
	return err
}

func statusOf018(client *wxpay.Client, number string) wxpay.Chain {
	return client.Chain("v3/pay/transactions/out-trade-numbers/{out_trade_no}", number).Query("mchid", mchid)
}
