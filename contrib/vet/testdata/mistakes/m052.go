package mistakes

import (
	"context"
	"fmt"

	"github.com/wxpay-go/wxpay"
)

// m052: the transfer amount is a text.
// want wxbody
func m052(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/fund-app/mch-transfer/transfer-bills").Post(ctx, wxpay.JSON{"appid": appid, "out_bill_no": o.Number, "transfer_scene_id": "1000", "openid": o.OpenID, "transfer_amount": fmt.Sprint(o.Total), "transfer_remark": "gift"})
	return err
}
