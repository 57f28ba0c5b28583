// Package acoupon 营销中心：代金券批次的创建、激活、发放、查询和核销对账。
package acoupon

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Template 运营后台配置的券模板。
type Template struct {
	ID         int64
	Name       string
	Amount     int64 // 面额，分
	Minimum    int64 // 门槛，分
	MaxCount   int64
	PerUser    int64
	Begin, End time.Time
	GoodsTags  []string
	StockID    string
}

// Grant 一次发券。
type Grant struct {
	RequestNo string    `json:"out_request_no"`
	UserID    int64     `json:"user_id"`
	OpenID    string    `json:"openid"`
	StockID   string    `json:"stock_id"`
	CouponID  string    `json:"coupon_id"`
	GrantedAt time.Time `json:"granted_at"`
}

// Coupon 用户名下的券。
type Coupon struct {
	ID        string    `json:"coupon_id"`
	StockID   string    `json:"stock_id"`
	Name      string    `json:"coupon_name"`
	Status    string    `json:"status"`
	BeginTime time.Time `json:"available_begin_time"`
	EndTime   time.Time `json:"available_end_time"`
	Normal    *struct {
		Amount  int64 `json:"coupon_amount"`
		Minimum int64 `json:"transaction_minimum"`
	} `json:"normal_coupon_information"`
}

// Usable 订单金额是否满足门槛。
func (c Coupon) Usable(total int64, now time.Time) bool {
	if c.Status != "SENDED" || c.Normal == nil {
		return false
	}
	return total >= c.Normal.Minimum && !now.Before(c.BeginTime) && now.Before(c.EndTime)
}

// TemplateRepo 模板仓储。
type TemplateRepo interface {
	Template(ctx context.Context, id int64) (*Template, error)
	BindStock(ctx context.Context, id int64, stockID string) error
}

// GrantRepo 发券流水。
type GrantRepo interface {
	Save(ctx context.Context, g *Grant) error
	MarkUsed(ctx context.Context, couponID, transactionID string, at time.Time) error
}

// ErrUserLimit 等可以直接提示给用户的错误。
var (
	ErrUserLimit  = errors.New("已达到领取上限")
	ErrSoldOut    = errors.New("券已抢光")
	ErrNotStarted = errors.New("活动未开始")
)

// Service 营销服务接口。
type Service interface {
	Publish(ctx context.Context, templateID int64) (stockID string, err error)
	Grant(ctx context.Context, templateID, userID int64, openID, activity string) (*Grant, error)
	Best(ctx context.Context, openID string, total int64) (*Coupon, error)
	Subscribe(h *webhook.Handler)
}

type service struct {
	client    *wxpay.Client
	appID     string
	templates TemplateRepo
	grants    GrantRepo
}

// New 创建营销服务。
func New(client *wxpay.Client, appID string, templates TemplateRepo, grants GrantRepo) Service {
	return &service{client: client, appID: appID, templates: templates, grants: grants}
}

// Publish 创建并激活批次。
func (s *service) Publish(ctx context.Context, templateID int64) (string, error) {
	t, err := s.templates.Template(ctx, templateID)
	if err != nil {
		return "", err
	}
	if t.StockID == "" {
		if t.StockID, err = s.createStock(ctx, t); err != nil {
			return "", err
		}
		if err := s.templates.BindStock(ctx, t.ID, t.StockID); err != nil {
			return "", err
		}
	}
	_, err = s.client.Chain("v3/marketing/favor/stocks/{stock_id}/start", t.StockID).
		Post(ctx, wxpay.JSON{"stock_creator_mchid": s.client.MchID()})
	if err != nil {
		return "", fmt.Errorf("激活批次 %s: %w", t.StockID, err)
	}
	return t.StockID, nil
}

func (s *service) createStock(ctx context.Context, t *Template) (string, error) {
	useRule := wxpay.JSON{
		"fixed_normal_coupon": wxpay.JSON{"coupon_amount": t.Amount, "transaction_minimum": t.Minimum},
		"available_merchants": []string{s.client.MchID()},
		"combine_use":         false,
	}
	if len(t.GoodsTags) > 0 {
		useRule["goods_tag"] = t.GoodsTags
	}
	res, err := s.client.Chain("v3/marketing/favor/coupon-stocks").Post(ctx, wxpay.JSON{
		"stock_name":           t.Name,
		"belong_merchant":      s.client.MchID(),
		"available_begin_time": t.Begin.Format(time.RFC3339),
		"available_end_time":   t.End.Format(time.RFC3339),
		"stock_type":           "NORMAL",
		"no_cash":              false,
		"out_request_no":       fmt.Sprintf("%s%d%08d", s.client.MchID(), t.Begin.Unix(), t.ID),
		"stock_use_rule": wxpay.JSON{
			"max_coupons":          t.MaxCount,
			"max_amount":           t.MaxCount * t.Amount,
			"max_coupons_per_user": t.PerUser,
			"natural_person_limit": true,
			"prevent_api_abuse":    true,
		},
		"coupon_use_rule": useRule,
	})
	if err != nil {
		return "", fmt.Errorf("创建批次: %w", err)
	}
	return res.Text("stock_id")
}

