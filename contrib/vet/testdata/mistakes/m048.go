package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m048: a variable holds the body without its amount.
// want wxbody
func m048(ctx context.Context, client *wxpay.Client, o order) error {
	body := wxpay.JSON{"description": o.Title, "out_trade_no": o.Number}
	body["notify_url"] = notify
	_, err := client.Chain("v3/pay/transactions/app").Post(ctx, body)
	return err
}
