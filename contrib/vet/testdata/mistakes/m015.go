package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m015: the complaint path has the old version.
// want wxpath
func m015(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/merchant-service/complaint-v2").Query("begin_date", o.Day).Query("end_date", o.Day).Get(ctx)
	return err
}
