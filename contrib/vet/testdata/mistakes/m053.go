package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m053: the transfer has no scene.
// report https://github.com/binarywang/WxJava/issues/3845
// want wxbody
func m053(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/fund-app/mch-transfer/transfer-bills").Ensure(ctx, wxpay.JSON{
		"appid":           appid,
		"out_bill_no":     o.Number,
		"openid":          o.OpenID,
		"transfer_amount": o.Total,
		"transfer_remark": "gift",
	})
	return err
}
