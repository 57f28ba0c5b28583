package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m095: the APIv3 key stands in the source.
// report https://github.com/dedemao/weixinPay/issues/39
// want wxsecret
func m095(ctx context.Context, client *wxpay.Client, o order) error {
	_ = wxpay.Merchant{ID: mchid, APIv3Key: "a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d5"}
	return nil
}