// Grant 发券。同一活动同一用户的单号固定，微信侧据此幂等。
func (s *service) Grant(ctx context.Context, templateID, userID int64, openID, activity string) (*Grant, error) {
	t, err := s.templates.Template(ctx, templateID)
	if err != nil {
		return nil, err
	}
	if t.StockID == "" || time.Now().Before(t.Begin) {
		return nil, ErrNotStarted
	}
	g := &Grant{
		RequestNo: fmt.Sprintf("%s-%d-%d", activity, templateID, userID),
		UserID:    userID,
		OpenID:    openID,
		StockID:   t.StockID,
	}
	res, err := s.client.Chain("v3/marketing/favor/users/{openid}/coupons", openID).Post(ctx, wxpay.JSON{
		"appid":               s.appID,
		"stock_id":            t.StockID,
		"out_request_no":      g.RequestNo,
		"stock_creator_mchid": s.client.MchID(),
	})
	switch {
	case err == nil:
	case wxpay.IsCode(err, wxcode.RuleLimit):
		return nil, fmt.Errorf("%w: %w", ErrUserLimit, err)
	case wxpay.IsCode(err, wxcode.NotEnough):
		return nil, fmt.Errorf("%w: %w", ErrSoldOut, err)
	default:
		return nil, fmt.Errorf("发券 %s: %w", g.RequestNo, err)
	}
	if g.CouponID, err = res.Text("coupon_id"); err != nil {
		return nil, err
	}
	g.GrantedAt = time.Now()
	return g, s.grants.Save(ctx, g)
}

// list 通用的列表迭代器：把每个元素解码成 T。
func list[T any](ctx context.Context, chain wxpay.Chain, path string, decode func(wxpay.Result) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for item, err := range chain.Each(ctx, path) {
			var v T
			if err == nil {
				v, err = decode(item)
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

func decodeCoupon(item wxpay.Result) (Coupon, error) {
	c := Coupon{
		ID:      item.Get("coupon_id").String(),
		StockID: item.Get("stock_id").String(),
		Name:    item.Get("coupon_name").String(),
		Status:  item.Get("status").String(),
	}
	var err error
	if c.BeginTime, err = time.Parse(time.RFC3339, item.Get("available_begin_time").String()); err != nil {
		return c, err
	}
	if c.EndTime, err = time.Parse(time.RFC3339, item.Get("available_end_time").String()); err != nil {
		return c, err
	}
	if info := item.Get("normal_coupon_information"); info.Exists() {
		c.Normal = &struct {
			Amount  int64 `json:"coupon_amount"`
			Minimum int64 `json:"transaction_minimum"`
		}{info.Get("coupon_amount").Int(), info.Get("transaction_minimum").Int()}
	}
	return c, nil
}

// Best 选出对本单最划算的券；没有可用券返回 nil。
func (s *service) Best(ctx context.Context, openID string, total int64) (*Coupon, error) {
	chain := s.client.Chain("v3/marketing/favor/users/{openid}/coupons", openID).
		Query("appid", s.appID).
		Query("status", "SENDED").
		Query("creator_mchid", s.client.MchID()).
		Query("limit", 20)
	var best *Coupon
	now := time.Now()
	for c, err := range list(ctx, chain, "data", decodeCoupon) {
		if err != nil {
			return nil, err
		}
		if !c.Usable(total, now) {
			continue
		}
		if best == nil || c.Normal.Amount > best.Normal.Amount {
			best = &c
		}
	}
	return best, nil
}

// Subscribe 注册核销通知。先在商户平台或 callbacks 接口设置通知地址。
func (s *service) Subscribe(h *webhook.Handler) {
	h.On("COUPON.USE", func(ctx context.Context, e *webhook.Event) error {
		couponID, err := e.Text("coupon_id")
		if err != nil {
			return err
		}
		transactionID, err := e.Text("consume_information.transaction_id")
		if err != nil {
			return err
		}
		at, err := e.Time("consume_information.consume_time")
		if err != nil {
			return err
		}
		return s.grants.MarkUsed(ctx, couponID, transactionID, at)
	})
}

// SetCallback 设置核销通知地址，部署脚本调用一次。
func SetCallback(ctx context.Context, client *wxpay.Client, url string) error {
	_, err := client.Chain("v3/marketing/favor/callbacks").Post(ctx, wxpay.JSON{
		"mchid":      client.MchID(),
		"notify_url": url,
		"switch":     true,
	})
	return err
}
