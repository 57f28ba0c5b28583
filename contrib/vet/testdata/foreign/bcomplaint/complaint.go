// Package bcomplaint 处理学校和诊所的投诉：拉取、分派、回复、退款。
package bcomplaint

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
)

// 投诉单状态。
const (
	StatePending    = "PENDING"
	StateProcessing = "PROCESSING"
	StateProcessed  = "PROCESSED"
)

// 退款审批动作。
const (
	ActionReject  = "REJECT"
	ActionApprove = "APPROVE"
)

const pathComplaint = "v3/merchant-service/complaints-v2/{complaint_id}"

// Complaint 投诉单。
type Complaint struct {
	ComplaintID          string           `json:"complaint_id"`
	ComplaintTime        time.Time        `json:"complaint_time"`
	ComplaintDetail      string           `json:"complaint_detail"`
	ComplaintState       string           `json:"complaint_state"`
	ComplaintedMchid     string           `json:"complainted_mchid"`
	PayerPhone           string           `json:"payer_phone"` // 客户端已解密
	ProblemDescription   string           `json:"problem_description"`
	FullRefunded         bool             `json:"complaint_full_refunded"`
	IncomingUserResponse bool             `json:"incoming_user_response"`
	Orders               []ComplaintOrder `json:"complaint_order_info"`
}

// ComplaintOrder 关联订单。
type ComplaintOrder struct {
	TransactionID string `json:"transaction_id"`
	OutTradeNo    string `json:"out_trade_no"`
	Amount        int64  `json:"amount"`
}

// Assigner 把投诉派给某个客服。
type Assigner func(ctx context.Context, c Complaint) error

// ComplaintService 投诉服务。
type ComplaintService struct {
	client  *wxpay.Client
	assign  Assigner
	log     *slog.Logger
	replies map[string]string
}

// Option 可选项。
type Option func(*ComplaintService)

// WithReply 为某个问题设置自动回复。
func WithReply(problem, text string) Option {
	return func(s *ComplaintService) { s.replies[problem] = text }
}

// NewComplaintService 构造函数。
func NewComplaintService(client *wxpay.Client, assign Assigner, log *slog.Logger, options ...Option) *ComplaintService {
	s := &ComplaintService{client: client, assign: assign, log: log, replies: map[string]string{}}
	for _, o := range options {
		o(s)
	}
	return s
}

// Pull 拉取一段时间的投诉，最多 30 天。
func (s *ComplaintService) Pull(ctx context.Context, from, to time.Time) (int, error) {
	n := 0
	list := s.client.Chain("v3/merchant-service/complaints-v2").
		Query("begin_date", from.Format("2006-01-02")).
		Query("end_date", to.Format("2006-01-02"))
	for item, err := range list.Each(ctx, "data") {
		if err != nil {
			return n, fmt.Errorf("拉取投诉: %w", err)
		}
		if item.Get("complaint_state").String() == StateProcessed {
			continue
		}
		if err := s.Handle(ctx, item.Get("complaint_id").String()); err != nil {
			s.log.ErrorContext(ctx, "处理投诉失败", "id", item.Get("complaint_id").String(), "err", err)
			continue
		}
		n++
	}
	return n, nil
}

// Get 投诉详情。
func (s *ComplaintService) Get(ctx context.Context, id string) (Complaint, error) {
	return wxpay.Into[Complaint](s.client.Chain(pathComplaint, id).Get(ctx))
}

// Handle 派单，能自动回复的先自动回复。
func (s *ComplaintService) Handle(ctx context.Context, id string) error {
	c, err := s.Get(ctx, id)
	if err != nil {
		return err
	}
	if text, ok := s.replies[c.ProblemDescription]; ok && c.ComplaintState == StatePending {
		if err := s.Reply(ctx, c, text); err != nil {
			return err
		}
	}
	return s.assign(ctx, c)
}

// Reply 回复用户，可以带图片。
func (s *ComplaintService) Reply(ctx context.Context, c Complaint, text string, images ...string) error {
	body := struct {
		Mchid   string   `json:"complainted_mchid"`
		Content string   `json:"response_content"`
		Images  []string `json:"response_images,omitempty"`
	}{Mchid: c.ComplaintedMchid, Content: text}
	for _, image := range images {
		res, err := s.client.Chain("v3/merchant-service/images/upload").Upload(ctx, wxpay.FileAt(image))
		if err != nil {
			return fmt.Errorf("上传图片: %w", err)
		}
		body.Images = append(body.Images, res.Get("media_id").String())
	}
	_, err := s.client.Chain(pathComplaint+"/response", c.ComplaintID).Post(ctx, body)
	return err
}

// Complete 反馈处理完成。
func (s *ComplaintService) Complete(ctx context.Context, c Complaint) error {
	_, err := s.client.Chain(pathComplaint, c.ComplaintID).Chain("complete").Post(ctx, wxpay.JSON{
		"complainted_mchid": c.ComplaintedMchid,
	})
	return err
}

// Refund 同意退款：先更新审批进度，再逐单退款。
func (s *ComplaintService) Refund(ctx context.Context, c Complaint) error {
	if c.FullRefunded {
		return nil
	}
	_, err := s.client.Chain(pathComplaint+"/update-refund-progress", c.ComplaintID).Post(ctx, wxpay.JSON{
		"action": ActionApprove, "launch_refund_day": 0, "remark": "同意退款",
	})
	if err != nil {
		return err
	}
	var errs []error
	for i, o := range c.Orders {
		// 单号由投诉单号推出，重复执行也不会重复退款
		verdict, err := s.client.Chain("v3/refund/domestic/refunds").Ensure(ctx, wxpay.JSON{
			"sub_mchid":      c.ComplaintedMchid,
			"transaction_id": o.TransactionID,
			"out_refund_no":  fmt.Sprintf("C%s_%d", c.ComplaintID, i),
			"reason":         "投诉退款",
			"amount":         wxpay.JSON{"refund": o.Amount, "total": o.Amount, "currency": "CNY"},
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", o.OutTradeNo, err))
			continue
		}
		s.log.InfoContext(ctx, "投诉退款", "order", o.OutTradeNo, "state", verdict.State)
	}
	return errors.Join(errs...)
}

// RejectRefund 拒绝退款。
func (s *ComplaintService) RejectRefund(ctx context.Context, c Complaint, reason string) error {
	_, err := s.client.Chain(pathComplaint+"/update-refund-progress", c.ComplaintID).Post(ctx, map[string]any{
		"action": ActionReject, "reject_reason": reason,
	})
	return err
}

// Register 注册投诉通知。
func (s *ComplaintService) Register(h *webhook.Handler) {
	h.On("COMPLAINT.*", func(ctx context.Context, e *webhook.Event) error {
		id := e.Get("complaint_id").String()
		s.log.InfoContext(ctx, "投诉通知", "type", e.Type, "action", e.Get("action_type").String(), "id", id)
		return s.Handle(ctx, id)
	})
}
