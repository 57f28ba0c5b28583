package mistakes

import (
	"context"

	"github.com/wxpay-go/wxpay/webhook"
)

// m082: the typed handler ignores the amount.
// want wxamount
func m082(h *webhook.Handler, o order) {
	webhook.On(h, webhook.TransactionSuccess, func(ctx context.Context, e *webhook.Event, p payment082) error {
		return o.set(p.OutTradeNo)
	})
}

type payment082 struct {
	OutTradeNo string `json:"out_trade_no"`
	Amount     struct {
		Total int64 `json:"total"`
	} `json:"amount"`
}
