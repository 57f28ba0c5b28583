package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m057: unfreeze_unsplit is a text.
// want wxbody
func m057(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/profitsharing/orders").Post(ctx, wxpay.JSON{"appid": appid, "transaction_id": o.Transaction, "out_order_no": o.Number, "unfreeze_unsplit": "true", "receivers": o.Receivers})
	return err
}
