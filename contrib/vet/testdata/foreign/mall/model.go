// Package mall is the payment side of a small online shop: checkout, refunds, notifications and
// the daily comparison with the bill.
package mall

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// OrderState is where an order stands in the shop.
type OrderState string

const (
	OrderCreated   OrderState = "CREATED"
	OrderPaying    OrderState = "PAYING"
	OrderPaid      OrderState = "PAID"
	OrderClosed    OrderState = "CLOSED"
	OrderRefunding OrderState = "REFUNDING"
	OrderRefunded  OrderState = "REFUNDED"
)

// Channel is the way in which a user pays.
type Channel string

const (
	ChannelJSAPI  Channel = "jsapi"
	ChannelH5     Channel = "h5"
	ChannelApp    Channel = "app"
	ChannelNative Channel = "native"
)

// Item is one position of an order.
type Item struct {
	SKU      string
	Title    string
	Quantity int64
	Price    int64 // fen
}

// Order is what a user wants to buy.
type Order struct {
	Number        string
	UserID        int64
	OpenID        string
	Channel       Channel
	Items         []Item
	Freight       int64 // fen
	Discount      int64 // fen
	State         OrderState
	TransactionID string
	CreatedAt     time.Time
	ExpiresAt     time.Time
	PaidAt        time.Time
}

// Total is the amount that the user pays, in fen.
func (o *Order) Total() int64 {
	var total int64
	for _, item := range o.Items {
		total += item.Price * item.Quantity
	}
	return total + o.Freight - o.Discount
}

// Title is the description that the user sees in the wallet.
func (o *Order) Title() string {
	switch len(o.Items) {
	case 0:
		return "商城订单"
	case 1:
		return cut(o.Items[0].Title, 60)
	}
	return cut(fmt.Sprintf("%s等%d件商品", o.Items[0].Title, len(o.Items)), 60)
}

func cut(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-1]) + "…"
}

// Refund is money on its way back.
type Refund struct {
	Number      string
	OrderNumber string
	Amount      int64 // fen
	Reason      string
	State       string
	RefundID    string
	Items       []Item
	RequestedAt time.Time
}

// Errors of the shop.
var (
	ErrNoOrder      = errors.New("no such order")
	ErrNoRefund     = errors.New("no such refund")
	ErrWrongState   = errors.New("the order is in another state")
	ErrTooMuch      = errors.New("more than the order is worth")
	ErrWrongAmount  = errors.New("another amount than the order's")
	ErrNotAvailable = errors.New("payment is not available")
)

// Store keeps orders and refunds.
type Store interface {
	Order(ctx context.Context, number string) (*Order, error)
	SaveOrder(ctx context.Context, o *Order) error
	MovedOrder(ctx context.Context, number string, from, to OrderState) (bool, error)
	Refund(ctx context.Context, number string) (*Refund, error)
	RefundsOf(ctx context.Context, order string) ([]*Refund, error)
	SaveRefund(ctx context.Context, r *Refund) error
	Unpaid(ctx context.Context, before time.Time, most int) ([]*Order, error)
	Unsettled(ctx context.Context, before time.Time, most int) ([]*Refund, error)
}
