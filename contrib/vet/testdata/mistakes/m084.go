package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay/webhook"
)

// m084: a refund event is read by status.
// report https://github.com/wechatpay-apiv3/wechatpay-java/issues/213
// want wxresponse
func m084(h *webhook.Handler, o order) {
	h.On("REFUND.SUCCESS", func(ctx context.Context, e *webhook.Event) error {
		return o.set(e.Get("status").String())
	})
}
