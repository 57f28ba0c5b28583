package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m039: the JSON text lacks a brace.
// want wxbody
func m039(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/native").Post(ctx, `{"description": "tea", "amount": {"total": 1}`)
	return err
}
