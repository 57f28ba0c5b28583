package arefund

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
	"github.com/wxpay-go/wxpay/wxcode"
)

const (
	pathRefund   = "v3/refund/domestic/refunds"
	pathAbnormal = "v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund"
)

type refundAmount struct {
	Refund   int64  `json:"refund"`
	Total    int64  `json:"total"`
	Currency string `json:"currency"`
}

type refundRequest struct {
	OutTradeNo  string       `json:"out_trade_no"`
	OutRefundNo string       `json:"out_refund_no"`
	Reason      string       `json:"reason,omitempty"`
	NotifyURL   string       `json:"notify_url,omitempty"`
	Amount      refundAmount `json:"amount"`
}

type refundResponse struct {
	RefundID    string    `json:"refund_id"`
	OutRefundNo string    `json:"out_refund_no"`
	Status      State     `json:"status"`
	CreateTime  time.Time `json:"create_time"`
	SuccessTime string    `json:"success_time"`
	Amount      struct {
		Total       int64 `json:"total"`
		Refund      int64 `json:"refund"`
		PayerRefund int64 `json:"payer_refund"`
	} `json:"amount"`
}

// Wechat 微信支付退款渠道。
type Wechat struct {
	client    *wxpay.Client
	notifyURL string
	timeout   time.Duration
}

var _ Channel = (*Wechat)(nil)

func NewWechat(client *wxpay.Client, notifyURL string, timeout time.Duration) *Wechat {
	return &Wechat{client: client, notifyURL: notifyURL, timeout: timeout}
}

func (w *Wechat) Apply(ctx context.Context, r *Refund, again time.Time) (Result, error) {
	chain := w.client.Chain(pathRefund).Timeout(w.timeout)
	if !again.IsZero() {
		chain = chain.SentBefore(again)
	}
	verdict, err := chain.Ensure(ctx, refundRequest{
		OutTradeNo:  r.OrderNo,
		OutRefundNo: r.No,
		Reason:      r.Reason.Text(),
		NotifyURL:   w.notifyURL,
		Amount:      refundAmount{Refund: r.Amount, Total: r.Total, Currency: "CNY"},
	})
	if err != nil {
		return Result{}, w.explain(err)
	}
	result := Result{State: stateOf(verdict.State)}
	if verdict.Response != nil {
		result.RefundID = verdict.Response.Get("refund_id").String()
	}
	return result, nil
}

func stateOf(s wxpay.State) State {
	switch s {
	case wxpay.Succeeded:
		return StateSuccess
	case wxpay.Failed:
		return StateClosed
	case wxpay.NeedsAction:
		return StateAbnormal
	default: // Taken、Accepted
		return StateProcessing
	}
}

// explain 把 SDK 的错误翻译成领域错误。
func (w *Wechat) explain(err error) error {
	if wxpay.OutcomeOf(err) != wxpay.Rejected {
		return fmt.Errorf("退款结果未知或未发出: %w", err)
	}
	switch {
	case wxpay.IsCode(err, wxcode.NotEnough):
		// 余额不足：充值后同一单号可重试，不能关单
		return fmt.Errorf("商户余额不足，等待充值: %w", err)
	case wxpay.IsCode(err, wxcode.FrequencyLimited):
		return err
	}
	var api *wxpay.APIError
	if errors.As(err, &api) {
		return &RefusedError{Reason: fmt.Sprintf("%s %s", api.Code, api.Message), Err: err}
	}
	return err
}

func (w *Wechat) Query(ctx context.Context, no string) (Result, error) {
	got, err := wxpay.Into[refundResponse](w.client.Chain(pathRefund+"/{out_refund_no}", no).Get(ctx))
	if wxpay.IsCode(err, wxcode.ResourceNotExists) {
		return Result{}, ErrNoRefund
	}
	if err != nil {
		return Result{}, err
	}
	return Result{State: got.Status, RefundID: got.RefundID}, nil
}

func (w *Wechat) ToBankCard(ctx context.Context, r *Refund, card BankCard) (Result, error) {
	body := wxpay.JSON{
		"out_refund_no": r.No,
		"type":          "USER_BANK_CARD",
		"bank_type":     card.BankType,
		"bank_account":  wxpay.Secret(card.Account),
		"real_name":     wxpay.Secret(card.RealName),
	}
	res, err := w.client.Chain(pathAbnormal, r.RefundID).Post(ctx, body)
	if errors.Is(err, wxpay.ErrOutcomeUnknown) {
		return Result{}, fmt.Errorf("异常退款 %s 结果未知，请先查询再操作: %w", r.No, err)
	}
	if err != nil {
		return Result{}, err
	}
	return Result{State: State(res.Get("status").String()), RefundID: r.RefundID}, nil
}

// notification 退款回调的资源。
type notification struct {
	MchID        string `json:"mchid"`
	OutTradeNo   string `json:"out_trade_no"`
	OutRefundNo  string `json:"out_refund_no"`
	RefundID     string `json:"refund_id"`
	RefundStatus State  `json:"refund_status"`
	Amount       struct {
		Total  int64 `json:"total"`
		Refund int64 `json:"refund"`
	} `json:"amount"`
}

// NewNotify 退款回调处理器。
func NewNotify(m webhook.Merchant, service *Service, store Store, options ...webhook.Option) (http.Handler, error) {
	h, err := webhook.New(m, options...)
	if err != nil {
		return nil, err
	}
	on := func(ctx context.Context, e *webhook.Event, n notification) error {
		r, err := store.ByNo(ctx, n.OutRefundNo)
		if err != nil {
			return fmt.Errorf("退款回调 %s: %w", n.OutRefundNo, err)
		}
		if n.MchID != m.ID || n.Amount.Refund != r.Amount || n.Amount.Total != r.Total {
			return fmt.Errorf("退款回调 %s 与退款单不一致", n.OutRefundNo)
		}
		return service.Finish(ctx, n.OutRefundNo, Result{State: n.RefundStatus, RefundID: n.RefundID})
	}
	webhook.On(h, webhook.RefundSuccess, on)
	webhook.On(h, webhook.RefundClosed, on)
	webhook.On(h, webhook.RefundAbnormal, on)
	return h, nil
}
