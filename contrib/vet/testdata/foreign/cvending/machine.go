// Package cvending 管理一批自动售货机：出码、收款、出货、出货失败自动退款，以及支付分免密开门柜。
package cvending

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"strings"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/wxcode"
)

const (
	codeLife    = 3 * time.Minute
	pollEvery   = 2 * time.Second
	dispenseMax = 40 * time.Second

	pathNative  = "v3/pay/transactions/native"
	pathByNo    = "v3/pay/transactions/out-trade-no/{out_trade_no}"
	pathClose   = "v3/pay/transactions/out-trade-no/{out_trade_no}/close"
	pathCodepay = "v3/pay/transactions/codepay"
	pathReverse = "v3/pay/transactions/out-trade-no/{out_trade_no}/reverse"
	pathRefund  = "v3/refund/domestic/refunds"
)

// 交易状态，见查询订单文档
const (
	stateSuccess    = "SUCCESS"
	stateRefund     = "REFUND"
	stateNotPay     = "NOTPAY"
	stateClosed     = "CLOSED"
	stateRevoked    = "REVOKED"
	stateUserPaying = "USERPAYING"
	statePayError   = "PAYERROR"
)

// Slot 货道
type Slot struct {
	ID    string `json:"id"`
	SKU   string `json:"sku"`
	Name  string `json:"name"`
	Price int64  `json:"price"` // 分
	Stock int    `json:"stock"`
}

// Machine 是一台机器
type Machine struct {
	ID      string          `json:"id"`
	Address string          `json:"address"`
	Slots   map[string]Slot `json:"slots"`
}

// Motor 控制硬件
type Motor interface {
	Dispense(ctx context.Context, machine, slot string) error
}

// Sale 一次售卖
type Sale struct {
	No        string    `json:"no"`
	Machine   string    `json:"machine"`
	Slot      string    `json:"slot"`
	Price     int64     `json:"price"`
	CodeURL   string    `json:"code_url,omitempty"`
	Status    string    `json:"status"`
	TradeID   string    `json:"trade_id,omitempty"`
	RefundNo  string    `json:"refund_no,omitempty"`
	CreatedAt time.Time `json:"created_at"`
}

var statusText = map[string]string{
	"new":       "待支付",
	"paid":      "已支付",
	"dispensed": "已出货",
	"refunding": "退款中",
	"refunded":  "已退款",
	"closed":    "已关闭",
	"manual":    "需人工",
}

// Text 是展示用的状态
func (s Sale) Text() string {
	if t, ok := statusText[s.Status]; ok {
		return t
	}
	return s.Status
}

// Book 保存售卖记录
type Book struct {
	mu    sync.RWMutex
	sales map[string]*Sale
}

func NewBook() *Book { return &Book{sales: make(map[string]*Sale)} }

func (b *Book) Put(s *Sale) {
	b.mu.Lock()
	cp := *s
	b.sales[s.No] = &cp
	b.mu.Unlock()
}

func (b *Book) Find(no string) (*Sale, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	s, ok := b.sales[no]
	if !ok {
		return nil, false
	}
	cp := *s
	return &cp, true
}

// Swap 只有状态等于 from 时才改成 to，返回是否改成
func (b *Book) Swap(no, from, to string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.sales[no]
	if !ok || s.Status != from {
		return false
	}
	s.Status = to
	return true
}

func filter[T any](in []T, keep func(T) bool) []T {
	var out []T
	for _, v := range in {
		if keep(v) {
			out = append(out, v)
		}
	}
	return out
}

// In 列出某状态的记录
func (b *Book) In(status string) []Sale {
	b.mu.RLock()
	all := make([]Sale, 0, len(b.sales))
	for _, s := range b.sales {
		all = append(all, *s)
	}
	b.mu.RUnlock()
	return filter(all, func(s Sale) bool { return s.Status == status })
}

// Fleet 是全部机器加收款
type Fleet struct {
	wx     *wxpay.Client
	appid  string
	notify string
	book   *Book
	motor  Motor
	units  map[string]Machine
}

func NewFleet(wx *wxpay.Client, appid, notify string, book *Book, motor Motor, units ...Machine) *Fleet {
	f := &Fleet{wx: wx, appid: appid, notify: strings.TrimRight(notify, "/"), book: book, motor: motor, units: map[string]Machine{}}
	for _, u := range units {
		f.units[u.ID] = u
	}
	return f
}

var (
	ErrNoSlot  = errors.New("没有这个货道")
	ErrSoldOut = errors.New("已售罄")
)

func saleNo(machine string) string {
	var b [5]byte
	_, _ = rand.Read(b[:])
	return "V" + machine + time.Now().Format("060102150405") + hex.EncodeToString(b[:])
}

func (f *Fleet) slot(machine, slot string) (Slot, error) {
	m, ok := f.units[machine]
	if !ok {
		return Slot{}, fmt.Errorf("machine %s: %w", machine, ErrNoSlot)
	}
	s, ok := m.Slots[slot]
	if !ok {
		return Slot{}, fmt.Errorf("slot %s/%s: %w", machine, slot, ErrNoSlot)
	}
	if s.Stock <= 0 {
		return Slot{}, ErrSoldOut
	}
	return s, nil
}

