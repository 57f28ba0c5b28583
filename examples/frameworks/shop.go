// Package frameworks shows a small shop in gin, echo, fiber, hertz, go-zero and kratos: order, notification, refund. The
// shop is the same everywhere; a file for each framework mounts it. It is an example to copy from, no package to import.
//
// docs/frameworks.md says what breaks the bodies of notifications in each framework, and how to see it.
package frameworks

import (
	"context"
	"fmt"
	"sync"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
)

// Shop sells.
type Shop struct {
	Notified *webhook.Handler

	client *wxpay.Client
	appID  string
	notify string // where notifications are sent to

	mu     sync.Mutex
	states map[string]string // of orders, by number
}

// NewShop returns a shop that gets its notifications at the address notify.
func NewShop(client *wxpay.Client, appID, notify string, merchant webhook.Merchant, options ...webhook.Option) (*Shop, error) {
	notified, err := webhook.New(merchant, options...)
	if err != nil {
		return nil, err
	}
	s := &Shop{Notified: notified, client: client, appID: appID, notify: notify, states: map[string]string{}}
	notified.On(webhook.TransactionSuccess, func(_ context.Context, e *webhook.Event) error { return s.record(e, "paid") })
	notified.On(webhook.RefundSuccess, func(_ context.Context, e *webhook.Event) error { return s.record(e, "refunded") })
	return s, nil
}

// record notes the state of an order: in a real shop, in one transaction of the database.
func (s *Shop) record(e *webhook.Event, state string) error {
	number, err := e.Text("out_trade_no")
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.states[number] == "" {
		return fmt.Errorf("there is no order %q", number)
	}
	s.states[number] = state
	return nil
}

// State returns the state of an order: waiting, paid, refunded, or nothing.
func (s *Shop) State(number string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.states[number]
}

// Request is the body of an order or a refund at the shop.
type Request struct {
	Number string `json:"number"`
	Total  int64  `json:"total"` // fen
}

// Reply is the shop's reply to an order.
type Reply struct {
	CodeURL string `json:"code_url"`
}

// Order makes an order and returns the link that the user scans.
func (s *Shop) Order(ctx context.Context, r Request) (Reply, error) {
	s.mu.Lock()
	s.states[r.Number] = "waiting" // before the platform can notify
	s.mu.Unlock()
	response, err := s.client.Chain("v3/pay/transactions/native").Post(ctx, wxpay.JSON{
		"appid": s.appID, "mchid": s.client.MchID(), "description": "T-shirt", "out_trade_no": r.Number,
		"notify_url": s.notify, "amount": wxpay.JSON{"total": r.Total},
	})
	if err != nil {
		return Reply{}, err
	}
	link, err := response.Text("code_url")
	return Reply{link}, err
}

// Refund refunds a whole order.
func (s *Shop) Refund(ctx context.Context, r Request) error {
	_, err := s.client.Chain("v3/refund/domestic/refunds").Post(ctx, wxpay.JSON{
		"out_trade_no": r.Number, "out_refund_no": "R-" + r.Number, "notify_url": s.notify,
		"amount": wxpay.JSON{"refund": r.Total, "total": r.Total, "currency": "CNY"},
	})
	return err
}
