package dcard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
)

// ValidDate 有效期。
type ValidDate struct {
	Type  string `json:"type"`
	Begin string `json:"available_begin_time,omitempty"`
	End   string `json:"available_end_time,omitempty"`
	Days  int    `json:"available_day_after_receive,omitempty"`
}

// Permanent 永久有效。
func Permanent() ValidDate { return ValidDate{Type: "PERMANENT"} }

// Between 固定时间段。
func Between(from, to time.Time) ValidDate {
	return ValidDate{Type: "FIX_TIME_RANGE", Begin: from.Format(time.RFC3339), End: to.Format(time.RFC3339)}
}

// Jump 小程序跳转。
type Jump struct {
	AppID string `json:"jump_appid"`
	Path  string `json:"jump_path"`
}

// Template 会员卡模板。
type Template struct {
	OutRequestNo string     `json:"out_request_no"`
	AppID        string     `json:"appid"`
	Type         CardType   `json:"card_type"`
	Title        string     `json:"card_title"`
	Color        string     `json:"card_color"`
	PictureURL   string     `json:"card_picture_url"`
	CodeMode     string     `json:"code_mode"`
	CodeType     string     `json:"code_type"`
	Benefits     string     `json:"benefits"`
	NotifyURL    string     `json:"notify_url"`
	Pinned       *bool      `json:"need_pinned,omitempty"`
	ShowLevel    *bool      `json:"need_display_level,omitempty"`
	InitLevel    string     `json:"init_level,omitempty"`
	Phone        string     `json:"service_phone,omitempty"`
	Valid        *ValidDate `json:"valid_date_information,omitempty"`
	Points       *Jump      `json:"points_information,omitempty"`
}

// TemplateResult 建卡返回。
type TemplateResult struct {
	CardID  string `json:"card_id"`
	BrandID string `json:"brand_id"`
	Title   string `json:"card_title"`
}

// TemplateOption 改模板。
type TemplateOption func(*Template)

// Levels 显示等级并给初始等级。
func Levels(initial string) TemplateOption {
	return func(t *Template) { t.ShowLevel, t.InitLevel = ptr(true), initial }
}

// Pinned 置顶。
func Pinned() TemplateOption { return func(t *Template) { t.Pinned = ptr(true) } }

// Valid 设有效期。
func Valid(v ValidDate) TemplateOption { return func(t *Template) { t.Valid = &v } }

// UploadPicture 上传卡面，返回永久地址。
func (s *Service) UploadPicture(ctx context.Context, file string) (string, error) {
	res, err := s.brand.Chain(pathImage).Upload(ctx, wxpay.FileAt(file))
	if err != nil {
		return "", fmt.Errorf("上传卡面 %s: %w", file, err)
	}
	return res.Text("media_url")
}

// CreateTemplate 建模板。requestNo 由调用方先落库，重试时用同一个。
func (s *Service) CreateTemplate(ctx context.Context, requestNo, title, picture, benefits string, options ...TemplateOption) (TemplateResult, error) {
	t := Template{
		OutRequestNo: requestNo, AppID: s.appID, Type: CardNormal, Title: title, Color: "#1A6840",
		PictureURL: picture, CodeMode: "SYSTEM_ALLOCATE", CodeType: "QR_CODE",
		Benefits: benefits, NotifyURL: s.notifyURL, Valid: ptr(Permanent()),
	}
	for _, o := range options {
		o(&t)
	}
	return send[Template, TemplateResult](ctx, s.brand.Chain(pathCards), t)
}

// RenameTemplate 只改标题。
func (s *Service) RenameTemplate(ctx context.Context, cardID, title string) error {
	_, err := patch[map[string]string, TemplateResult](ctx, s.brand.Chain(pathCard, cardID), map[string]string{"card_title": title})
	return err
}

