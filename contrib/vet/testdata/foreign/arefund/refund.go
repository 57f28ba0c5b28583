// Package arefund 退款中心：用户取消、商家拒单、缺货部分退款、售后退款统一走这里。
package arefund

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Reason 退款原因枚举，落库与展示分离。
type Reason int

const (
	ReasonUserCancel  Reason = 1 // 用户取消
	ReasonStoreReject Reason = 2 // 商家拒单
	ReasonOutOfStock  Reason = 3 // 部分缺货
	ReasonLate        Reason = 4 // 严重超时
	ReasonComplaint   Reason = 5 // 客诉
)

var reasonText = [...]string{
	ReasonUserCancel:  "用户取消订单",
	ReasonStoreReject: "商家无法接单",
	ReasonOutOfStock:  "部分商品缺货",
	ReasonLate:        "配送超时",
	ReasonComplaint:   "售后协商退款",
}

func (r Reason) Text() string {
	if r <= 0 || int(r) >= len(reasonText) {
		return "其他"
	}
	return reasonText[r]
}

// State 退款单状态。
type State string

const (
	StateInit       State = "INIT"       // 已落库，未确认微信受理
	StateProcessing State = "PROCESSING" // 微信已受理
	StateSuccess    State = "SUCCESS"
	StateClosed     State = "CLOSED"
	StateAbnormal   State = "ABNORMAL" // 需人工处理
)

func (s State) Final() bool { return s == StateSuccess || s == StateClosed }

