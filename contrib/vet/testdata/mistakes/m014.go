package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m014: the name of a transfer travels in clear without the catalogue.
// report https://github.com/wechatpay-apiv3/wechatpay-php/issues/145
// want wxencrypt
func m014(ctx context.Context, client *wxpay.Client, o order) error {
	plain, err := wxpay.New(o.Merchant, wxpay.WithCatalog(nil))
	if err != nil {
		return err
	}
	body := wxpay.JSON{"appid": appid, "out_bill_no": o.Number, "transfer_scene_id": "1000", "openid": o.OpenID, "transfer_amount": o.Total}
	body["transfer_remark"] = "commission"
	body["user_name"] = o.Title
	_, err = plain.Chain("v3/fund-app/mch-transfer/transfer-bills").Ensure(ctx, body)
	return err
}
