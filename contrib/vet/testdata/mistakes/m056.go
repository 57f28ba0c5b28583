package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m056: a sharing receiver has an unknown type.
// want wxbody
func m056(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/profitsharing/orders").Post(ctx, wxpay.JSON{"appid": appid, "transaction_id": o.Transaction, "out_order_no": o.Number, "unfreeze_unsplit": true, "receivers": []wxpay.JSON{{"type": "MERCHANTID", "account": mchid, "amount": 100, "description": "share"}}})
	return err
}
