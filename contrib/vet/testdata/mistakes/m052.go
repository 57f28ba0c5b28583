package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m052: the transfer is in yuan.
// report https://github.com/yansongda/pay/issues/550
// want wxbody
func m052(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/fund-app/mch-transfer/transfer-bills").Ensure(ctx, wxpay.JSON{
		"appid":             appid,
		"out_bill_no":       o.Number,
		"transfer_scene_id": "1000",
		"openid":            o.OpenID,
		"transfer_remark":   "gift",
		"transfer_amount":   0.1,
	})
	return err
}
