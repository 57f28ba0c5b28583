package bschool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/wxcode"
)

var (
	ErrOrderPaid    = errors.New("订单已支付")
	ErrOrderMissing = errors.New("订单不存在")
	ErrNeedManual   = errors.New("需要人工处理")
)

// Config 服务配置。
type Config struct {
	SpAppid   string
	NotifyURL string
	RefundURL string
}

// OrderRepository 订单仓库。
type OrderRepository interface {
	FindByOutTradeNo(ctx context.Context, no string) (*OrderDO, error)
	MarkPaid(ctx context.Context, no, transactionID string, paidAt time.Time) error
	MarkClosed(ctx context.Context, no string) error
	SaveRefund(ctx context.Context, refund *RefundDO) error
	UpdateRefund(ctx context.Context, outRefundNo, status string) error
}

// OrderDO 数据库里的订单。
type OrderDO struct {
	ID         int64
	OutTradeNo string
	SubMchid   string
	SubAppid   string
	Kind       FeeKind
	Term       string
	TotalFen   int64
	OpenID     string
	State      string
}

// RefundDO 数据库里的退款单。
type RefundDO struct {
	OutTradeNo  string
	OutRefundNo string
	RefundFen   int64
	Status      string
	CreatedAt   time.Time
}

// SchoolPayService 学校收费服务。
type SchoolPayService struct {
	client *wxpay.Client
	config Config
	orders OrderRepository
	log    *slog.Logger
}

// NewSchoolPayService 构造函数。
func NewSchoolPayService(client *wxpay.Client, config Config, orders OrderRepository, log *slog.Logger) *SchoolPayService {
	return &SchoolPayService{client: client, config: config, orders: orders, log: log}
}

// UploadImages 批量上传进件材料，返回文件名到 media_id 的映射。
func (s *SchoolPayService) UploadImages(ctx context.Context, paths []string) (map[string]string, error) {
	result := make(map[string]string, len(paths))
	for _, path := range paths {
		switch strings.ToLower(filepath.Ext(path)) {
		case ".jpg", ".jpeg", ".png", ".bmp":
		default:
			return nil, fmt.Errorf("不支持的图片格式: %s", filepath.Base(path))
		}
		res, err := s.client.Chain(PathMediaUpload).Upload(ctx, wxpay.FileAt(path))
		if err != nil {
			return nil, fmt.Errorf("上传 %s: %w", filepath.Base(path), err)
		}
		mediaID, err := res.Text("media_id")
		if err != nil {
			return nil, err
		}
		result[filepath.Base(path)] = mediaID
	}
	return result, nil
}

// SubmitApplyment 提交进件，返回申请单号。
func (s *SchoolPayService) SubmitApplyment(ctx context.Context, req *ApplymentRequest) (int64, error) {
	res, err := s.client.Chain(PathApplymentSubmit).Post(ctx, req)
	if err != nil {
		var apiErr *wxpay.APIError
		if errors.As(err, &apiErr) && apiErr.Detail != nil {
			s.log.WarnContext(ctx, "进件参数错误", "field", apiErr.Detail.Field, "issue", apiErr.Detail.Issue)
		}
		return 0, fmt.Errorf("提交进件 %s: %w", req.BusinessCode, err)
	}
	return res.Int("applyment_id")
}

// QueryApplyment 查询进件状态。
func (s *SchoolPayService) QueryApplyment(ctx context.Context, businessCode string) (*ApplymentStatus, error) {
	status, err := wxpay.Into[ApplymentStatus](s.client.Chain(PathApplymentQueryByBiz, businessCode).Get(ctx))
	if err != nil {
		if wxpay.IsCode(err, wxcode.ResourceNotExists, wxcode.ApplymentNotExist) {
			return nil, ErrOrderMissing
		}
		return nil, err
	}
	return &status, nil
}

// WaitApplyment 轮询到终态，审核一般要一两天，间隔不要太短。
func (s *SchoolPayService) WaitApplyment(ctx context.Context, businessCode string, interval time.Duration) (*ApplymentStatus, error) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		status, err := s.QueryApplyment(ctx, businessCode)
		if err != nil {
			s.log.ErrorContext(ctx, "查询进件失败", "code", businessCode, "err", err)
		} else if status.ApplymentState.IsEnd() {
			return status, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-ticker.C:
		}
	}
}

// ModifySettlement 修改学校的结算银行卡。
func (s *SchoolPayService) ModifySettlement(ctx context.Context, subMchid string, req *ModifySettlementRequest) (string, error) {
	res, err := s.client.Chain(PathModifySettlement).Var("sub_mchid", subMchid).Post(ctx, req)
	if err != nil {
		return "", fmt.Errorf("修改结算账户 %s: %w", subMchid, err)
	}
	return res.Get("application_no").String(), nil
}

