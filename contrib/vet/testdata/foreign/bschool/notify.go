package bschool

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/webhook"
)

// NotifyController 回调入口。
type NotifyController struct {
	service *SchoolPayService
	handler *webhook.Handler
}

// NewNotifyController 注册所有通知。
func NewNotifyController(service *SchoolPayService, apiv3Key string) (*NotifyController, error) {
	handler, err := webhook.New(webhook.Merchant{
		ID:       service.client.MchID(),
		APIv3Key: apiv3Key,
		Keys:     service.client,
	}, webhook.WithLogger(service.log))
	if err != nil {
		return nil, fmt.Errorf("初始化回调: %w", err)
	}
	c := &NotifyController{service: service, handler: handler}
	handler.On(webhook.TransactionSuccess, c.onPaid)
	webhook.On(handler, "REFUND.*", c.onRefund)
	return c, nil
}

// Register 挂载路由。
func (c *NotifyController) Register(mux *http.ServeMux) {
	mux.Handle("POST /school/wxpay/notify", c.handler)
}

func (c *NotifyController) onPaid(ctx context.Context, e *webhook.Event) error {
	var t PartnerTransaction
	if err := e.Decode(&t); err != nil {
		return err
	}
	order, err := c.service.orders.FindByOutTradeNo(ctx, t.OutTradeNo)
	if err != nil {
		return err
	}
	expected := webhook.Payment{
		MchID: c.service.client.MchID(), SubMchID: order.SubMchid, AppID: c.service.config.SpAppid,
		OutTradeNo: order.OutTradeNo, Total: order.TotalFen,
	}
	if err := expected.Check(e); err != nil {
		var mismatch *webhook.MismatchError
		if errors.As(err, &mismatch) {
			c.service.log.ErrorContext(ctx, "支付通知与本地订单不符", "order", order.OutTradeNo, "err", err)
		}
		return err
	}
	paidAt, err := time.Parse(time.RFC3339, t.SuccessTime)
	if err != nil {
		return err
	}
	return c.service.orders.MarkPaid(ctx, t.OutTradeNo, t.TransactionID, paidAt)
}

func (c *NotifyController) onRefund(ctx context.Context, e *webhook.Event, n RefundNotify) error {
	switch n.RefundStatus {
	case RefundStatusSuccess, RefundStatusClosed:
		return c.service.orders.UpdateRefund(ctx, n.OutRefundNo, string(n.RefundStatus))
	case RefundStatusAbnormal:
		c.service.log.ErrorContext(ctx, "退款异常，请到商户平台处理", "refund", n.OutRefundNo)
		return c.service.orders.UpdateRefund(ctx, n.OutRefundNo, string(n.RefundStatus))
	}
	return fmt.Errorf("未知的退款状态 %q (%s)", n.RefundStatus, e.Type)
}
