package bclinic

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/wxcode"
)

// refundAccounts: who pays for the refund.
var refundAccounts = map[bool]string{
	false: "REFUND_SOURCE_SUB_MERCHANT",
	true:  "REFUND_SOURCE_PARTNER_ADVANCE", // 平台垫付
}

// ErrPoor says that the clinic cannot pay; the platform may advance the money.
var ErrPoor = errors.New("the clinic's balance is too low")

// Refund is one refund of an order. No is stored before Do is called.
type Refund struct {
	Order
	RefundNo string
	Part     int64
	Why      string
	Advance  bool
}

// Refund gives money back and waits until it has arrived or will not.
func (p Pay) Refund(ctx context.Context, r Refund) (wxpay.State, error) {
	v, err := p.C.Chain("v3/ecommerce/refunds/apply").Timeout(5*time.Minute).UntilFinal().Ensure(ctx, p.refundBody(r))
	if wxpay.IsCode(err, wxcode.NotEnough) {
		return "", ErrPoor
	}
	if err != nil {
		return "", fmt.Errorf("refund %s (%s): %w", r.RefundNo, wxpay.OutcomeOf(err), err)
	}
	return v.State, nil
}

func (p Pay) refundBody(r Refund) wxpay.JSON {
	return wxpay.JSON{
		"sub_mchid":      r.Sub,
		"sp_appid":       p.AppID,
		"out_trade_no":   r.No,
		"out_refund_no":  r.RefundNo,
		"reason":         r.Why,
		"amount":         wxpay.JSON{"refund": r.Part, "total": r.Fen, "currency": "CNY"},
		"notify_url":     p.Base + "/clinic/refunded",
		"refund_account": refundAccounts[r.Advance],
	}
}

// Refunded reads the state of a refund: SUCCESS, CLOSE, PROCESSING, ABNORMAL, or nothing.
func (p Pay) Refunded(ctx context.Context, sub, refundNo string) (status, id string, err error) {
	res, err := p.C.Chain("v3/ecommerce/refunds/out-refund-no/{out_refund_no}", refundNo).Query("sub_mchid", sub).Get(ctx)
	switch {
	case wxpay.IsCode(err, wxcode.ResourceNotExists):
		return "", "", nil
	case err != nil:
		return "", "", err
	}
	return res.Get("status").String(), res.Get("refund_id").String(), nil
}

// Card is a bank card for an abnormal refund. The client encrypts number and name.
type Card struct{ Bank, Number, Name string }

// ToCard sends an abnormal refund to another card of the patient.
func (p Pay) ToCard(ctx context.Context, sub, refundNo string, c Card) error {
	status, id, err := p.Refunded(ctx, sub, refundNo)
	if err != nil {
		return err
	}
	if status != "ABNORMAL" {
		return fmt.Errorf("refund %s is %q, not abnormal", refundNo, status)
	}
	_, err = p.C.Chain("v3/ecommerce/refunds/{refund_id}/apply-abnormal-refund", id).Ensure(ctx, wxpay.JSON{
		"sub_mchid": sub, "out_refund_no": refundNo, "type": "USER_BANK_CARD",
		"bank_type": c.Bank, "bank_account": wxpay.Secret(c.Number), "real_name": wxpay.Secret(c.Name),
	})
	return err
}

// Repay takes back what the platform advanced for a refund.
func (p Pay) Repay(ctx context.Context, sub, refundID string) (int64, error) {
	res, err := p.C.Chain("v3/ecommerce/refunds/{refund_id}/return-advance", refundID).
		Post(ctx, wxpay.JSON{"sub_mchid": sub})
	if err != nil {
		return 0, fmt.Errorf("return advance of %s: %w", refundID, err)
	}
	if r := res.Get("result").String(); r != "SUCCESS" {
		return 0, fmt.Errorf("return advance of %s: %s", refundID, r)
	}
	return res.Fen("return_amount")
}

// RefundOrAdvance tries the clinic's money first.
func (p Pay) RefundOrAdvance(ctx context.Context, r Refund, retry func() string) (wxpay.State, error) {
	s, err := p.Refund(ctx, r)
	if !errors.Is(err, ErrPoor) {
		return s, err
	}
	status, _, err := p.Refunded(ctx, r.Sub, r.RefundNo)
	if err != nil {
		return "", err
	}
	if status != "" {
		return "", fmt.Errorf("refund %s exists: %s", r.RefundNo, status)
	}
	// 余额不足的退款单没有建立，换出资方要用新单号
	r.Advance, r.RefundNo = true, retry()
	return p.Refund(ctx, r)
}
