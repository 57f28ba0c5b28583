package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay/webhook"
)

// m076: the event type is misspelt.
// want wxevent
func m076(h *webhook.Handler, o order) {
	h.On("TRANSACTION.SUCCES", func(ctx context.Context, e *webhook.Event) error {
		total, err := e.Fen("amount.total")
		if err != nil {
			return err
		}
		return o.pay(total)
	})
}
