// Package acomplaint 客诉中心：接收投诉、拉取详情、自动分派、回复、同意退款、完结。
package acomplaint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/wxpay-go/wxpay"
)

// Kind 投诉类型。
type Kind string

const (
	KindRefund  Kind = "REFUND"           // 申请退款
	KindService Kind = "SERVICE_NOT_WORK" // 服务权益未生效
	KindOthers  Kind = "OTHERS"
)

// Progress 投诉单状态。
type Progress string

const (
	Pending    Progress = "PENDING"
	Processing Progress = "PROCESSING"
	Processed  Progress = "PROCESSED"
)

// Complaint 投诉单。
type Complaint struct {
	ID              string    `json:"complaint_id"`
	Time            time.Time `json:"complaint_time"`
	Detail          string    `json:"complaint_detail"`
	State           Progress  `json:"complaint_state"`
	MchID           string    `json:"complainted_mchid"`
	PayerPhone      string    `json:"payer_phone"` // SDK 已解密
	PayerOpenID     string    `json:"payer_openid"`
	FullRefunded    bool      `json:"complaint_full_refunded"`
	WaitingResponse bool      `json:"incoming_user_response"`
	Problem         string    `json:"problem_description"`
	Times           int       `json:"user_complaint_times"`
	Kind            Kind      `json:"problem_type"`
	ApplyAmount     int64     `json:"apply_refund_amount"`
	Tags            []string  `json:"user_tag_list"`
	Orders          []struct {
		TransactionID string `json:"transaction_id"`
		OutTradeNo    string `json:"out_trade_no"`
		Amount        int64  `json:"amount"`
	} `json:"complaint_order_info"`
	Media []struct {
		Type string   `json:"media_type"`
		URLs []string `json:"media_url"`
	} `json:"complaint_media_list"`
}

// Platform 微信投诉接口的抽象。
type Platform interface {
	List(ctx context.Context, begin, end time.Time, fn func(id string) error) error
	Detail(ctx context.Context, id string) (*Complaint, error)
	Reply(ctx context.Context, c *Complaint, text string, images ...string) error
	Approve(ctx context.Context, id string, days int, remark string) error
	Reject(ctx context.Context, id, reason string, images ...string) error
	Complete(ctx context.Context, c *Complaint) error
	UploadImage(ctx context.Context, path string) (string, error)
	DownloadImage(ctx context.Context, url string, w io.Writer) error
}

// Refunder 退款服务。
type Refunder interface {
	Refund(ctx context.Context, outTradeNo string, amount int64, reason string) error
}

// Tickets 内部工单系统。
type Tickets interface {
	Upsert(ctx context.Context, c *Complaint, attachments []string) (ticketID string, err error)
	Seen(ctx context.Context, complaintID string) (bool, error)
}

// Policy 自动处理策略。
type Policy struct {
	AutoRefundLimit int64         // 低于该金额（分）直接退款
	ReplyText       string        // 首次自动回复
	ImageDir        string        // 证据图片目录
	Window          time.Duration // 巡检窗口
}

// Service 客诉应用服务。
type Service struct {
	platform Platform
	refunds  Refunder
	tickets  Tickets
	policy   Policy
	log      *slog.Logger
}

func NewService(platform Platform, refunds Refunder, tickets Tickets, policy Policy, log *slog.Logger) *Service {
	return &Service{platform: platform, refunds: refunds, tickets: tickets, policy: policy, log: log}
}

// Handle 处理一条新投诉。
func (s *Service) Handle(ctx context.Context, id string) error {
	seen, err := s.tickets.Seen(ctx, id)
	if err != nil || seen {
		return err
	}
	c, err := s.platform.Detail(ctx, id)
	if err != nil {
		return err
	}
	files := s.attachments(ctx, c)
	ticket, err := s.tickets.Upsert(ctx, c, files)
	if err != nil {
		return err
	}
	s.log.InfoContext(ctx, "新投诉", "complaint", c.ID, "ticket", ticket, "kind", c.Kind, "times", c.Times)
	if c.State != Pending {
		return nil
	}
	if err := s.platform.Reply(ctx, c, s.policy.ReplyText); err != nil {
		return err
	}
	if s.autoRefundable(c) {
		return s.refundAndClose(ctx, c)
	}
	return nil
}

func (s *Service) autoRefundable(c *Complaint) bool {
	if c.Kind != KindRefund || c.FullRefunded || len(c.Orders) != 1 {
		return false
	}
	for _, tag := range c.Tags {
		if tag == "HIGH_RISK" {
			return false
		}
	}
	return c.ApplyAmount > 0 && c.ApplyAmount <= s.policy.AutoRefundLimit && c.ApplyAmount <= c.Orders[0].Amount
}

func (s *Service) refundAndClose(ctx context.Context, c *Complaint) error {
	if err := s.platform.Approve(ctx, c.ID, 0, "小额自动退款"); err != nil {
		return err
	}
	if err := s.refunds.Refund(ctx, c.Orders[0].OutTradeNo, c.ApplyAmount, "投诉退款"); err != nil {
		return fmt.Errorf("投诉 %s 退款: %w", c.ID, err)
	}
	return s.platform.Complete(ctx, c)
}

// attachments 下载证据图片，失败不影响主流程。
func (s *Service) attachments(ctx context.Context, c *Complaint) []string {
	var files []string
	for i, m := range c.Media {
		for j, url := range m.URLs {
			path := filepath.Join(s.policy.ImageDir, fmt.Sprintf("%s-%d-%d.jpg", c.ID, i, j))
			if err := s.platform.DownloadImage(ctx, url, wxpay.ToFile(path).Replace()); err != nil {
				s.log.WarnContext(ctx, "下载投诉图片失败", "complaint", c.ID, "err", err)
				continue
			}
			files = append(files, path)
		}
	}
	return files
}

// ReplyWithProof 客服回复并附上配送照片。
func (s *Service) ReplyWithProof(ctx context.Context, id, text string, photos []string) error {
	c, err := s.platform.Detail(ctx, id)
	if err != nil {
		return err
	}
	if c.State == Processed {
		return errors.New("投诉已完结")
	}
	var media []string
	for _, p := range photos {
		mediaID, err := s.platform.UploadImage(ctx, p)
		if err != nil {
			return fmt.Errorf("上传 %s: %w", filepath.Base(p), err)
		}
		media = append(media, mediaID)
	}
	return s.platform.Reply(ctx, c, text, media...)
}

// Patrol 巡检：补上漏掉的通知。
func (s *Service) Patrol(ctx context.Context) error {
	now := time.Now()
	return s.platform.List(ctx, now.Add(-s.policy.Window), now, func(id string) error {
		if err := s.Handle(ctx, id); err != nil {
			s.log.ErrorContext(ctx, "巡检投诉失败", "complaint", id, "err", err)
		}
		return nil
	})
}
