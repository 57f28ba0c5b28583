package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m099: the name of a receiver in a list travels in clear without the catalogue.
// report https://github.com/binarywang/WxJava/issues/2374
// want wxencrypt
func m099(ctx context.Context, client *wxpay.Client, o order) error {
	plain, err := wxpay.New(o.Merchant, wxpay.WithCatalog(nil))
	if err != nil {
		return err
	}
	_, err = plain.Chain("v3/profitsharing/orders").Post(ctx, wxpay.JSON{
		"appid": appid, "transaction_id": o.Transaction, "out_order_no": o.Number, "unfreeze_unsplit": true,
		"receivers": []wxpay.JSON{{"type": "MERCHANT_ID", "account": "1900000110", "name": o.Title, "amount": o.Total, "description": "share"}},
	})
	return err
}
