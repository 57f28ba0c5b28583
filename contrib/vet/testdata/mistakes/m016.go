package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m016: the profit sharing path lacks a hyphenless word.
// want wxpath
func m016(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/profit-sharing/orders").Post(ctx, wxpay.JSON{"appid": appid, "transaction_id": o.Transaction, "out_order_no": o.Number, "receivers": o.Receivers, "unfreeze_unsplit": true})
	return err
}
