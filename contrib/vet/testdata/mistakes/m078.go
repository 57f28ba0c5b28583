package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay/webhook"
)

// m078: the event type has an underscore.
// want wxevent
func m078(h *webhook.Handler, o order) {
	h.On("REFUND_SUCCESS", func(ctx context.Context, e *webhook.Event) error {
		return o.set(e.Get("out_refund_no").String())
	})
}
