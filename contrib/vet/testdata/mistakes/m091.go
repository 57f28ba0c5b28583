package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m091: a transfer that fails is made again elsewhere.
// report https://github.com/JeffreySu/WeiXinMPSDK/issues/3276
// want wxoutcome
func m091(ctx context.Context, client *wxpay.Client, o order) error {
	if _, err := client.Chain("v3/fund-app/mch-transfer/transfer-bills").Post(ctx, o.Body); err != nil {
		return o.set("pay by bank")
	}
	return nil
}
