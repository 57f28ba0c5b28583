package aorder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Clock 便于单测固定时间。
type Clock interface{ Now() time.Time }

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

// NumberGenerator 订单号生成器（雪花算法等）。
type NumberGenerator interface {
	Next(ctx context.Context) (string, error)
}

// Publisher 领域事件出口，通常是消息队列。
type Publisher interface {
	Publish(ctx context.Context, topic string, payload any) error
}

// CreateCommand 下单命令。
type CreateCommand struct {
	UserID      int64   `json:"user_id"`
	OpenID      string  `json:"openid"`
	StoreID     string  `json:"store_id"`
	StoreName   string  `json:"store_name"`
	Channel     Channel `json:"channel"`
	Dishes      []Dish  `json:"dishes"`
	PackFee     int64   `json:"pack_fee"`
	DeliveryFee int64   `json:"delivery_fee"`
	Discount    int64   `json:"discount"`
}

// Service 订单应用服务。
type Service interface {
	Create(ctx context.Context, cmd CreateCommand) (*Order, error)
	Pay(ctx context.Context, no string, opt PrepayOption) (any, error)
	Get(ctx context.Context, no string) (*Order, error)
	Sync(ctx context.Context, no string) (*Order, error)
	Cancel(ctx context.Context, no string) error
	ConfirmPaid(ctx context.Context, p PaidEvent) error
}

// PaidEvent 支付成功事件，来自回调或查单。
type PaidEvent struct {
	No            string    `json:"no"`
	TransactionID string    `json:"transaction_id"`
	Total         int64     `json:"total"`
	PayerTotal    int64     `json:"payer_total"`
	PaidAt        time.Time `json:"paid_at"`
}

const (
	payWindow  = 15 * time.Minute
	topicPaid  = "order.paid"
	topicClose = "order.closed"
	saveRetry  = 3
)

type service struct {
	repo      Repository
	gateway   PayGateway
	numbers   NumberGenerator
	publisher Publisher
	clock     Clock
	log       *slog.Logger
}

var _ Service = (*service)(nil)

// ServiceOption 可选依赖。
type ServiceOption func(*service)

func WithClock(c Clock) ServiceOption         { return func(s *service) { s.clock = c } }
func WithLogger(l *slog.Logger) ServiceOption { return func(s *service) { s.log = l } }
func WithPublisher(p Publisher) ServiceOption { return func(s *service) { s.publisher = p } }

type nopPublisher struct{}

func (nopPublisher) Publish(context.Context, string, any) error { return nil }

// NewService 构造函数注入全部依赖。
func NewService(repo Repository, gateway PayGateway, numbers NumberGenerator, options ...ServiceOption) Service {
	s := &service{
		repo: repo, gateway: gateway, numbers: numbers,
		publisher: nopPublisher{}, clock: systemClock{}, log: slog.Default(),
	}
	for _, option := range options {
		option(s)
	}
	return s
}

func (s *service) Create(ctx context.Context, cmd CreateCommand) (*Order, error) {
	if !cmd.Channel.Valid() {
		return nil, fmt.Errorf("%w: %q", ErrBadChannel, cmd.Channel)
	}
	if cmd.Channel.NeedOpenID() && cmd.OpenID == "" {
		return nil, ErrOpenIDMissing
	}
	no, err := s.numbers.Next(ctx)
	if err != nil {
		return nil, fmt.Errorf("生成订单号: %w", err)
	}
	now := s.clock.Now()
	o := &Order{
		No: no, StoreID: cmd.StoreID, StoreName: cmd.StoreName, UserID: cmd.UserID, OpenID: cmd.OpenID,
		Channel: cmd.Channel, Dishes: cmd.Dishes, PackFee: cmd.PackFee, DeliveryFee: cmd.DeliveryFee,
		Discount: cmd.Discount, Status: StatusCreated, CreatedAt: now, ExpireAt: now.Add(payWindow),
	}
	if o.Total, err = o.Sum(); err != nil {
		return nil, err
	}
	if err := s.repo.Create(ctx, o); err != nil {
		return nil, err
	}
	return o, nil
}

