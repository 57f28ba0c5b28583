package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay"
)

// m040: the JSON text has the total as text.
// want wxbody
func m040(ctx context.Context, client *wxpay.Client, o order) error {
	_, err := client.Chain("v3/pay/transactions/native").Post(ctx, `{"description": "tea", "out_trade_no": "ORDER-2026", "notify_url": "https://example.com", "amount": {"total": "1"}}`)
	return err
}
