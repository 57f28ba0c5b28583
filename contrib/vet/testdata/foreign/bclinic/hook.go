package bclinic

import (
	"context"
	"net/http"

	"github.com/wxpay-go/wxpay/webhook"
)

// Store is all we need to remember.
type Store interface {
	Order(ctx context.Context, no string) (Order, error)
	Set(ctx context.Context, no, field, value string) error
}

// Hooks serves the notifications.
func (p Pay) Hooks(key string, s Store) (http.Handler, error) {
	h, err := webhook.New(webhook.Merchant{ID: p.C.MchID(), APIv3Key: key, Keys: p.C})
	if err != nil {
		return nil, err
	}
	h.On(webhook.TransactionSuccess, p.paid(s))
	for _, t := range []string{webhook.RefundSuccess, webhook.RefundClosed, webhook.RefundAbnormal} {
		h.On(t, refunded(s))
	}
	return h, nil
}

func (p Pay) paid(s Store) webhook.Func {
	return func(ctx context.Context, e *webhook.Event) error {
		no := e.Get("out_trade_no").String()
		o, err := s.Order(ctx, no)
		if err != nil {
			return err
		}
		want := webhook.Payment{MchID: p.C.MchID(), SubMchID: o.Sub, AppID: p.AppID, OutTradeNo: no, Total: o.Fen}
		if err := want.Check(e); err != nil {
			return err
		}
		return s.Set(ctx, no, "transaction_id", e.Get("transaction_id").String())
	}
}

func refunded(s Store) webhook.Func {
	return func(ctx context.Context, e *webhook.Event) error {
		if err := e.Need("out_refund_no", "refund_status"); err != nil {
			return err
		}
		return s.Set(ctx, e.Get("out_refund_no").String(), "refund_status", e.Get("refund_status").String())
	}
}
