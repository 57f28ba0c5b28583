package mistakes

import (
	"context"
	"fmt"

	"github.com/wxpay-go/wxpay"
)

// m050: a helper makes the amount as text.
// want wxbody
func m050(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/native").Post(ctx, wxpay.JSON{
		"description":  o.Title,
		"out_trade_no": o.Number,
		"notify_url":   notify,
		"amount":       amount050(o.Total),
	})
	return err
}

func amount050(total int64) wxpay.JSON { return wxpay.JSON{"total": fmt.Sprint(total)} }
