package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m017: the transfer path names transfer-bill.
// want wxpath
func m017(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/fund-app/mch-transfer/transfer-bill").Post(ctx, wxpay.JSON{"appid": appid, "out_bill_no": o.Number})
	return err
}
