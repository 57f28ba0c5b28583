// Package ctravel 是在线旅游平台的预订与收款：命令进、事件出，长流程由 saga 推进。
package ctravel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/wxcode"
)

// 命令：动词开头，由接口层构造。
type (
	PlaceBooking struct {
		BookingNo string `json:"booking_no"`
		Product   string `json:"product"`
		OpenID    string `json:"open_id"`
		Fen       int64  `json:"fen"`
		Supplier  string `json:"supplier"`
		Checkin   string `json:"checkin"`
	}
	CancelBooking struct {
		BookingNo string `json:"booking_no"`
		Reason    string `json:"reason"`
	}
	RefundBooking struct {
		BookingNo string `json:"booking_no"`
		RefundNo  string `json:"refund_no"`
		Fen       int64  `json:"fen"`
		TotalFen  int64  `json:"total_fen"`
		Reason    string `json:"reason"`
	}
	SplitToSupplier struct {
		BookingNo     string  `json:"booking_no"`
		TransactionID string  `json:"transaction_id"`
		Shares        []Share `json:"shares"`
		Finish        bool    `json:"finish"`
	}
	ReleaseRemainder struct {
		BookingNo     string
		TransactionID string
	}
)

// Share 是一个分账接收方。
type Share struct {
	MchID string `json:"mch_id"`
	Fen   int64  `json:"fen"`
	Note  string `json:"note"`
}

// 事件：过去式，写入事件流以后不再改变。
type (
	BookingPlaced struct {
		BookingNo, PrepayID string
		At                  time.Time
	}
	BookingPaid struct {
		BookingNo, TransactionID string
		Fen                      int64
	}
	BookingClosed struct {
		BookingNo, Reason string
	}
	BookingRefunded struct {
		BookingNo, RefundNo string
		Fen                 int64
	}
	RefundStuck struct {
		BookingNo, RefundNo, Why string
	}
	SupplierShared struct {
		BookingNo, ShareNo string
		Final              bool
	}
	OutcomeDoubtful struct {
		BookingNo, Step, Why string
	}
)

// Event 是事件流里的任何一条。
type Event interface{ Stream() string }

func (e BookingPlaced) Stream() string   { return e.BookingNo }
func (e BookingPaid) Stream() string     { return e.BookingNo }
func (e BookingClosed) Stream() string   { return e.BookingNo }
func (e BookingRefunded) Stream() string { return e.BookingNo }
func (e RefundStuck) Stream() string     { return e.BookingNo }
func (e SupplierShared) Stream() string  { return e.BookingNo }
func (e OutcomeDoubtful) Stream() string { return e.BookingNo }

// Log 是内存里的事件流，测试和单机部署用；生产环境换成数据库。
type Log struct {
	mu     sync.Mutex
	events map[string][]Event
	subs   []func(context.Context, Event)
}

// NewLog returns an empty log.
func NewLog() *Log { return &Log{events: map[string][]Event{}} }

// Subscribe 注册一个订阅者，按顺序同步调用。
func (l *Log) Subscribe(fn func(context.Context, Event)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.subs = append(l.subs, fn)
}

// Append 追加事件并通知订阅者。
func (l *Log) Append(ctx context.Context, events ...Event) {
	l.mu.Lock()
	for _, e := range events {
		l.events[e.Stream()] = append(l.events[e.Stream()], e)
	}
	subs := append([]func(context.Context, Event){}, l.subs...)
	l.mu.Unlock()
	for _, e := range events {
		for _, sub := range subs {
			sub(ctx, e)
		}
	}
}

// Of 返回一条流的全部事件。
func (l *Log) Of(stream string) []Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Event(nil), l.events[stream]...)
}

// Last 找某一类型的最后一条事件。
func Last[T Event](events []Event) (T, bool) {
	for i := len(events) - 1; i >= 0; i-- {
		if e, ok := events[i].(T); ok {
			return e, true
		}
	}
	var zero T
	return zero, false
}

// Desk 执行命令。
type Desk struct {
	Pay    *wxpay.Client
	AppID  string
	Notify string // 形如 https://pay.example.com/wx
	Log    *Log
	Hold   time.Duration // 订单保留多久
}

var (
	ErrAlreadyPaid = errors.New("ctravel: booking is paid, refund it instead")
	ErrNotPaidYet  = errors.New("ctravel: booking is not paid")
	ErrBadAmount   = errors.New("ctravel: amount must be positive")
)

// Handle 按类型分发命令。
func (d *Desk) Handle(ctx context.Context, command any) error {
	switch c := command.(type) {
	case PlaceBooking:
		_, err := d.Place(ctx, c)
		return err
	case CancelBooking:
		return d.Cancel(ctx, c)
	case RefundBooking:
		return d.Refund(ctx, c)
	case SplitToSupplier:
		return d.Split(ctx, c)
	case ReleaseRemainder:
		return d.Release(ctx, c)
	default:
		return fmt.Errorf("ctravel: unknown command %T", command)
	}
}

