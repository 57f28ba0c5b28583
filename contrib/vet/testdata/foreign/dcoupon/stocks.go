// Package dcoupon 代金券营销：批次、发券、用户的券、核销明细。
package dcoupon

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Fen 金额，单位分。
type Fen int64

// String 显示成元。
func (f Fen) String() string { return fmt.Sprintf("%d.%02d", int64(f)/100, int64(f)%100) }

// Rule 每种批次的使用规则。
type Rule interface {
	NormalRule | DiscountRule | ExchangeRule
}

// NormalRule 满减。
type NormalRule struct {
	Amount  Fen `json:"coupon_amount"`
	Minimum Fen `json:"transaction_minimum"`
}

// DiscountRule 折扣。
type DiscountRule struct {
	Max     Fen `json:"discount_amount_max"`
	Percent int `json:"discount_percent"`
	Minimum Fen `json:"transaction_minimum"`
}

// ExchangeRule 换购。
type ExchangeRule struct {
	Price   Fen `json:"exchange_price"`
	Minimum Fen `json:"transaction_minimum"`
}

// Budget 发放规则。
type Budget struct {
	MaxCoupons  int  `json:"max_coupons"`
	MaxAmount   Fen  `json:"max_amount"`
	MaxByDay    Fen  `json:"max_amount_by_day,omitempty"`
	PerUser     int  `json:"max_coupons_per_user"`
	NaturalOnly bool `json:"natural_person_limit"`
	AntiAbuse   bool `json:"prevent_api_abuse"`
}

// Plan 一次营销计划。
type Plan[R Rule] struct {
	RequestNo string
	Name      string
	Begin     time.Time
	End       time.Time
	Budget    Budget
	Rule      R
	GoodsTags []string
	Merchants []string
	Comment   string
}

// stockType 平台的换购拼写就是 EXCHAHGE，不要改。
func stockType[R Rule](rule R) (kind, field string) {
	switch any(rule).(type) {
	case DiscountRule:
		return "DISCOUNT", "discount_coupon"
	case ExchangeRule:
		return "EXCHAHGE", "exchange_coupon"
	default:
		return "NORMAL", "fixed_normal_coupon"
	}
}

// Validate 本地先查一遍，免得浪费一次请求。
func (p Plan[R]) Validate() error {
	var faults []error
	if p.RequestNo == "" {
		faults = append(faults, errors.New("缺少商户单据号"))
	}
	if n := len([]rune(p.Name)); n == 0 || n > 20 {
		faults = append(faults, fmt.Errorf("批次名称 %d 个字符，应为 1 到 20", n))
	}
	if !p.End.After(p.Begin) {
		faults = append(faults, errors.New("结束时间不晚于开始时间"))
	}
	if p.Budget.MaxCoupons <= 0 || p.Budget.MaxAmount <= 0 {
		faults = append(faults, errors.New("没有预算"))
	}
	if r, ok := any(p.Rule).(NormalRule); ok {
		if int64(r.Amount)*int64(p.Budget.MaxCoupons) != int64(p.Budget.MaxAmount) {
			faults = append(faults, errors.New("总预算应为面额乘以发放上限"))
		}
	}
	return errors.Join(faults...)
}

func (p Plan[R]) body(mchID string) wxpay.JSON {
	kind, field := stockType(p.Rule)
	use := wxpay.JSON{field: p.Rule}
	if len(p.GoodsTags) > 0 {
		use["goods_tag"] = p.GoodsTags
	}
	use["available_merchants"] = p.Merchants
	b := wxpay.JSON{
		"stock_name":           p.Name,
		"available_begin_time": p.Begin.Format(time.RFC3339),
		"available_end_time":   p.End.Format(time.RFC3339),
		"stock_use_rule":       p.Budget,
		"no_cash":              false,
		"stock_type":           kind,
		"belong_merchant":      mchID,
		"coupon_use_rule":      use,
		"out_request_no":       p.RequestNo,
	}
	if p.Comment != "" {
		b["comment"] = p.Comment
	}
	return b
}

// Manager 批次管理。
type Manager struct {
	client *wxpay.Client
	mchID  string
}

// NewManager 造管理器。
func NewManager(client *wxpay.Client) *Manager {
	return &Manager{client: client, mchID: client.MchID()}
}

// Create 建批次。方法不能有类型参数，所以是函数。
func Create[R Rule](ctx context.Context, m *Manager, p Plan[R]) (string, error) {
	if err := p.Validate(); err != nil {
		return "", fmt.Errorf("计划 %s: %w", p.RequestNo, err)
	}
	res, err := m.client.Chain("v3/marketing/favor/coupon-stocks").Post(ctx, p.body(m.mchID))
	if err != nil {
		return "", fmt.Errorf("建批次 %s: %w", p.RequestNo, err)
	}
	return res.Text("stock_id")
}

// Action 批次动作。
type Action string

// 三个动作的路径后缀。
const (
	Start   Action = "start"
	Pause   Action = "pause"
	Restart Action = "restart"
)

var actionTime = map[Action]string{Start: "start_time", Pause: "pause_time", Restart: "restart_time"}

// Do 对批次做动作，返回生效时间。
func (m *Manager) Do(ctx context.Context, stockID string, a Action) (time.Time, error) {
	field, ok := actionTime[a]
	if !ok {
		return time.Time{}, fmt.Errorf("未知动作 %q", a)
	}
	stock := m.client.Chain("v3/marketing/favor/stocks/{stock_id}", stockID)
	res, err := stock.Chain(string(a)).Post(ctx, wxpay.JSON{"stock_creator_mchid": m.mchID})
	if err != nil {
		return time.Time{}, fmt.Errorf("批次 %s %s: %w", stockID, a, err)
	}
	return res.Time(field)
}