func (s *service) Pay(ctx context.Context, no string, opt PrepayOption) (any, error) {
	o, err := s.repo.Find(ctx, no)
	if err != nil {
		return nil, err
	}
	if err := o.Payable(s.clock.Now()); err != nil {
		return nil, err
	}
	return s.gateway.Prepay(ctx, o, opt)
}

func (s *service) Get(ctx context.Context, no string) (*Order, error) { return s.repo.Find(ctx, no) }

// Sync 前端支付完成后主动查单，弥补回调延迟。
func (s *service) Sync(ctx context.Context, no string) (*Order, error) {
	o, err := s.repo.Find(ctx, no)
	if err != nil {
		return nil, err
	}
	if o.Status != StatusCreated {
		return o, nil
	}
	t, err := s.gateway.Query(ctx, no)
	if errors.Is(err, ErrTradeNone) {
		return o, nil
	}
	if err != nil {
		return nil, err
	}
	if t.State != TradeSuccess {
		return o, nil
	}
	if err := s.ConfirmPaid(ctx, PaidEvent{
		No: no, TransactionID: t.TransactionID, Total: t.Total, PayerTotal: t.PayerTotal, PaidAt: t.SuccessTime,
	}); err != nil {
		return nil, err
	}
	return s.repo.Find(ctx, no)
}

func (s *service) ConfirmPaid(ctx context.Context, p PaidEvent) error {
	return s.update(ctx, p.No, func(o *Order) (bool, error) {
		if o.Total != p.Total {
			return false, fmt.Errorf("%w: 订单 %s 应付 %d 分，实际 %d 分", ErrAmount, o.No, o.Total, p.Total)
		}
		return o.MarkPaid(p.TransactionID, p.PayerTotal, p.PaidAt)
	}, func(o *Order) {
		if err := s.publisher.Publish(ctx, topicPaid, p); err != nil {
			s.log.ErrorContext(ctx, "发布支付事件失败", "no", o.No, "err", err)
		}
	})
}

// Cancel 先关微信侧的单，再改本地状态。
func (s *service) Cancel(ctx context.Context, no string) error {
	o, err := s.repo.Find(ctx, no)
	if err != nil {
		return err
	}
	switch o.Status {
	case StatusClosed:
		return nil
	case StatusCreated:
	default:
		return fmt.Errorf("%w: %s", ErrWrongStatus, o.Status)
	}
	err = s.gateway.Close(ctx, no)
	if errors.Is(err, ErrAlreadyPaid) {
		// 用户刚好付了钱：按支付处理，是否退款由退款服务决定
		if _, err := s.Sync(ctx, no); err != nil {
			return err
		}
		return ErrAlreadyPaid
	}
	if err != nil {
		return err
	}
	return s.update(ctx, no, func(o *Order) (bool, error) {
		if o.Status != StatusCreated {
			return false, fmt.Errorf("%w: %s", ErrWrongStatus, o.Status)
		}
		o.Status = StatusClosed
		return true, nil
	}, func(o *Order) {
		if err := s.publisher.Publish(ctx, topicClose, map[string]any{"no": o.No}); err != nil {
			s.log.ErrorContext(ctx, "发布关单事件失败", "no", o.No, "err", err)
		}
	})
}

// update 读-改-写，乐观锁冲突时重试。
func (s *service) update(ctx context.Context, no string, change func(*Order) (bool, error), after func(*Order)) error {
	for i := 0; ; i++ {
		o, err := s.repo.Find(ctx, no)
		if err != nil {
			return err
		}
		changed, err := change(o)
		if err != nil || !changed {
			return err
		}
		err = s.repo.Save(ctx, o)
		if err == nil {
			after(o)
			return nil
		}
		if !errors.Is(err, ErrConflict) || i >= saveRetry {
			return err
		}
	}
}
