package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay/webhook"
)

// m084: a refund event is read like an order.
// want wxresponse
func m084(h *webhook.Handler, o order) {
	h.On("REFUND.SUCCESS", func(ctx context.Context, e *webhook.Event) error {
		return o.set(e.Get("trade_state").String())
	})
}