// Stock 批次。
type Stock struct {
	ID          string `json:"stock_id"`
	Name        string `json:"stock_name"`
	Status      string `json:"status"`
	Type        string `json:"stock_type"`
	Distributed int    `json:"distributed_coupons"`
	Rule        struct {
		MaxCoupons int `json:"max_coupons"`
		MaxAmount  Fen `json:"max_amount"`
	} `json:"stock_use_rule"`
}

// Left 剩余张数。
func (s Stock) Left() int { return max(0, s.Rule.MaxCoupons-s.Distributed) }

// Stocks 全部批次。status 为空则不限。
func (m *Manager) Stocks(ctx context.Context, status string) iter.Seq2[Stock, error] {
	c := m.client.Chain("v3/marketing/favor/stocks").
		Query("offset", 0).Query("limit", 10).Query("stock_creator_mchid", m.mchID)
	if status != "" {
		c = c.Query("status", status)
	}
	return decodeEach[Stock](ctx, c, "data")
}

// decodeEach 逐条解码。
func decodeEach[T any](ctx context.Context, c wxpay.Chain, path string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for item, err := range c.Each(ctx, path) {
			var v T
			if err == nil {
				err = json.Unmarshal([]byte(item.Raw), &v)
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// Low 快发完的批次，按剩余从少到多。
func (m *Manager) Low(ctx context.Context, threshold int) ([]Stock, error) {
	var low []Stock
	for s, err := range m.Stocks(ctx, "running") {
		if err != nil {
			return nil, err
		}
		if s.Left() < threshold {
			low = append(low, s)
		}
	}
	slices.SortFunc(low, func(a, b Stock) int { return a.Left() - b.Left() })
	return low, nil
}

// Stock 查一个批次。
func (m *Manager) Stock(ctx context.Context, id string) (*Stock, error) {
	s, err := wxpay.Into[Stock](m.client.Chain("v3/marketing/favor/stocks/{stock_id}", id).
		Query("stock_creator_mchid", m.mchID).Get(ctx))
	if wxpay.IsCode(err, wxcode.ResourceNotExists) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &s, nil
}

// Flow 明细种类。
type Flow string

// 核销与退款明细。
const (
	UseFlow    Flow = "use-flow"
	RefundFlow Flow = "refund-flow"
)

// Download 下载明细到目录，按摘要校验，返回文件路径。
func (m *Manager) Download(ctx context.Context, stockID string, f Flow, dir string) (string, error) {
	res, err := m.client.Chain("v3/marketing/favor/stocks/{stock_id}", stockID).Chain(string(f)).Get(ctx)
	if err != nil {
		return "", fmt.Errorf("申请 %s 明细: %w", stockID, err)
	}
	if err := res.Need("url", "hash_type", "hash_value"); err != nil {
		return "", err
	}
	path := filepath.Join(dir, fmt.Sprintf("%s-%s.csv", stockID, f))
	_, err = m.client.Fetch(ctx, res.Get("url").String(), wxpay.ToFile(path).Replace(),
		wxpay.Digest(res.Get("hash_type").String(), res.Get("hash_value").String()))
	if err != nil {
		return "", fmt.Errorf("下载 %s: %w", path, err)
	}
	return path, nil
}

// Lines 读明细。平台在值前加反引号防止表格软件改写，这里去掉。
func Lines(path string) iter.Seq2[map[string]string, error] {
	return func(yield func(map[string]string, error) bool) {
		file, err := os.Open(path)
		if err != nil {
			yield(nil, err)
			return
		}
		defer file.Close()
		r := csv.NewReader(file)
		r.FieldsPerRecord = -1
		r.LazyQuotes = true
		head, err := r.Read()
		if err != nil {
			yield(nil, err)
			return
		}
		for {
			record, err := r.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			line := make(map[string]string, len(head))
			for i, v := range record {
				if i < len(head) {
					line[strings.TrimPrefix(head[i], "\ufeff")] = strings.TrimPrefix(v, "`")
				}
			}
			if !yield(line, nil) {
				return
			}
		}
	}
}

// SumColumn 合计一列，元转分。
func SumColumn(path, column string) (Fen, error) {
	var sum Fen
	for line, err := range Lines(path) {
		if err != nil {
			return 0, err
		}
		text, ok := line[column]
		if !ok || text == "" {
			continue
		}
		fen, err := wxpay.ParseYuan(text)
		if err != nil {
			return 0, fmt.Errorf("%s 列: %w", column, err)
		}
		sum += Fen(fen)
	}
	return sum, nil
}

// UploadImage 营销图片。
func (m *Manager) UploadImage(ctx context.Context, name string, content io.ReaderAt, size int64) (string, error) {
	res, err := m.client.Chain("v3/marketing/favor/media/image-upload").Upload(ctx, wxpay.FileFrom(name, content, size))
	if err != nil {
		return "", err
	}
	return res.Get("media_url").String(), nil
}

// SetCallback 设置券的通知地址。
func (m *Manager) SetCallback(ctx context.Context, notifyURL string) error {
	_, err := m.client.Chain("v3/marketing/favor/callbacks").Post(ctx, wxpay.JSON{
		"mchid": m.mchID, "notify_url": notifyURL, "switch": true,
	})
	return err
}
