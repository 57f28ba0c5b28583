// Package dcharity 公益：用户捐款、企业配捐、善款拨付、投诉。
package dcharity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Donation 一笔捐款。
type Donation struct {
	Number    string    `json:"number"`
	Project   string    `json:"project"`
	OpenID    string    `json:"openid"`
	Fen       int64     `json:"fen"`
	Anonymous bool      `json:"anonymous"`
	Paid      bool      `json:"paid"`
	PaidAt    time.Time `json:"paid_at,omitzero"`
	WechatID  string    `json:"transaction_id,omitempty"`
	Matched   bool      `json:"matched"`
}

// Match 企业配捐一笔。
type Match struct {
	TransferNo string `json:"out_transfer_no"`
	BudgetNo   string `json:"out_budget_no"`
	Sponsor    string `json:"sponsor_mchid"`
	Fen        int64  `json:"amount"`
	State      string `json:"state"`
}

// Table 带主键的内存表，演示环境用；线上换成数据库。
type Table[K comparable, V any] struct {
	mu   sync.RWMutex
	rows map[K]V
	key  func(V) K
}

// NewTable 新表。
func NewTable[K comparable, V any](key func(V) K) *Table[K, V] {
	return &Table[K, V]{rows: map[K]V{}, key: key}
}

// Insert 插入，主键冲突返回 false。
func (t *Table[K, V]) Insert(v V) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, dup := t.rows[t.key(v)]; dup {
		return false
	}
	t.rows[t.key(v)] = v
	return true
}

// Get 按主键读。
func (t *Table[K, V]) Get(k K) (V, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	v, found := t.rows[k]
	return v, found
}

// Update 改一行。
func (t *Table[K, V]) Update(k K, change func(*V)) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	v, found := t.rows[k]
	if !found {
		return false
	}
	change(&v)
	t.rows[k] = v
	return true
}

// Where 过滤。
func (t *Table[K, V]) Where(keep func(V) bool) (out []V) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, v := range t.rows {
		if keep(v) {
			out = append(out, v)
		}
	}
	return out
}

// App 公益应用。
type App struct {
	Wechat    *wxpay.Client
	AppID     string
	NotifyURL string
	Receiver  string // 公益机构的商户号
	Donations *Table[string, Donation]
	Matches   *Table[string, Match]
}

// NewApp 新应用。
func NewApp(client *wxpay.Client, appID, notifyURL, receiver string) *App {
	return &App{
		Wechat: client, AppID: appID, NotifyURL: notifyURL, Receiver: receiver,
		Donations: NewTable(func(d Donation) string { return d.Number }),
		Matches:   NewTable(func(m Match) string { return m.TransferNo }),
	}
}

// Donate 下单，返回给前端调起支付的参数。
func (a *App) Donate(ctx context.Context, d Donation) (*wxpay.JSAPIPayment, error) {
	if d.Fen < 1 {
		return nil, errors.New("金额太小")
	}
	if !a.Donations.Insert(d) {
		old, _ := a.Donations.Get(d.Number)
		if old.Fen != d.Fen || old.OpenID != d.OpenID {
			return nil, fmt.Errorf("单号 %s 已被使用", d.Number)
		}
	}
	res, err := a.Wechat.Chain("v3/pay/transactions/jsapi").Post(ctx, map[string]any{
		"appid":        a.AppID,
		"mchid":        a.Wechat.MchID(),
		"description":  "捐款-" + d.Project,
		"out_trade_no": d.Number,
		"notify_url":   a.NotifyURL,
		"time_expire":  time.Now().Add(30 * time.Minute).Format(time.RFC3339),
		"attach":       d.Project,
		"amount":       map[string]any{"total": d.Fen, "currency": "CNY"},
		"payer":        map[string]any{"openid": d.OpenID},
	})
	if wxpay.IsCode(err, wxcode.OrderPaid) {
		return nil, a.Refresh(ctx, d.Number)
	}
	if err != nil {
		return nil, fmt.Errorf("捐款 %s 下单: %w", d.Number, err)
	}
	prepay, err := res.Text("prepay_id")
	if err != nil {
		return nil, err
	}
	p, err := a.Wechat.Invoke().JSAPI(ctx, a.AppID, prepay)
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// Refresh 主动查单。
func (a *App) Refresh(ctx context.Context, number string) error {
	d, found := a.Donations.Get(number)
	if !found {
		return fmt.Errorf("没有捐款 %s", number)
	}
	res, err := a.Wechat.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", number).
		Query("mchid", a.Wechat.MchID()).Get(ctx)
	if err != nil {
		if wxpay.IsCode(err, wxcode.OrderNotExist) {
			return nil
		}
		return err
	}
	if res.Get("trade_state").String() != "SUCCESS" {
		return nil
	}
	total, err := res.Fen("amount.total")
	if err != nil {
		return err
	}
	if total != d.Fen {
		return fmt.Errorf("捐款 %s 金额不符: 平台 %d, 本地 %d", number, total, d.Fen)
	}
	when, err := res.Time("success_time")
	if err != nil {
		return err
	}
	a.markPaid(number, res.Get("transaction_id").String(), when)
	return nil
}

func (a *App) markPaid(number, wechatID string, when time.Time) {
	a.Donations.Update(number, func(d *Donation) {
		d.Paid, d.WechatID, d.PaidAt = true, wechatID, when
	})
}

// Close 放弃一笔没付的捐款。
func (a *App) Close(ctx context.Context, number string) error {
	_, err := a.Wechat.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}/close").
		Var("out_trade_no", number).Post(ctx, wxpay.JSON{"mchid": a.Wechat.MchID()})
	switch {
	case err == nil, wxpay.IsCode(err, wxcode.OrderClosed):
		return nil
	case wxpay.IsCode(err, wxcode.OrderPaid):
		return a.Refresh(ctx, number)
	}
	return err
}

