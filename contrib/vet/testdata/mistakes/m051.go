package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m051: the transfer has its amount in a nested object.
// want wxbody
func m051(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/fund-app/mch-transfer/transfer-bills").Post(ctx, wxpay.JSON{"appid": appid, "out_bill_no": o.Number, "transfer_scene_id": "1000", "openid": o.OpenID, "amount": wxpay.JSON{"total": o.Total}, "transfer_remark": "gift"})
	return err
}
