package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m041: the body is a list.
// want wxbody
func m041(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/refund/domestic/refunds").Post(ctx, []wxpay.JSON{{"out_trade_no": o.Number}})
	return err
}
