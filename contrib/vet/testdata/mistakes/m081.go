package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay/webhook"
)

// m081: a named handler ignores the amount.
// want wxamount
func m081(h *webhook.Handler, o order) {
	h.On(webhook.TransactionSuccess, paid081)
}

func paid081(ctx context.Context, e *webhook.Event) error {
	number, err := e.Text("out_trade_no")
	if err != nil {
		return err
	}
	return order{}.set(number)
}
