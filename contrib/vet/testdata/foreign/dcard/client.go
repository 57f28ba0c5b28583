// Package dcard 品牌会员卡：建卡、发卡、同步开通结果、会员动态、通知。
package dcard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/wxcode"
)

// 品牌接口路径，不带 v3 前缀。
const (
	pathCards        = "brand/card-member/cards"
	pathCard         = "brand/card-member/cards/{card_id}"
	pathUserCards    = "brand/card-member/user-cards"
	pathUserCard     = "brand/card-member/user-cards/{user_card_code}"
	pathConfirm      = "brand/card-member/user-cards/{user_card_code}/confirm"
	pathInvalidate   = "brand/card-member/user-cards/{user_card_code}/invalidate"
	pathPreAuth      = "brand/card-member/pre-auth-tokens"
	pathImage        = "brand/card-member/media/image-upload"
	pathFeeds        = "brand/card-member/user-feeds"
	pathPartnerFeeds = "v3/brand/partner/card-member/user-feeds"
)

// CardType 会员卡类型。
type CardType string

// 平台定义的三种会员卡。
const (
	CardPurchase CardType = "PURCHASE"
	CardNormal   CardType = "NORMAL"
	CardBalance  CardType = "BALANCE"
)

// BrandConfig 品牌身份。品牌有自己的证书、公钥和 32 位密钥，与商户号无关。
type BrandConfig struct {
	BrandID     string
	CertFile    string
	KeyFile     string
	PublicKeyID string
	PublicFile  string
	AppID       string
	NotifyURL   string
}

// ConfigFromEnviron 从环境变量读，缺一个就报出全部缺的名字。
func ConfigFromEnviron() (BrandConfig, error) {
	var c BrandConfig
	fields := map[string]*string{
		"CARD_BRAND_ID":      &c.BrandID,
		"CARD_BRAND_CERT":    &c.CertFile,
		"CARD_BRAND_KEY":     &c.KeyFile,
		"CARD_PUBLIC_KEY_ID": &c.PublicKeyID,
		"CARD_PUBLIC_KEY":    &c.PublicFile,
		"CARD_APPID":         &c.AppID,
		"CARD_NOTIFY_URL":    &c.NotifyURL,
	}
	var missing []error
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		v, ok := os.LookupEnv(name)
		if !ok || v == "" {
			missing = append(missing, fmt.Errorf("%s 未设置", name))
			continue
		}
		*fields[name] = v
	}
	return c, errors.Join(missing...)
}

// Option 修改服务。
type Option func(*Service)

// WithLog 指定日志。
func WithLog(l *slog.Logger) Option { return func(s *Service) { s.log = l } }

// WithPageSize 指定列表每页条数。
func WithPageSize(n int) Option { return func(s *Service) { s.pageSize = n } }

// WithNow 测试时替换时钟。
func WithNow(now func() time.Time) Option { return func(s *Service) { s.now = now } }

// Service 会员卡服务。
type Service struct {
	brand     *wxpay.Client
	appID     string
	notifyURL string
	log       *slog.Logger
	now       func() time.Time
	pageSize  int
}

// NewBrandClient 以品牌身份签名的客户端。
func NewBrandClient(c BrandConfig) (*wxpay.Client, error) {
	cert, err := wxpay.LoadCertificate(c.CertFile)
	if err != nil {
		return nil, fmt.Errorf("dcard: 证书: %w", err)
	}
	key, err := wxpay.LoadPrivateKey(c.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("dcard: 私钥: %w", err)
	}
	public, err := wxpay.LoadPublicKey(c.PublicFile)
	if err != nil {
		return nil, fmt.Errorf("dcard: 微信支付公钥: %w", err)
	}
	return wxpay.New(
		wxpay.Merchant{ID: c.BrandID, Certificate: cert, PrivateKey: key},
		wxpay.WithScheme(apiv3.Brand()),
		wxpay.WithPublicKey(c.PublicKeyID, public),
		wxpay.WithTimeout(10*time.Second),
	)
}

// New 组装服务。
func New(brand *wxpay.Client, appID, notifyURL string, options ...Option) *Service {
	s := &Service{
		brand: brand, appID: appID, notifyURL: notifyURL,
		log: slog.Default(), now: time.Now, pageSize: 20,
	}
	for _, o := range options {
		o(s)
	}
	return s
}

// fetch 发 GET 并解码，T 由调用处决定。
func fetch[T any](ctx context.Context, c wxpay.Chain) (T, error) {
	return wxpay.Into[T](c.Get(ctx))
}

// send 发 POST 并解码。
func send[In, Out any](ctx context.Context, c wxpay.Chain, in In) (Out, error) {
	return wxpay.Into[Out](c.Post(ctx, in))
}

// patch 发 PATCH 并解码。
func patch[In, Out any](ctx context.Context, c wxpay.Chain, in In) (Out, error) {
	return wxpay.Into[Out](c.Patch(ctx, in))
}

// list 把分页列表变成 T 的序列。convert 出错则序列到此为止。
func list[T any](ctx context.Context, c wxpay.Chain, path string, convert func(wxpay.Result) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		for item, err := range c.Each(ctx, path) {
			if err != nil {
				yield(zero, err)
				return
			}
			v, err := convert(item)
			if err != nil {
				yield(zero, err)
				return
			}
			if !yield(v, nil) {
				return
			}
		}
	}
}

// collect 收集序列，遇到第一个错误就停。
func collect[T any](seq iter.Seq2[T, error]) ([]T, error) {
	var out []T
	for v, err := range seq {
		if err != nil {
			return out, err
		}
		out = append(out, v)
	}
	return out, nil
}

// filter 只留 keep 为真的元素，错误原样传下去。
func filter[T any](seq iter.Seq2[T, error], keep func(T) bool) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v, err := range seq {
			if err == nil && !keep(v) {
				continue
			}
			if !yield(v, err) {
				return
			}
		}
	}
}

// groupBy 按键分组。
func groupBy[K cmp.Ordered, T any](items []T, key func(T) K) map[K][]T {
	out := make(map[K][]T)
	for _, item := range items {
		k := key(item)
		out[k] = append(out[k], item)
	}
	return out
}

// ptr 可选字段用。
func ptr[T any](v T) *T { return &v }

// notFound 把“没有这张卡”变成 (零值, false, nil)。
func notFound[T any](v T, err error) (T, bool, error) {
	var zero T
	switch {
	case err == nil:
		return v, true, nil
	case wxpay.IsCode(err, wxcode.ResourceNotExists, wxcode.NotFound):
		return zero, false, nil
	default:
		return zero, false, err
	}
}
