package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay/webhook"
)

// m080: the handler ignores the amount.
// report https://github.com/flitto/wechatpay/issues/10
// want wxamount
func m080(h *webhook.Handler, o order) {
	h.On(webhook.TransactionSuccess, func(ctx context.Context, e *webhook.Event) error {
		return o.set(e.Get("out_trade_no").String())
	})
}
