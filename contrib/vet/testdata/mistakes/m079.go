package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay/webhook"
)

// m079: a star takes everything.
// want wxevent
func m079(h *webhook.Handler, o order) {
	h.On("*", func(ctx context.Context, e *webhook.Event) error {
		return o.set(e.ID)
	})
}
