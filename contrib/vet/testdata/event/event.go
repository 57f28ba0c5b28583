// Package event registers functions for notifications that exist and for others.
package event

import (
	"context"

	"github.com/wxpay-go/wxpay/webhook"
)

const misspelt = "REFUND.CLOSE"

func routes(h *webhook.Handler, own string, f webhook.Func) {
	h.On(webhook.TransactionSuccess, f)
	h.On("REFUND.*", f)
	h.On(own, f)
	h.Ignore("PAYSCORE.USER_OPEN_SERVICE")
	h.On("TRANSACTION.SUCESS", f)                                                                               // want `webhook.On panics: .* did you mean "TRANSACTION.SUCCESS"\?`
	h.On(misspelt, f)                                                                                           // want `webhook.On panics: .* did you mean "REFUND.CLOSED"\?`
	h.On("*", f)                                                                                                // want `webhook.On panics: .*use OnDefault`
	h.Ignore("REFUND.SUCCESS", "REFUNDS.CLOSED")                                                                // want `webhook.Ignore panics`
	webhook.On(h, "refund.success", func(context.Context, *webhook.Event, map[string]any) error { return nil }) // want `webhook.On panics`
}