// UserCard 用户手里的卡。
type UserCard struct {
	Code   string       `json:"user_card_code"`
	CardID string       `json:"card_id"`
	OpenID string       `json:"openid"`
	Level  string       `json:"level"`
	State  string       `json:"user_card_state"`
	Phone  wxpay.Secret `json:"phone_number"`
	Picked time.Time    `json:"pickup_time"`
}

// Effective 是否可用。
func (u UserCard) Effective() bool { return u.State == "EFFECTIVE" }

func decodeUserCard(r wxpay.Result) (UserCard, error) {
	var u UserCard
	err := json.Unmarshal([]byte(r.Raw), &u)
	return u, err
}

// UserCards 用户在本品牌下的卡。
func (s *Service) UserCards(ctx context.Context, openID string) iter.Seq2[UserCard, error] {
	c := s.brand.Chain(pathUserCards).Query("openid", openID).Query("offset", 0).Query("limit", s.pageSize)
	return list(ctx, c, "data", decodeUserCard)
}

// ByTemplate 按模板分组，只看生效的。
func (s *Service) ByTemplate(ctx context.Context, openID string) (map[string][]UserCard, error) {
	cards, err := collect(filter(s.UserCards(ctx, openID), UserCard.Effective))
	if err != nil {
		return nil, err
	}
	return groupBy(cards, func(u UserCard) string { return u.CardID }), nil
}

// Find 查一张卡。
func (s *Service) Find(ctx context.Context, cardID, code string) (UserCard, bool, error) {
	return notFound(fetch[UserCard](ctx, s.brand.Chain(pathUserCard, code).Query("card_id", cardID)))
}

// Confirm 同步开通结果；手机号字段由客户端加密。
func (s *Service) Confirm(ctx context.Context, u UserCard) (UserCard, error) {
	body := struct {
		CardID string       `json:"card_id"`
		OpenID string       `json:"openid"`
		Phone  wxpay.Secret `json:"phone_number,omitempty"`
		Level  string       `json:"level,omitempty"`
		State  string       `json:"user_card_confirm_state"`
	}{u.CardID, u.OpenID, u.Phone, u.Level, "CREATE_CARD_SUCCESS"}
	return wxpay.Into[UserCard](s.brand.Chain(pathConfirm, u.Code).Query("card_id", u.CardID).Post(ctx, body))
}

// Promote 升级。
func (s *Service) Promote(ctx context.Context, u UserCard, level string) error {
	_, err := s.brand.Chain(pathUserCard).Var("user_card_code", u.Code).Query("card_id", u.CardID).
		Patch(ctx, wxpay.JSON{"openid": u.OpenID, "level": level})
	if err != nil {
		return fmt.Errorf("会员 %s 升级: %w", u.Code, err)
	}
	return nil
}

// Token 入会组件的预授权。
type Token struct {
	Token  string    `json:"token"`
	Expire time.Time `json:"expire_time"`
}

// Cache 带过期的缓存。
type Cache[K comparable, V any] struct {
	mu      sync.Mutex
	entries map[K]V
	fresh   func(V) bool
}

// NewCache 造缓存。
func NewCache[K comparable, V any](fresh func(V) bool) *Cache[K, V] {
	return &Cache[K, V]{entries: make(map[K]V), fresh: fresh}
}

// Get 有新鲜的就用，没有就取。
func (c *Cache[K, V]) Get(ctx context.Context, key K, load func(context.Context, K) (V, error)) (V, error) {
	c.mu.Lock()
	v, ok := c.entries[key]
	c.mu.Unlock()
	if ok && c.fresh(v) {
		return v, nil
	}
	v, err := load(ctx, key)
	if err != nil {
		return v, err
	}
	c.mu.Lock()
	c.entries[key] = v
	c.mu.Unlock()
	return v, nil
}

// Tokens 每张卡的预授权，提前一分钟视为过期。
func (s *Service) Tokens(cardID string) func(ctx context.Context, openID string) (Token, error) {
	cache := NewCache[string](func(t Token) bool { return s.now().Add(time.Minute).Before(t.Expire) })
	load := func(ctx context.Context, openID string) (Token, error) {
		return send[wxpay.JSON, Token](ctx, s.brand.Chain(pathPreAuth), wxpay.JSON{"card_id": cardID, "openid": openID})
	}
	return func(ctx context.Context, openID string) (Token, error) { return cache.Get(ctx, openID, load) }
}