// Refund 退款单，单位：分。
type Refund struct {
	No        string    `json:"out_refund_no"`
	OrderNo   string    `json:"out_trade_no"`
	Seq       int       `json:"seq"`
	Amount    int64     `json:"amount"`
	Total     int64     `json:"total"`
	Reason    Reason    `json:"reason"`
	State     State     `json:"state"`
	RefundID  string    `json:"refund_id,omitempty"` // 微信退款单号
	Operator  string    `json:"operator"`
	Memo      string    `json:"memo,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Paid 已支付订单的退款视图。
type Paid struct {
	OrderNo string
	Total   int64
	PaidAt  time.Time
}

var (
	ErrOverRefund = errors.New("退款金额超过可退余额")
	ErrNoRefund   = errors.New("退款单不存在")
	ErrTooOld     = errors.New("支付超过一年，不能原路退款")
	ErrPending    = errors.New("有退款正在处理，请稍后再试")
)

// OrderReader 从订单中心读取支付信息。
type OrderReader interface {
	Paid(ctx context.Context, orderNo string) (Paid, error)
}

// Store 退款单存储。
type Store interface {
	Insert(ctx context.Context, r *Refund) error
	ByNo(ctx context.Context, no string) (*Refund, error)
	ByOrder(ctx context.Context, orderNo string) ([]*Refund, error)
	SetState(ctx context.Context, no string, state State, refundID, memo string) error
	Unfinished(ctx context.Context, before time.Time, limit int) ([]*Refund, error)
}

// Result 渠道返回的退款结果。
type Result struct {
	State    State
	RefundID string
}

// Channel 退款渠道。
type Channel interface {
	// Apply 申请退款。again 非零表示上次提交的时间：先查后发。
	Apply(ctx context.Context, r *Refund, again time.Time) (Result, error)
	Query(ctx context.Context, no string) (Result, error)
	// ToBankCard 异常退款：退到用户银行卡。
	ToBankCard(ctx context.Context, r *Refund, card BankCard) (Result, error)
}

// BankCard 用户收款卡，敏感信息由 SDK 加密。
type BankCard struct {
	BankType string
	Account  string
	RealName string
}

// Service 退款服务。
type Service struct {
	orders  OrderReader
	store   Store
	channel Channel
	now     func() time.Time
}

func NewService(orders OrderReader, store Store, channel Channel) *Service {
	return &Service{orders: orders, store: store, channel: channel, now: time.Now}
}

// Command 退款命令。Amount 为 0 表示全额退剩余部分。
type Command struct {
	OrderNo  string `json:"order_no"`
	Amount   int64  `json:"amount"`
	Reason   Reason `json:"reason"`
	Operator string `json:"operator"`
}

// Apply 受理退款：先落库再调渠道，保证进程崩溃后可恢复。
func (s *Service) Apply(ctx context.Context, cmd Command) (*Refund, error) {
	paid, err := s.orders.Paid(ctx, cmd.OrderNo)
	if err != nil {
		return nil, err
	}
	if s.now().Sub(paid.PaidAt) > 365*24*time.Hour {
		return nil, ErrTooOld
	}
	before, err := s.store.ByOrder(ctx, cmd.OrderNo)
	if err != nil {
		return nil, err
	}
	left := paid.Total
	for _, r := range before {
		if r.State == StateInit {
			return nil, ErrPending
		}
		if r.State != StateClosed {
			left -= r.Amount
		}
	}
	amount := cmd.Amount
	if amount == 0 {
		amount = left
	}
	if amount <= 0 || amount > left {
		return nil, fmt.Errorf("%w: 可退 %d 分", ErrOverRefund, left)
	}
	seq := len(before) + 1
	r := &Refund{
		No:        fmt.Sprintf("%s-R%02d", cmd.OrderNo, seq),
		OrderNo:   cmd.OrderNo,
		Seq:       seq,
		Amount:    amount,
		Total:     paid.Total,
		Reason:    cmd.Reason,
		State:     StateInit,
		Operator:  cmd.Operator,
		CreatedAt: s.now(),
		UpdatedAt: s.now(),
	}
	if err := s.store.Insert(ctx, r); err != nil { // (order_no, seq) 唯一索引防并发
		return nil, err
	}
	return r, s.submit(ctx, r, time.Time{})
}

func (s *Service) submit(ctx context.Context, r *Refund, again time.Time) error {
	result, err := s.channel.Apply(ctx, r, again)
	if err != nil {
		return s.rejected(ctx, r, err)
	}
	r.State, r.RefundID = result.State, result.RefundID
	return s.store.SetState(ctx, r.No, r.State, r.RefundID, "")
}

// rejected 区分“确定没有退”与“不知道退没退”。
func (s *Service) rejected(ctx context.Context, r *Refund, cause error) error {
	var refused *RefusedError
	if errors.As(cause, &refused) {
		r.State = StateClosed
		return errors.Join(cause, s.store.SetState(ctx, r.No, StateClosed, "", refused.Reason))
	}
	// 结果未知：保持 INIT，由 Recover 任务用同一个单号继续
	return cause
}

// RefusedError 渠道明确拒绝，钱没有动。
type RefusedError struct {
	Reason string
	Err    error
}

func (e *RefusedError) Error() string { return "退款被拒绝: " + e.Reason }
func (e *RefusedError) Unwrap() error { return e.Err }

// Finish 由回调或轮询推进到终态。
func (s *Service) Finish(ctx context.Context, no string, result Result) error {
	r, err := s.store.ByNo(ctx, no)
	if err != nil {
		return err
	}
	if r.State.Final() {
		if r.State != result.State {
			return fmt.Errorf("退款单 %s 已是 %s，又收到 %s", no, r.State, result.State)
		}
		return nil
	}
	return s.store.SetState(ctx, no, result.State, result.RefundID, "")
}

// RefundToCard 客服处理异常退款。
func (s *Service) RefundToCard(ctx context.Context, no string, card BankCard) error {
	r, err := s.store.ByNo(ctx, no)
	if err != nil {
		return err
	}
	if r.State != StateAbnormal {
		return fmt.Errorf("退款单 %s 状态为 %s，不需要异常处理", no, r.State)
	}
	result, err := s.channel.ToBankCard(ctx, r, card)
	if err != nil {
		return err
	}
	return s.store.SetState(ctx, no, result.State, result.RefundID, "已转入银行卡处理")
}

// Recover 扫描未完成的退款单并推进，返回处理条数。
func (s *Service) Recover(ctx context.Context, limit int) (int, error) {
	list, err := s.store.Unfinished(ctx, s.now().Add(-2*time.Minute), limit)
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, r := range list {
		if r.State == StateInit {
			errs = append(errs, s.submit(ctx, r, r.UpdatedAt))
			continue
		}
		result, err := s.channel.Query(ctx, r.No)
		if err != nil {
			errs = append(errs, fmt.Errorf("查询退款 %s: %w", r.No, err))
			continue
		}
		if result.State != r.State {
			errs = append(errs, s.Finish(ctx, r.No, result))
		}
	}
	return len(list), errors.Join(errs...)
}
