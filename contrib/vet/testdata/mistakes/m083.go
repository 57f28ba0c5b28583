package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay/webhook"
)

// m083: the event is read at another path.
// want wxresponse
func m083(h *webhook.Handler, o order) {
	h.On(webhook.TransactionSuccess, func(ctx context.Context, e *webhook.Event) error {
		total, err := e.Fen("amount.totals")
		if err != nil {
			return err
		}
		return o.pay(total)
	})
}