// Feed 会员动态。
type Feed struct {
	CardID  string `json:"card_id"`
	Code    string `json:"user_card_code"`
	OpenID  string `json:"openid"`
	Request string `json:"out_request_no"`
	Cell    string `json:"cell"`
}

// PushFeed 品牌自己发动态。
func (s *Service) PushFeed(ctx context.Context, f Feed) error {
	verdict, err := s.brand.Chain(pathFeeds).Timeout(2*time.Minute).Ensure(ctx, f)
	if err != nil {
		if errors.Is(err, wxpay.ErrOutcomeUnknown) {
			s.log.WarnContext(ctx, "动态结果未知，稍后同号再发", "out_request_no", f.Request)
		}
		return err
	}
	s.log.InfoContext(ctx, "动态已发", "out_request_no", f.Request, "state", verdict.State, "attempts", verdict.Attempts)
	return nil
}

// Provider 服务商替品牌发动态，使用商户签名。
type Provider struct {
	client  *wxpay.Client
	brandID string
}

// NewProvider 服务商身份。
func NewProvider(client *wxpay.Client, brandID string) *Provider { return &Provider{client, brandID} }

// PushAll 逐条发送，失败的连同原因返回；每秒五条的限制由客户端掌握。
func (p *Provider) PushAll(ctx context.Context, feeds iter.Seq[Feed]) map[string]error {
	failed := map[string]error{}
	for f := range feeds {
		if ctx.Err() != nil {
			failed[f.Request] = ctx.Err()
			continue
		}
		_, err := p.client.Chain(pathPartnerFeeds).Ensure(ctx, wxpay.JSON{
			"brand_id": p.brandID, "card_id": f.CardID, "user_card_code": f.Code,
			"openid": f.OpenID, "out_request_no": f.Request, "cell_message": f.Cell,
		})
		if err != nil {
			failed[f.Request] = err
		}
	}
	return failed
}

// PushBatch 并发发一批。下标与入参一致。
func (p *Provider) PushBatch(ctx context.Context, feeds []Feed) ([]*wxpay.Response, error) {
	futures := make([]*wxpay.Future, 0, len(feeds))
	for _, f := range feeds {
		futures = append(futures, p.client.Chain(pathPartnerFeeds).PostAsync(ctx, wxpay.JSON{
			"brand_id": p.brandID, "card_id": f.CardID, "user_card_code": f.Code,
			"openid": f.OpenID, "out_request_no": f.Request, "cell_message": f.Cell,
		}))
	}
	return wxpay.WaitAll(ctx, futures...)
}

// Members 会员表。
type Members interface {
	Save(ctx context.Context, u UserCard) error
	Drop(ctx context.Context, code string) error
}

// Notifications 品牌通知的入口，用品牌自己的密钥解密。
func (s *Service) Notifications(m webhook.Merchant, members Members) (*webhook.Handler, error) {
	h, err := webhook.New(m, webhook.WithLogger(s.log))
	if err != nil {
		return nil, err
	}
	webhook.On(h, "BRAND_MEMBER_CARD.*", func(ctx context.Context, e *webhook.Event, u UserCard) error {
		if u.Code == "" {
			return webhook.Fail("缺少会员卡号")
		}
		if u.State == "INVALID" {
			return members.Drop(ctx, u.Code)
		}
		return members.Save(ctx, u)
	})
	return h, nil
}

// Invalidate 作废。
func (s *Service) Invalidate(ctx context.Context, u UserCard, reason string) error {
	_, err := s.brand.Chain(pathInvalidate, u.Code).Query("card_id", u.CardID).
		Post(ctx, wxpay.JSON{"openid": u.OpenID, "invalid_reason": reason})
	return err
}
