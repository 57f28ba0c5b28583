package mistakes

import (
	"context"
	"time"

	"github.com/wxpay-go/wxpay"
)

// m029: the number of a coupon is a number.
// report https://github.com/yansongda/pay/issues/776
// want wxbody
func m029(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/marketing/favor/users/{openid}/coupons", o.OpenID).Post(ctx, wxpay.JSON{
		"stock_id": "16474341", "out_request_no": time.Now().Unix(), "appid": appid, "stock_creator_mchid": mchid,
	})
	return err
}
