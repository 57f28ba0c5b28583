package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m099: a name travels in clear without the catalogue.
// want wxencrypt
func m099(ctx context.Context, client *wxpay.Client, o order) error {
	plain, err := wxpay.New(o.Merchant, wxpay.WithCatalog(nil))
	if err != nil {
		return err
	}
	_, err = plain.Chain("v3/fund-app/mch-transfer/transfer-bills").Post(ctx, wxpay.JSON{"appid": appid, "out_bill_no": o.Number, "transfer_scene_id": "1000", "openid": o.OpenID, "user_name": o.Title, "transfer_amount": o.Total, "transfer_remark": "gift"})
	return err
}