// GiveBack 误捐退回，全额。一笔捐款只退一次，退款单号由捐款单号得出。
func (a *App) GiveBack(ctx context.Context, number, reason string) (wxpay.State, error) {
	d, found := a.Donations.Get(number)
	if !found || !d.Paid {
		var none wxpay.State
		return none, fmt.Errorf("捐款 %s 不可退", number)
	}
	verdict, err := a.Wechat.Chain("v3/refund/domestic/refunds").UntilFinal().Timeout(5*time.Minute).Ensure(ctx, wxpay.JSON{
		"transaction_id": d.WechatID,
		"out_refund_no":  number + "-BACK",
		"reason":         reason,
		"amount":         wxpay.JSON{"refund": d.Fen, "total": d.Fen, "currency": "CNY"},
	})
	if err != nil {
		var none wxpay.State
		return none, fmt.Errorf("退回 %s (%v): %w", number, wxpay.OutcomeOf(err), err)
	}
	return verdict.State, nil
}

// Notify 接收支付、退款通知。
func (a *App) Notify(apiv3Key string) (http.Handler, error) {
	h, err := webhook.New(webhook.Merchant{ID: a.Wechat.MchID(), APIv3Key: apiv3Key, Keys: a.Wechat},
		webhook.WithBudget(4*time.Second))
	if err != nil {
		return nil, err
	}
	h.On(webhook.TransactionSuccess, func(ctx context.Context, e *webhook.Event) error {
		number, err := e.Text("out_trade_no")
		if err != nil {
			return err
		}
		d, found := a.Donations.Get(number)
		if !found {
			return webhook.Fail("没有这笔捐款")
		}
		if err := (webhook.Payment{MchID: a.Wechat.MchID(), AppID: a.AppID, OutTradeNo: number, Total: d.Fen}).Check(e); err != nil {
			return err
		}
		when, err := e.Time("success_time")
		if err != nil {
			return err
		}
		a.markPaid(number, e.Get("transaction_id").String(), when)
		return nil
	})
	refund := func(ctx context.Context, e *webhook.Event) error {
		number := strings.TrimSuffix(e.Get("out_refund_no").String(), "-BACK")
		if e.Type == webhook.RefundSuccess {
			a.Donations.Update(number, func(d *Donation) { d.Paid = false })
		}
		return nil
	}
	for _, kind := range []string{webhook.RefundSuccess, webhook.RefundAbnormal, webhook.RefundClosed} {
		h.On(kind, refund)
	}
	return h, nil
}

// ServeDonate 前端下单接口。
func (a *App) ServeDonate(w http.ResponseWriter, r *http.Request) {
	var d Donation
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<12)).Decode(&d); err != nil {
		http.Error(w, "请求格式不对", http.StatusBadRequest)
		return
	}
	d.Paid, d.Matched = false, false
	p, err := a.Donate(r.Context(), d)
	var api *wxpay.APIError
	switch {
	case errors.As(err, &api) && api.Status == http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "3")
		http.Error(w, "稍后再试", http.StatusTooManyRequests)
	case err != nil:
		http.Error(w, "下单失败", http.StatusBadGateway)
	case p == nil:
		w.WriteHeader(http.StatusNoContent) // 已经付过
	default:
		json.NewEncoder(w).Encode(p)
	}
}
