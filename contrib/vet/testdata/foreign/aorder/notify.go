package aorder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
)

// NotifyConfig 回调所需配置。
type NotifyConfig struct {
	MchID    string
	APIv3Key string
}

// Notifier 支付回调入口。
type Notifier struct {
	cfg     NotifyConfig
	service Service
	handler *webhook.Handler
	log     *slog.Logger
}

// NewNotifier 构造回调处理器；client 提供验签公钥。
func NewNotifier(cfg NotifyConfig, client *wxpay.Client, service Service, log *slog.Logger, options ...webhook.Option) (*Notifier, error) {
	handler, err := webhook.New(webhook.Merchant{ID: cfg.MchID, APIv3Key: cfg.APIv3Key, Keys: client}, options...)
	if err != nil {
		return nil, fmt.Errorf("支付回调: %w", err)
	}
	n := &Notifier{cfg: cfg, service: service, handler: handler, log: log}
	handler.On(webhook.TransactionSuccess, n.onPaid)
	return n, nil
}

func (n *Notifier) ServeHTTP(w http.ResponseWriter, r *http.Request) { n.handler.ServeHTTP(w, r) }

func (n *Notifier) onPaid(ctx context.Context, e *webhook.Event) error {
	no, err := e.Text("out_trade_no")
	if err != nil {
		return err
	}
	o, err := n.service.Get(ctx, no)
	if err != nil {
		return fmt.Errorf("回调的订单 %s: %w", no, err)
	}
	// 金额、商户号都要和自己的库核对
	expected := webhook.Payment{MchID: n.cfg.MchID, OutTradeNo: o.No, Total: o.Total}
	if err := expected.Check(e); err != nil {
		var mismatch *webhook.MismatchError
		if errors.As(err, &mismatch) {
			n.log.ErrorContext(ctx, "支付回调与订单不符", "no", no, "field", mismatch.Field)
		}
		return err
	}
	transactionID, err := e.Text("transaction_id")
	if err != nil {
		return err
	}
	payerTotal, err := e.Fen("amount.payer_total")
	if err != nil {
		return err
	}
	paidAt, err := e.Time("success_time")
	if err != nil {
		return err
	}
	return n.service.ConfirmPaid(ctx, PaidEvent{
		No: no, TransactionID: transactionID, Total: o.Total, PayerTotal: payerTotal, PaidAt: paidAt,
	})
}
