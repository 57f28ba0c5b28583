package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m008: the query stands in the path.
// want wxconcat
func m008(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/bill/fundflowbill?bill_date=" + o.Day).Get(ctx)
	return err
}
