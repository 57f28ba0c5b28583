package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m049: a variable holds yuan times a hundred.
// report https://github.com/shmy/cn-pay/issues/2
// want wxbody
func m049(ctx context.Context, client *wxpay.Client, o order) error {
	total := o.Yuan * 100
	body := wxpay.JSON{"description": o.Title, "out_trade_no": o.Number, "notify_url": notify}
	body["amount"] = wxpay.JSON{"total": total, "currency": "CNY"}
	_, err := client.Chain("v3/pay/transactions/native").Post(ctx, body)
	return err
}