// QR 生成付款二维码，机器屏幕展示
func (f *Fleet) QR(ctx context.Context, machine, slot string) (*Sale, error) {
	sl, err := f.slot(machine, slot)
	if err != nil {
		return nil, err
	}
	sale := &Sale{No: saleNo(machine), Machine: machine, Slot: slot, Price: sl.Price, Status: "new", CreatedAt: time.Now()}
	f.book.Put(sale) // 先落库再下单
	res, err := f.wx.Chain(pathNative).Post(ctx, map[string]any{
		"appid":        f.appid,
		"mchid":        f.wx.MchID(),
		"description":  sl.Name,
		"out_trade_no": sale.No,
		"time_expire":  sale.CreatedAt.Add(codeLife).Format(time.RFC3339),
		"notify_url":   f.notify + "/notify",
		"amount":       map[string]any{"total": sl.Price, "currency": "CNY"},
		"scene_info": map[string]any{
			"payer_client_ip": "127.0.0.1",
			"device_id":       machine,
			"store_info":      map[string]any{"id": machine, "address": f.units[machine].Address},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("下单 %s: %w", sale.No, err)
	}
	sale.CodeURL, err = res.Text("code_url")
	if err != nil {
		return nil, err
	}
	f.book.Put(sale)
	return sale, nil
}

// trade 查询订单
type trade struct {
	OutTradeNo    string `json:"out_trade_no"`
	TransactionID string `json:"transaction_id"`
	TradeState    string `json:"trade_state"`
	Amount        struct {
		Total      int64 `json:"total"`
		PayerTotal int64 `json:"payer_total"`
	} `json:"amount"`
}

func (f *Fleet) query(ctx context.Context, no string) (trade, error) {
	return wxpay.Into[trade](f.wx.Chain(pathByNo, no).Query("mchid", f.wx.MchID()).Get(ctx))
}

// Watch 轮询直到支付、过期或 ctx 结束。通知才是主路径，轮询兜底。
func (f *Fleet) Watch(ctx context.Context, no string) error {
	ctx, cancel := context.WithTimeout(ctx, codeLife+10*time.Second)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return f.expire(context.WithoutCancel(ctx), no)
		case <-tick.C:
		}
		t, err := f.query(ctx, no)
		if err != nil {
			log.Printf("查询 %s: %v", no, err)
			continue
		}
		switch t.TradeState {
		case stateSuccess:
			return f.Paid(ctx, no, t.TransactionID, t.Amount.Total)
		case stateClosed, stateRevoked, statePayError:
			f.book.Swap(no, "new", "closed")
			return nil
		case stateNotPay, stateUserPaying, stateRefund:
		}
	}
}

// expire 关单，关单时发现已支付则继续走支付流程
func (f *Fleet) expire(ctx context.Context, no string) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	_, err := f.wx.Chain(pathClose, no).Post(ctx, map[string]string{"mchid": f.wx.MchID()})
	if wxpay.IsCode(err, wxcode.OrderPaid) {
		t, err := f.query(ctx, no)
		if err != nil {
			return err
		}
		if t.TradeState != stateSuccess {
			return fmt.Errorf("%s: ORDER_PAID but %s", no, t.TradeState)
		}
		return f.Paid(ctx, no, t.TransactionID, t.Amount.Total)
	}
	if err != nil && !wxpay.IsCode(err, wxcode.OrderClosed, wxcode.OrderNotExist) {
		return fmt.Errorf("关单 %s: %w", no, err)
	}
	f.book.Swap(no, "new", "closed")
	return nil
}

// Paid 支付成功：出货，失败则退款。幂等。
func (f *Fleet) Paid(ctx context.Context, no, tradeID string, total int64) error {
	sale, ok := f.book.Find(no)
	if !ok {
		return fmt.Errorf("没有记录 %s", no)
	}
	if sale.Price != total {
		return fmt.Errorf("%s: 金额不符 %d != %d", no, sale.Price, total)
	}
	if !f.book.Swap(no, "new", "paid") {
		return nil // 已处理
	}
	sale.Status, sale.TradeID = "paid", tradeID
	f.book.Put(sale)

	dctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dispenseMax)
	defer cancel()
	if err := f.motor.Dispense(dctx, sale.Machine, sale.Slot); err != nil {
		log.Printf("出货失败 %s: %v", no, err)
		return f.Refund(context.WithoutCancel(ctx), no, "出货失败")
	}
	f.book.Swap(no, "paid", "dispensed")
	return nil
}

// Refund 全额退款，只退一次：退款单号由订单号派生
func (f *Fleet) Refund(ctx context.Context, no, reason string) error {
	sale, ok := f.book.Find(no)
	if !ok {
		return fmt.Errorf("没有记录 %s", no)
	}
	sale.RefundNo = "R" + sale.No
	sale.Status = "refunding"
	f.book.Put(sale)
	v, err := f.wx.Chain(pathRefund).Timeout(2*time.Minute).Ensure(ctx, map[string]any{
		"out_trade_no":  sale.No,
		"out_refund_no": sale.RefundNo,
		"reason":        reason,
		"notify_url":    f.notify + "/notify",
		"amount":        map[string]any{"refund": sale.Price, "total": sale.Price, "currency": "CNY"},
	})
	if err != nil {
		switch wxpay.OutcomeOf(err) {
		case wxpay.Rejected:
			f.book.Swap(no, "refunding", "manual")
		case wxpay.NotSent, wxpay.Unknown:
			// 留在 refunding，由 Sweep 用同一单号再来
		}
		return fmt.Errorf("退款 %s: %w", sale.RefundNo, err)
	}
	switch v.State {
	case wxpay.Succeeded:
		f.book.Swap(no, "refunding", "refunded")
	case wxpay.NeedsAction, wxpay.Failed:
		f.book.Swap(no, "refunding", "manual")
	}
	return nil
}

// Recover 启动时处理上次没走完的：未支付的查或关，已支付未出货的退款
func (f *Fleet) Recover(ctx context.Context) error {
	var errs []error
	for _, s := range f.book.In("new") {
		errs = append(errs, f.expire(ctx, s.No))
	}
	for _, s := range f.book.In("paid") {
		errs = append(errs, f.Refund(ctx, s.No, "出货中断"))
	}
	return errors.Join(errs...)
}
