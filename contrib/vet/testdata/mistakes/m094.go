package mistakes

import (
	"context"
	"math/rand"
	"strconv"

	"github.com/wxpay-go/wxpay"
)

// m094: each attempt has another transfer number.
// report https://github.com/wechatpy/wechatpy/issues/482
// want wxretry
func m094(ctx context.Context, client *wxpay.Client, o order) error {
	for attempt := 0; attempt < 5; attempt++ {
		number := newNumber094()
		if _, err := client.Chain("v3/fund-app/mch-transfer/transfer-bills").Post(ctx, wxpay.JSON{"appid": appid, "out_bill_no": number, "transfer_scene_id": "1000", "openid": o.OpenID, "transfer_amount": o.Total, "transfer_remark": "gift"}); err == nil {
			return o.set(number)
		}
	}
	return o.set("FAILED")
}

func newNumber094() string { return "T" + strconv.FormatUint(rand.Uint64(), 36) }
