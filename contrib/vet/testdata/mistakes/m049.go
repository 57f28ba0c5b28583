package mistakes

import (
	"context"
	"fmt"

	"github.com/wxpay-go/wxpay"
)

// m049: a variable holds an amount as text.
// want wxbody
func m049(ctx context.Context, client *wxpay.Client, o order) error {
	amount := wxpay.JSON{}
	amount["total"] = fmt.Sprint(o.Total)
	_, err := client.Chain("v3/pay/transactions/app").Post(ctx, wxpay.JSON{"description": o.Title, "out_trade_no": o.Number, "notify_url": notify, "amount": amount})
	return err
}