// Prepay 家长在公众号内缴费。
func (s *SchoolPayService) Prepay(ctx context.Context, order *OrderDO) (*wxpay.JSAPIPayment, error) {
	req, err := NewOrderBuilder(s.config.SpAppid, s.client.MchID()).
		SubMerchant(order.SubMchid, order.SubAppid).
		OutTradeNo(order.OutTradeNo).
		Fee(order.Kind, order.Term, order.TotalFen).
		PayerSp(order.OpenID).
		Notify(s.config.NotifyURL).
		ExpireAfter(time.Now(), OrderExpire).
		Fapiao().
		Build()
	if err != nil {
		return nil, err
	}
	res, err := s.client.Chain(PathPartnerJSAPI).Post(ctx, req)
	if err != nil {
		if wxpay.IsCode(err, wxcode.OrderPaid) {
			return nil, ErrOrderPaid
		}
		return nil, fmt.Errorf("下单 %s: %w", order.OutTradeNo, err)
	}
	prepayID, err := res.Text("prepay_id")
	if err != nil {
		return nil, err
	}
	payment, err := s.client.Invoke().JSAPI(ctx, s.config.SpAppid, prepayID)
	if err != nil {
		return nil, err
	}
	return &payment, nil
}

// QueryOrder 查单。
func (s *SchoolPayService) QueryOrder(ctx context.Context, order *OrderDO) (*PartnerTransaction, error) {
	t, err := wxpay.Into[PartnerTransaction](s.client.Chain(PathPartnerOrder).
		Var("out_trade_no", order.OutTradeNo).
		Query("sp_mchid", s.client.MchID()).
		Query("sub_mchid", order.SubMchid).
		Get(ctx))
	if wxpay.IsCode(err, wxcode.OrderNotExist) {
		return nil, ErrOrderMissing
	}
	if err != nil {
		return nil, fmt.Errorf("查单: %w", err)
	}
	return &t, nil
}

// SyncOrder 掉单补偿：主动查单，按结果更新本地。
func (s *SchoolPayService) SyncOrder(ctx context.Context, outTradeNo string) error {
	order, err := s.orders.FindByOutTradeNo(ctx, outTradeNo)
	if err != nil {
		return err
	}
	t, err := s.QueryOrder(ctx, order)
	if err != nil {
		return err
	}
	switch t.TradeState {
	case TradeStateSuccess, TradeStateRefund:
		if t.Amount.Total != order.TotalFen {
			return fmt.Errorf("%w: 金额不一致 本地 %d 微信 %d", ErrNeedManual, order.TotalFen, t.Amount.Total)
		}
		paidAt, err := time.Parse(time.RFC3339, t.SuccessTime)
		if err != nil {
			return err
		}
		return s.orders.MarkPaid(ctx, outTradeNo, t.TransactionID, paidAt)
	case TradeStateClosed, TradeStateRevoked:
		return s.orders.MarkClosed(ctx, outTradeNo)
	case TradeStateNotPay, TradeStatePayErr:
		return nil
	default:
		s.log.WarnContext(ctx, "未知的交易状态", "state", t.TradeState)
		return nil
	}
}

// CloseOrder 关单。
func (s *SchoolPayService) CloseOrder(ctx context.Context, order *OrderDO) error {
	_, err := s.client.Chain(PathPartnerOrderClose, order.OutTradeNo).Post(ctx, map[string]string{
		"sp_mchid": s.client.MchID(), "sub_mchid": order.SubMchid,
	})
	switch {
	case err == nil, wxpay.IsCode(err, wxcode.OrderClosed):
		return s.orders.MarkClosed(ctx, order.OutTradeNo)
	case wxpay.IsCode(err, wxcode.OrderPaid):
		// 关单时用户刚好支付
		return s.SyncOrder(ctx, order.OutTradeNo)
	default:
		return err
	}
}

// Refund 退费，先落库再发起。
func (s *SchoolPayService) Refund(ctx context.Context, order *OrderDO, seq int, fen int64, reason string) (RefundStatus, error) {
	outRefundNo := fmt.Sprintf(RefundNoSuffixFormat, order.OutTradeNo, seq)
	if fen <= 0 || fen > order.TotalFen {
		return "", fmt.Errorf("退款金额不合法: %d", fen)
	}
	if err := s.orders.SaveRefund(ctx, &RefundDO{
		OutTradeNo: order.OutTradeNo, OutRefundNo: outRefundNo, RefundFen: fen,
		Status: string(RefundStatusProcessing), CreatedAt: time.Now(),
	}); err != nil {
		return "", err
	}
	verdict, err := s.client.Chain(PathRefund).Ensure(ctx, &RefundRequest{
		SubMchid: order.SubMchid, OutTradeNo: order.OutTradeNo, OutRefundNo: outRefundNo,
		Reason: reason, NotifyURL: s.config.RefundURL,
		Amount: &RefundAmount{Refund: fen, Total: order.TotalFen, Currency: CurrencyCNY},
	})
	if err != nil {
		switch wxpay.OutcomeOf(err) {
		case wxpay.Rejected, wxpay.NotSent:
			_ = s.orders.UpdateRefund(ctx, outRefundNo, "FAILED")
		default:
			// 结果未知，留在 PROCESSING，定时任务用同一单号重试
		}
		return "", fmt.Errorf("退款 %s: %w", outRefundNo, err)
	}
	var status RefundStatus
	switch verdict.State {
	case wxpay.Succeeded:
		status = RefundStatusSuccess
	case wxpay.Failed:
		status = RefundStatusClosed
	case wxpay.NeedsAction:
		status = RefundStatusAbnormal
	default:
		status = RefundStatusProcessing
	}
	return status, s.orders.UpdateRefund(ctx, outRefundNo, string(status))
}
