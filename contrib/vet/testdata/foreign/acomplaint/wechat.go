package acomplaint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
)

const base = "v3/merchant-service/complaints-v2"

var shanghai = time.FixedZone("CST", 8*3600)

type wechat struct{ client *wxpay.Client }

// NewPlatform 微信实现。
func NewPlatform(client *wxpay.Client) Platform { return &wechat{client: client} }

func (w *wechat) one(id string) wxpay.Chain {
	return w.client.Chain(base+"/{complaint_id}", id)
}

func (w *wechat) List(ctx context.Context, begin, end time.Time, fn func(id string) error) error {
	items := w.client.Chain(base).Queries(map[string]any{
		"begin_date":        begin.In(shanghai).Format(time.DateOnly),
		"end_date":          end.In(shanghai).Format(time.DateOnly),
		"complainted_mchid": w.client.MchID(),
		"limit":             50,
	}).Each(ctx, "data")
	for item, err := range items {
		if err != nil {
			return fmt.Errorf("投诉列表: %w", err)
		}
		if err := fn(item.Get("complaint_id").String()); err != nil {
			return err
		}
	}
	return nil
}

func (w *wechat) Detail(ctx context.Context, id string) (*Complaint, error) {
	res, err := w.one(id).Get(ctx)
	if err != nil {
		return nil, fmt.Errorf("投诉 %s: %w", id, err)
	}
	c := new(Complaint)
	if err := res.Decode(c); err != nil {
		return nil, err
	}
	return c, nil
}

func (w *wechat) Reply(ctx context.Context, c *Complaint, text string, images ...string) error {
	body := wxpay.JSON{"complainted_mchid": c.MchID, "response_content": text}
	if len(images) > 0 {
		body["response_images"] = images
	}
	_, err := w.one(c.ID).Chain("response").Post(ctx, body)
	return err
}

func (w *wechat) Approve(ctx context.Context, id string, days int, remark string) error {
	_, err := w.one(id).Chain("update-refund-progress").Post(ctx, wxpay.JSON{
		"action": "APPROVE", "launch_refund_day": days, "remark": remark,
	})
	return err
}

func (w *wechat) Reject(ctx context.Context, id, reason string, images ...string) error {
	body := wxpay.JSON{"action": "REJECT", "reject_reason": reason}
	if len(images) > 0 {
		body["reject_media_list"] = images
	}
	_, err := w.one(id).Chain("update-refund-progress").Post(ctx, body)
	return err
}

func (w *wechat) Complete(ctx context.Context, c *Complaint) error {
	_, err := w.one(c.ID).Chain("complete").Post(ctx, wxpay.JSON{"complainted_mchid": c.MchID})
	return err
}

func (w *wechat) UploadImage(ctx context.Context, path string) (string, error) {
	res, err := w.client.Chain("v3/merchant-service/images/upload").Upload(ctx, wxpay.FileAt(path))
	if err != nil {
		return "", err
	}
	return res.Text("media_id")
}

const imagePrefix = "https://api.mch.weixin.qq.com/v3/merchant-service/images/"

func (w *wechat) DownloadImage(ctx context.Context, url string, out io.Writer) error {
	mediaID, ok := strings.CutPrefix(url, imagePrefix)
	if !ok || mediaID == "" {
		return errors.New("不认识的图片地址")
	}
	// 地址里的 media_id 已经转义过，原样使用
	_, err := w.client.Chain("v3/merchant-service/images/{media_id}").RawVar("media_id", mediaID).
		Download(ctx, out, wxpay.MaxSize(20<<20))
	return err
}

// Notify 投诉通知入口。
func Notify(m webhook.Merchant, s *Service) (http.Handler, error) {
	h, err := webhook.New(m, webhook.WithTimeout(2*time.Minute))
	if err != nil {
		return nil, err
	}
	type resource struct {
		ComplaintID string `json:"complaint_id"`
		ActionType  string `json:"action_type"`
	}
	webhook.On(h, webhook.ComplaintCreate, func(ctx context.Context, _ *webhook.Event, r resource) error {
		return s.Handle(ctx, r.ComplaintID)
	})
	webhook.On(h, webhook.ComplaintStateChange, func(ctx context.Context, _ *webhook.Event, r resource) error {
		s.log.InfoContext(ctx, "投诉状态变化", "complaint", r.ComplaintID, "action", r.ActionType)
		return nil
	})
	return h, nil
}

// Register 设置投诉通知地址。
func Register(ctx context.Context, client *wxpay.Client, url string) error {
	_, err := client.Chain("v3/merchant-service/complaint-notifications").Post(ctx, wxpay.JSON{"url": url})
	return err
}
