package mall

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay/webhook"
)

// Register takes the notifications of the shop.
func (s *Shop) Register(handler *webhook.Handler) {
	handler.On(webhook.TransactionSuccess, s.paid)
	webhook.On(handler, "REFUND.*", s.refunded)
	handler.Ignore("COMPLAINT.*")
}

// paid delivers what was paid for.
func (s *Shop) paid(ctx context.Context, e *webhook.Event) error {
	number := e.Get("out_trade_no").String()
	order, err := s.Store.Order(ctx, number)
	if errors.Is(err, ErrNoOrder) {
		return webhook.Fail("no such order")
	}
	if err != nil {
		return err
	}
	err = webhook.Payment{MchID: s.Config.MchID, OutTradeNo: number, Total: order.Total()}.Check(e)
	if err != nil {
		s.Log.Error("a payment does not match its order", "order", number, "err", err)
		return err
	}
	if order.State == OrderPaid {
		return nil
	}
	at, err := e.Time("success_time")
	if err != nil {
		return err
	}
	order.State, order.TransactionID, order.PaidAt = OrderPaid, e.Get("transaction_id").String(), at
	return s.Store.SaveOrder(ctx, order)
}

// refundNotice is the resource of the three events about refunds.
type refundNotice struct {
	OutTradeNo   string    `json:"out_trade_no"`
	OutRefundNo  string    `json:"out_refund_no"`
	RefundID     string    `json:"refund_id"`
	RefundStatus string    `json:"refund_status"`
	SuccessTime  time.Time `json:"success_time"`
	UserReceived string    `json:"user_received_account"`
	Amount       struct {
		Total  int64 `json:"total"`
		Refund int64 `json:"refund"`
	} `json:"amount"`
}

func (s *Shop) refunded(ctx context.Context, e *webhook.Event, notice refundNotice) error {
	refund, err := s.Store.Refund(ctx, notice.OutRefundNo)
	if err != nil {
		return err
	}
	if notice.Amount.Refund != refund.Amount {
		return fmt.Errorf("refund %s: %w", refund.Number, ErrWrongAmount)
	}
	refund.RefundID, refund.State = notice.RefundID, notice.RefundStatus
	s.Log.Info("a refund ended", "refund", refund.Number, "status", notice.RefundStatus, "event", e.ID)
	return s.Store.SaveRefund(ctx, refund)
}
