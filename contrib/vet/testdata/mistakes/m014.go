package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m014: certificates are read with a trailing s too many.
// want wxpath
func m014(ctx context.Context, client *wxpay.Client, o order) error {
	res, err := client.Chain("v3/certificatess").Get(ctx)
	if err != nil {
		return err
	}
	return o.set(res.Get("data.0.serial_no").String())
}