// Place 下单，返回小程序拉起支付的参数。
func (d *Desk) Place(ctx context.Context, c PlaceBooking) (wxpay.MiniProgramPayment, error) {
	if c.Fen <= 0 {
		return wxpay.MiniProgramPayment{}, ErrBadAmount
	}
	attach, err := json.Marshal(map[string]string{"s": c.Supplier, "d": c.Checkin})
	if err != nil {
		return wxpay.MiniProgramPayment{}, err
	}
	verdict, err := d.Pay.Chain("v3/pay/transactions/jsapi").Ensure(ctx, wxpay.JSON{
		"appid":        d.AppID,
		"mchid":        d.Pay.MchID(),
		"description":  c.Product,
		"out_trade_no": c.BookingNo,
		"attach":       string(attach),
		"time_expire":  time.Now().Add(d.Hold).Format(time.RFC3339),
		"notify_url":   d.Notify + "/paid",
		"amount":       wxpay.JSON{"total": c.Fen, "currency": "CNY"},
		"payer":        wxpay.JSON{"openid": c.OpenID},
		"settle_info":  wxpay.JSON{"profit_sharing": c.Supplier != ""}, // 有供应商才冻结待分账
	})
	if err != nil {
		return wxpay.MiniProgramPayment{}, fmt.Errorf("place %s: %w", c.BookingNo, err)
	}
	if verdict.Response == nil || len(verdict.Missing) > 0 {
		return wxpay.MiniProgramPayment{}, fmt.Errorf("place %s: no prepay_id, place it again with the same number", c.BookingNo)
	}
	prepay, err := verdict.Response.Text("prepay_id")
	if err != nil {
		return wxpay.MiniProgramPayment{}, err
	}
	d.Log.Append(ctx, BookingPlaced{BookingNo: c.BookingNo, PrepayID: prepay, At: time.Now()})
	return d.Pay.Invoke().MiniProgram(ctx, d.AppID, prepay)
}

// Cancel 关单。已支付的订单不能按已关闭处理。
func (d *Desk) Cancel(ctx context.Context, c CancelBooking) error {
	order := d.Pay.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", c.BookingNo)
	_, err := order.Chain("close").Post(ctx, wxpay.JSON{"mchid": d.Pay.MchID()})
	switch {
	case err == nil, wxpay.IsCode(err, wxcode.OrderClosed):
		// 关单成功，或者早就关了
	case wxpay.IsCode(err, wxcode.OrderPaid):
		return ErrAlreadyPaid
	case wxpay.IsCode(err, wxcode.OrderNotExist):
		// 从来没下成功，也算关闭
	default:
		return fmt.Errorf("close %s: %w", c.BookingNo, err)
	}
	d.Log.Append(ctx, BookingClosed{BookingNo: c.BookingNo, Reason: c.Reason})
	return nil
}

// Refund 退款，退款单号由调用方先落库。
func (d *Desk) Refund(ctx context.Context, c RefundBooking) error {
	if c.Fen <= 0 || c.Fen > c.TotalFen {
		return ErrBadAmount
	}
	body := wxpay.JSON{
		"out_trade_no":  c.BookingNo,
		"out_refund_no": c.RefundNo,
		"notify_url":    d.Notify + "/refund",
		"amount":        wxpay.JSON{"refund": c.Fen, "total": c.TotalFen, "currency": "CNY"},
	}
	if c.Reason != "" {
		body["reason"] = c.Reason
	}
	verdict, err := d.Pay.Chain("v3/refund/domestic/refunds").Ensure(ctx, body)
	if err != nil {
		if wxpay.OutcomeOf(err) == wxpay.Unknown {
			d.Log.Append(ctx, OutcomeDoubtful{BookingNo: c.BookingNo, Step: "refund", Why: err.Error()})
		}
		return fmt.Errorf("refund %s: %w", c.RefundNo, err)
	}
	switch verdict.State {
	case wxpay.Succeeded:
		d.Log.Append(ctx, BookingRefunded{BookingNo: c.BookingNo, RefundNo: c.RefundNo, Fen: c.Fen})
	case wxpay.Failed, wxpay.NeedsAction:
		d.Log.Append(ctx, RefundStuck{BookingNo: c.BookingNo, RefundNo: c.RefundNo, Why: fmt.Sprint(verdict.State)})
	default:
		// 已受理，等退款通知
	}
	return nil
}

// Split 把款项分给酒店、航司等供应商。
func (d *Desk) Split(ctx context.Context, c SplitToSupplier) error {
	receivers := make([]wxpay.JSON, 0, len(c.Shares))
	for _, s := range c.Shares {
		if s.Fen <= 0 {
			return ErrBadAmount
		}
		receivers = append(receivers, wxpay.JSON{
			"type": "MERCHANT_ID", "account": s.MchID, "amount": s.Fen, "description": s.Note,
		})
	}
	shareNo := "PS" + c.BookingNo
	verdict, err := d.Pay.Chain("v3/profitsharing/orders").Ensure(ctx, wxpay.JSON{
		"appid": d.AppID, "transaction_id": c.TransactionID, "out_order_no": shareNo,
		"receivers": receivers, "unfreeze_unsplit": c.Finish,
	})
	if err != nil {
		return fmt.Errorf("split %s: %w", shareNo, err)
	}
	d.Log.Append(ctx, SupplierShared{BookingNo: c.BookingNo, ShareNo: shareNo, Final: verdict.State == wxpay.Succeeded})
	return nil
}

// Release 解冻剩余资金，例如供应商取消合作。
func (d *Desk) Release(ctx context.Context, c ReleaseRemainder) error {
	verdict, err := d.Pay.Chain("v3/profitsharing/orders/unfreeze").Ensure(ctx, wxpay.JSON{
		"transaction_id": c.TransactionID, "out_order_no": "UF" + c.BookingNo, "description": "解冻全部剩余资金",
	})
	if err != nil {
		return err
	}
	if verdict.State == wxpay.Failed {
		return fmt.Errorf("unfreeze %s: failed", c.BookingNo)
	}
	return nil
}

// AddSupplier 添加分账接收方，只需做一次；重复添加无害。
func (d *Desk) AddSupplier(ctx context.Context, mchID, fullName string) error {
	_, err := d.Pay.Chain("v3/profitsharing/receivers/add").Post(ctx, wxpay.JSON{
		"appid": d.AppID, "type": "MERCHANT_ID", "account": mchID,
		"name": wxpay.Secret(fullName), "relation_type": "SUPPLIER",
	})
	return err
}
