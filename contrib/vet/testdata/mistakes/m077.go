package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay/webhook"
)

// m077: the event type is in lower case.
// want wxevent
func m077(h *webhook.Handler, o order) {
	h.On("refund.success", func(ctx context.Context, e *webhook.Event) error {
		return o.set(e.Get("out_refund_no").String())
	})
}
