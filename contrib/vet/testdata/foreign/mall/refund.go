package mall

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/wxcode"
)

const refunds = "v3/refund/domestic/refunds"

// refundRequest is the body of a refund.
type refundRequest struct {
	OutTradeNo  string        `json:"out_trade_no"`
	OutRefundNo string        `json:"out_refund_no"`
	Reason      string        `json:"reason,omitempty"`
	NotifyURL   string        `json:"notify_url,omitempty"`
	Amount      refundAmount  `json:"amount"`
	GoodsDetail []refundGoods `json:"goods_detail,omitempty"`
}

type refundAmount struct {
	Refund   int64  `json:"refund"`
	Total    int64  `json:"total"`
	Currency string `json:"currency"`
}

type refundGoods struct {
	MerchantGoodsID string `json:"merchant_goods_id"`
	UnitPrice       int64  `json:"unit_price"`
	RefundAmount    int64  `json:"refund_amount"`
	RefundQuantity  int64  `json:"refund_quantity"`
}

// NewRefund stores the wish to refund a part of an order. The number is made here, once.
func (s *Shop) NewRefund(ctx context.Context, number string, amount int64, reason string, items ...Item) (*Refund, error) {
	order, err := s.Store.Order(ctx, number)
	if err != nil {
		return nil, err
	}
	if order.State != OrderPaid && order.State != OrderRefunding {
		return nil, fmt.Errorf("%w: %s", ErrWrongState, order.State)
	}
	earlier, err := s.Store.RefundsOf(ctx, number)
	if err != nil {
		return nil, err
	}
	left := order.Total()
	for _, r := range earlier {
		if r.State != "CLOSED" {
			left -= r.Amount
		}
	}
	if amount <= 0 || amount > left {
		return nil, fmt.Errorf("%w: %d fen of %d", ErrTooMuch, amount, left)
	}
	refund := &Refund{
		Number: fmt.Sprintf("%s-R%02d", number, len(earlier)+1), OrderNumber: number,
		Amount: amount, Reason: reason, Items: items, State: "NEW", RequestedAt: time.Now(),
	}
	if err := s.Store.SaveRefund(ctx, refund); err != nil {
		return nil, err
	}
	return refund, s.send(ctx, order, refund)
}

// send makes a refund happen once.
func (s *Shop) send(ctx context.Context, order *Order, refund *Refund) error {
	request := refundRequest{
		OutTradeNo: order.Number, OutRefundNo: refund.Number, Reason: cut(refund.Reason, 80), NotifyURL: s.Config.NotifyURL,
		Amount: refundAmount{Refund: refund.Amount, Total: order.Total(), Currency: "CNY"},
	}
	for _, item := range refund.Items {
		request.GoodsDetail = append(request.GoodsDetail, refundGoods{
			MerchantGoodsID: item.SKU, UnitPrice: item.Price, RefundAmount: item.Price * item.Quantity, RefundQuantity: item.Quantity,
		})
	}
	verdict, err := s.Client.Chain(refunds).Ensure(ctx, request)
	switch {
	case errors.Is(err, wxpay.ErrOutcomeUnknown):
		refund.State = "UNKNOWN"
		s.Log.Error("the outcome of a refund is unknown", "refund", refund.Number, "err", err)
	case wxpay.IsCode(err, wxcode.NotEnough):
		refund.State = "WAITING_FOR_MONEY"
	case err != nil:
		refund.State = "CLOSED"
		s.Log.Warn("a refund was rejected", "refund", refund.Number, "err", err)
	default:
		s.settle(refund, verdict)
	}
	if saved := s.Store.SaveRefund(ctx, refund); saved != nil {
		return errors.Join(err, saved)
	}
	return err
}

// settle keeps the state of a verdict.
func (s *Shop) settle(refund *Refund, verdict *wxpay.Verdict) {
	if id := verdict.Response.Get("refund_id").String(); id != "" {
		refund.RefundID = id
	}
	switch verdict.State {
	case wxpay.Succeeded:
		refund.State = "SUCCESS"
	case wxpay.Failed:
		refund.State = "CLOSED"
	case wxpay.NeedsAction:
		refund.State = "ABNORMAL"
	default:
		refund.State = "PROCESSING"
	}
}

// SettleRefunds asks about refunds whose end is not known.
func (s *Shop) SettleRefunds(ctx context.Context) error {
	open, err := s.Store.Unsettled(ctx, time.Now().Add(-time.Minute), 50)
	if err != nil {
		return err
	}
	for _, refund := range open {
		res, err := s.Client.Chain(refunds+"/{out_refund_no}", refund.Number).Get(ctx)
		if wxpay.IsCode(err, wxcode.ResourceNotExists) {
			order, err := s.Store.Order(ctx, refund.OrderNumber)
			if err != nil {
				return err
			}
			if err := s.send(ctx, order, refund); err != nil {
				s.Log.Warn("a refund waits", "refund", refund.Number, "err", err)
			}
			continue
		}
		if err != nil {
			return err
		}
		refund.RefundID = res.Get("refund_id").String()
		switch status := res.Get("status").String(); status {
		case "SUCCESS", "CLOSED", "PROCESSING", "ABNORMAL":
			refund.State = status
		default:
			return fmt.Errorf("refund %s: unknown status %s", refund.Number, status)
		}
		amount, err := res.Fen("amount.refund")
		if err != nil {
			return err
		}
		if amount != refund.Amount {
			return fmt.Errorf("refund %s: %w: %d", refund.Number, ErrWrongAmount, amount)
		}
		if err := s.Store.SaveRefund(ctx, refund); err != nil {
			return err
		}
	}
	return nil
}

// RefundToCard gives money back to a bank card when the way it came is closed.
func (s *Shop) RefundToCard(ctx context.Context, refund *Refund, bank, account, name string) error {
	verdict, err := s.Client.Chain("v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund", refund.RefundID).
		Ensure(ctx, wxpay.JSON{
			"out_refund_no": refund.Number,
			"type":          "USER_BANK_CARD",
			"bank_type":     bank,
			"bank_account":  account,
			"real_name":     wxpay.Secret(name),
		})
	if err != nil {
		return err
	}
	s.settle(refund, verdict)
	return s.Store.SaveRefund(ctx, refund)
}
