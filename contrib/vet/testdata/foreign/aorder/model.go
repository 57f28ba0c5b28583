// Package aorder 外卖平台的订单中心：下单、支付、关单、支付回调。
//
// 分层约定：handler → service → (repository, gateway)，层与层之间只依赖接口。
package aorder

import (
	"errors"
	"fmt"
	"time"
)

// Status 订单状态。
type Status int8

const (
	StatusCreated   Status = iota + 1 // 已创建，待支付
	StatusPaid                        // 已支付，待商家接单
	StatusAccepted                    // 商家已接单
	StatusDelivered                   // 已送达
	StatusClosed                      // 已关闭
)

var statusText = map[Status]string{
	StatusCreated:   "待支付",
	StatusPaid:      "已支付",
	StatusAccepted:  "已接单",
	StatusDelivered: "已送达",
	StatusClosed:    "已关闭",
}

func (s Status) String() string {
	if t, ok := statusText[s]; ok {
		return t
	}
	return fmt.Sprintf("未知状态(%d)", int8(s))
}

// Channel 支付渠道，由前端上报。
type Channel string

const (
	ChannelJSAPI Channel = "jsapi" // 公众号内
	ChannelMini  Channel = "mini"  // 小程序
	ChannelH5    Channel = "h5"    // 手机浏览器
	ChannelApp   Channel = "app"   // 原生 App
)

func (c Channel) Valid() bool {
	switch c {
	case ChannelJSAPI, ChannelMini, ChannelH5, ChannelApp:
		return true
	}
	return false
}

// NeedOpenID 公众号和小程序支付必须带 openid。
func (c Channel) NeedOpenID() bool { return c == ChannelJSAPI || c == ChannelMini }

// Dish 订单里的一道菜。价格单位：分。
type Dish struct {
	SKU      string `json:"sku"`
	Name     string `json:"name"`
	Quantity int64  `json:"quantity"`
	Price    int64  `json:"price"`
}

// Order 订单聚合根。所有金额单位均为分。
type Order struct {
	No            string    `json:"no"` // 商户订单号 out_trade_no
	StoreID       string    `json:"store_id"`
	StoreName     string    `json:"store_name"`
	UserID        int64     `json:"user_id"`
	OpenID        string    `json:"-"`
	Channel       Channel   `json:"channel"`
	Dishes        []Dish    `json:"dishes"`
	PackFee       int64     `json:"pack_fee"`
	DeliveryFee   int64     `json:"delivery_fee"`
	Discount      int64     `json:"discount"`
	Total         int64     `json:"total"`
	PayerTotal    int64     `json:"payer_total"` // 用户实付
	Status        Status    `json:"status"`
	TransactionID string    `json:"transaction_id,omitempty"`
	CreatedAt     time.Time `json:"created_at"`
	ExpireAt      time.Time `json:"expire_at"`
	PaidAt        time.Time `json:"paid_at,omitzero"`
	Version       int       `json:"-"` // 乐观锁
}

// 领域错误。
var (
	ErrNotFound      = errors.New("订单不存在")
	ErrConflict      = errors.New("订单已被其他请求修改")
	ErrExpired       = errors.New("订单已超过支付时间")
	ErrWrongStatus   = errors.New("订单状态不允许此操作")
	ErrBadChannel    = errors.New("不支持的支付渠道")
	ErrOpenIDMissing = errors.New("缺少 openid")
	ErrAmount        = errors.New("订单金额不正确")
)

// Sum 计算应付总额。
func (o *Order) Sum() (int64, error) {
	var total int64
	for _, d := range o.Dishes {
		if d.Quantity <= 0 || d.Price < 0 {
			return 0, fmt.Errorf("%w: %s", ErrAmount, d.SKU)
		}
		total += d.Price * d.Quantity
	}
	total += o.PackFee + o.DeliveryFee - o.Discount
	if total <= 0 {
		return 0, ErrAmount
	}
	return total, nil
}

// Payable 校验是否可以发起支付。
func (o *Order) Payable(now time.Time) error {
	if o.Status != StatusCreated {
		return fmt.Errorf("%w: %s", ErrWrongStatus, o.Status)
	}
	if !o.ExpireAt.IsZero() && now.After(o.ExpireAt) {
		return ErrExpired
	}
	return nil
}

// MarkPaid 状态机：待支付 → 已支付。重复通知视为成功。
func (o *Order) MarkPaid(transactionID string, payerTotal int64, at time.Time) (changed bool, err error) {
	switch o.Status {
	case StatusPaid, StatusAccepted, StatusDelivered:
		if o.TransactionID != transactionID {
			return false, fmt.Errorf("订单 %s 被两笔交易支付", o.No)
		}
		return false, nil
	case StatusCreated, StatusClosed: // 关单与支付并发时，以支付为准
		o.Status = StatusPaid
		o.TransactionID = transactionID
		o.PayerTotal = payerTotal
		o.PaidAt = at
		return true, nil
	}
	return false, fmt.Errorf("%w: %s", ErrWrongStatus, o.Status)
}

// Description 生成商品描述，最长 127 个字符。
func (o *Order) Description() string {
	text := o.StoreName
	if len(o.Dishes) > 0 {
		text += "-" + o.Dishes[0].Name
	}
	if len(o.Dishes) > 1 {
		text += fmt.Sprintf("等%d件", len(o.Dishes))
	}
	if r := []rune(text); len(r) > 120 {
		text = string(r[:120])
	}
	return text
}
