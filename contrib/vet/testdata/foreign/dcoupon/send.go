package dcoupon

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"net/http"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Grant 一次发券。
type Grant struct {
	RequestNo string
	StockID   string
	OpenID    string
}

// RequestNo 由活动、用户算出来：同一人同一活动只有一个单据号。
func RequestNo(campaign, openID string) string {
	sum := sha256.Sum256([]byte(campaign + "\x00" + openID))
	return campaign + hex.EncodeToString(sum[:12])
}

// Result 发券结果。
type Result[T any] struct {
	Value T
	Err   error
}

// Ok 是否成功。
func (r Result[T]) Ok() bool { return r.Err == nil }

// Try 包装返回值。
func Try[T any](v T, err error) Result[T] { return Result[T]{v, err} }

// Map 变换成功值。
func Map[A, B any](r Result[A], f func(A) B) Result[B] {
	if r.Err != nil {
		return Result[B]{Err: r.Err}
	}
	return Result[B]{Value: f(r.Value)}
}

// 业务错误。
var (
	ErrSoldOut = errors.New("券已发完")
	ErrLimited = errors.New("用户已达领取上限")
	ErrPending = errors.New("结果未知，稍后查询")
)

// Sender 发券。
type Sender struct {
	client *wxpay.Client
	appID  string
	store  GrantStore
}

// GrantStore 发券流水。
type GrantStore interface {
	Begin(ctx context.Context, g Grant) error
	Finish(ctx context.Context, requestNo, couponID string) error
	Fail(ctx context.Context, requestNo, reason string) error
	Pending(ctx context.Context, before time.Time) ([]Grant, error)
}

// NewSender 造发券器。
func NewSender(client *wxpay.Client, appID string, store GrantStore) *Sender {
	return &Sender{client, appID, store}
}

// Send 发一张券。先落库再请求。
func (s *Sender) Send(ctx context.Context, g Grant) (string, error) {
	if err := s.store.Begin(ctx, g); err != nil {
		return "", fmt.Errorf("落库: %w", err)
	}
	return s.send(ctx, g)
}

func (s *Sender) send(ctx context.Context, g Grant) (string, error) {
	res, err := s.client.Chain("v3/marketing/favor/users/{openid}/coupons").Var("openid", g.OpenID).Post(ctx, wxpay.JSON{
		"stock_id":            g.StockID,
		"out_request_no":      g.RequestNo,
		"appid":               s.appID,
		"stock_creator_mchid": s.client.MchID(),
	})
	if err == nil {
		id, err := res.Text("coupon_id")
		if err != nil {
			return "", err
		}
		return id, s.store.Finish(ctx, g.RequestNo, id)
	}
	switch wxpay.OutcomeOf(err) {
	case wxpay.Unknown:
		// 不改单据号，留给 Sweep
		return "", fmt.Errorf("%w: %w", ErrPending, err)
	case wxpay.NotSent:
		return "", fmt.Errorf("%w: %w", ErrPending, err)
	}
	switch {
	case wxpay.IsCode(err, wxcode.NotEnough):
		return "", errors.Join(ErrSoldOut, s.store.Fail(ctx, g.RequestNo, "sold out"))
	case wxpay.IsCode(err, wxcode.RequestBlocked, wxcode.RuleLimit):
		return "", errors.Join(ErrLimited, s.store.Fail(ctx, g.RequestNo, "limited"))
	}
	var api *wxpay.APIError
	if errors.As(err, &api) && api.Class() == wxcode.ClassFix {
		return "", errors.Join(err, s.store.Fail(ctx, g.RequestNo, string(api.Code)))
	}
	return "", err
}

// Sweep 处理没有结果的流水：先看用户有没有这张券，没有再用原单据号发。
func (s *Sender) Sweep(ctx context.Context, older time.Duration) error {
	pending, err := s.store.Pending(ctx, time.Now().Add(-older))
	if err != nil {
		return err
	}
	var faults []error
	for _, g := range pending {
		id, err := s.lookup(ctx, g)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		if id != "" {
			faults = append(faults, s.store.Finish(ctx, g.RequestNo, id))
			continue
		}
		if _, err := s.send(ctx, g); err != nil {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}

type userCoupon struct {
	ID        string `json:"coupon_id"`
	StockID   string `json:"stock_id"`
	Status    string `json:"status"`
	RequestNo string `json:"out_request_no"`
}

func (s *Sender) lookup(ctx context.Context, g Grant) (string, error) {
	c := s.client.Chain("v3/marketing/favor/users/{openid}/coupons", g.OpenID).Queries(struct {
		AppID   string `url:"appid"`
		StockID string `url:"stock_id"`
		Creator string `url:"creator_mchid"`
	}{s.appID, g.StockID, s.client.MchID()})
	for coupon, err := range decodeEach[userCoupon](ctx, c, "data") {
		if err != nil {
			return "", fmt.Errorf("查 %s 的券: %w", g.RequestNo, err)
		}
		if coupon.RequestNo == g.RequestNo {
			return coupon.ID, nil
		}
	}
	return "", nil
}

// Parallel 并发执行，结果次序与输入一致。
func Parallel[In, Out any](ctx context.Context, workers int, in []In, f func(context.Context, In) (Out, error)) []Result[Out] {
	out := make([]Result[Out], len(in))
	jobs := make(chan int)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range jobs {
				out[i] = Try(f(ctx, in[i]))
			}
		})
	}
	for i := range in {
		jobs <- i
	}
	close(jobs)
	wg.Wait()
	return out
}

// Campaign 给一批用户发券，返回成功数。
func (s *Sender) Campaign(ctx context.Context, name, stockID string, openIDs []string) (sent int, err error) {
	results := Parallel(ctx, 8, openIDs, func(ctx context.Context, openID string) (string, error) {
		return s.Send(ctx, Grant{RequestNo: RequestNo(name, openID), StockID: stockID, OpenID: openID})
	})
	var faults []error
	for i, r := range results {
		if r.Ok() {
			sent++
			continue
		}
		faults = append(faults, fmt.Errorf("第 %d 人: %w", i+1, r.Err))
	}
	return sent, errors.Join(faults...)
}

// Used 券核销通知的内容。
type Used struct {
	CouponID string `json:"coupon_id"`
	StockID  string `json:"stock_id"`
	Status   string `json:"status"`
	Consume  struct {
		Time          time.Time `json:"consume_time"`
		MchID         string    `json:"consume_mchid"`
		TransactionID string    `json:"transaction_id"`
	} `json:"consume_information"`
}

// Listen 挂上核销通知。
func Listen(mux *http.ServeMux, m webhook.Merchant, used func(context.Context, Used) error) error {
	h, err := webhook.New(m)
	if err != nil {
		return err
	}
	webhook.On(h, "COUPON.USE", func(ctx context.Context, e *webhook.Event, u Used) error {
		if u.CouponID == "" || u.Consume.TransactionID == "" {
			return fmt.Errorf("通知 %s 不完整", e.ID)
		}
		return used(ctx, u)
	})
	h.On("COUPON.SEND", func(ctx context.Context, e *webhook.Event) error {
		log.Printf("发券通知 %s", e.ID)
		return nil
	})
	mux.Handle("POST /notify/coupon", h)
	return nil
}
