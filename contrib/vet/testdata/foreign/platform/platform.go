// Package platform is a market place: many sellers, one cart, one payment.
package platform

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Seller is a merchant of the market.
type Seller struct {
	MchID      string
	Name       string
	Commission int // permyriad
	Frozen     bool
}

// Line is what one seller sells in a cart.
type Line struct {
	Seller *Seller
	Number string
	Title  string
	Fen    int64
}

// Cart is paid at once.
type Cart struct {
	Number string
	OpenID string
	Lines  []Line
	Until  time.Time
}

// Sum is the price of a cart.
func (c Cart) Sum() (fen int64) {
	for _, line := range c.Lines {
		fen += line.Fen
	}
	return fen
}

// Sellers groups the lines of a cart.
func (c Cart) Sellers() []string {
	var list []string
	for _, line := range c.Lines {
		if !slices.Contains(list, line.Seller.MchID) {
			list = append(list, line.Seller.MchID)
		}
	}
	sort.Strings(list)
	return list
}

// Market is the platform.
type Market struct {
	Client *wxpay.Client
	AppID  string
	Notify string

	mu    sync.RWMutex
	carts map[string]Cart
	paid  chan string
}

// Open returns a market.
func Open(client *wxpay.Client, appid, notify string) *Market {
	return &Market{Client: client, AppID: appid, Notify: notify, carts: map[string]Cart{}, paid: make(chan string, 1024)}
}

type subOrder = map[string]any

func (m *Market) subOrders(cart Cart) []subOrder {
	list := make([]subOrder, len(cart.Lines))
	for i, line := range cart.Lines {
		list[i] = subOrder{
			"mchid":        m.Client.MchID(),
			"sub_mchid":    line.Seller.MchID,
			"attach":       line.Seller.Name,
			"out_trade_no": line.Number,
			"description":  line.Title,
			"amount":       map[string]any{"total_amount": line.Fen, "currency": "CNY"},
			"settle_info":  map[string]any{"profit_sharing": line.Seller.Commission > 0},
		}
	}
	return list
}

// ErrFrozen says that a seller may not sell.
var ErrFrozen = errors.New("a seller is frozen")

// Pay begins the payment of a cart.
func (m *Market) Pay(ctx context.Context, cart Cart) (wxpay.JSON, error) {
	for _, line := range cart.Lines {
		if line.Seller.Frozen {
			return nil, fmt.Errorf("%w: %s", ErrFrozen, line.Seller.Name)
		}
	}
	m.mu.Lock()
	m.carts[cart.Number] = cart
	m.mu.Unlock()
	body := map[string]any{
		"combine_appid":        m.AppID,
		"combine_mchid":        m.Client.MchID(),
		"combine_out_trade_no": cart.Number,
		"combine_payer_info":   map[string]any{"openid": cart.OpenID},
		"sub_orders":           m.subOrders(cart),
		"time_expire":          cart.Until,
		"notify_url":           m.Notify,
	}
	res, err := m.Client.Chain("v3/combine-transactions/jsapi").Post(ctx, body)
	if err != nil {
		return nil, err
	}
	payment, err := m.Client.Invoke().MiniProgram(ctx, m.AppID, res.Get("prepay_id").String())
	if err != nil {
		return nil, err
	}
	return wxpay.JSON{"cart": cart.Number, "payment": payment}, nil
}

// Close ends a cart.
func (m *Market) Close(ctx context.Context, cart Cart) error {
	var subs []map[string]any
	for _, line := range cart.Lines {
		subs = append(subs, map[string]any{"mchid": m.Client.MchID(), "sub_mchid": line.Seller.MchID, "out_trade_no": line.Number})
	}
	_, err := m.Client.Chain("v3/combine-transactions/out-trade-no/{combine_out_trade_no}/close", cart.Number).
		Post(ctx, map[string]any{"combine_appid": m.AppID, "sub_orders": subs})
	return err
}

// Look asks which lines of a cart are paid.
func (m *Market) Look(ctx context.Context, cart Cart) (map[string]bool, error) {
	res, err := m.Client.Chain("v3/combine-transactions/out-trade-no/{combine_out_trade_no}", cart.Number).Get(ctx)
	if wxpay.IsCode(err, wxcode.OrderNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	want := map[string]int64{}
	for _, line := range cart.Lines {
		want[line.Number] = line.Fen
	}
	paid := map[string]bool{}
	for _, sub := range res.Get("sub_orders").Array() {
		number := sub.Get("out_trade_no").String()
		if sub.Get("trade_state").String() != "SUCCESS" {
			continue
		}
		if got := sub.Get("amount.total_amount").Int(); got != want[number] {
			return nil, fmt.Errorf("line %s: %d in place of %d fen", number, got, want[number])
		}
		paid[number] = true
	}
	return paid, nil
}

// Listen takes notifications: a number is only a reason to look.
func (m *Market) Listen(h *webhook.Handler) {
	h.On(webhook.TransactionSuccess, func(ctx context.Context, e *webhook.Event) error {
		select {
		case m.paid <- e.Get("combine_out_trade_no").String():
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	h.On("PROFITSHARING.*", func(context.Context, *webhook.Event) error { return nil })
}

// Work looks at the carts that notifications named.
func (m *Market) Work(ctx context.Context, done func(Cart, map[string]bool) error) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case number := <-m.paid:
			m.mu.RLock()
			cart, ok := m.carts[number]
			m.mu.RUnlock()
			if !ok {
				continue
			}
			paid, err := m.Look(ctx, cart)
			if err != nil {
				return err
			}
			if err := done(cart, paid); err != nil {
				return err
			}
		}
	}
}

// Commission takes the market's part of a line.
func (m *Market) Commission(ctx context.Context, line Line, transaction string) error {
	fen := line.Fen * int64(line.Seller.Commission) / 10000
	if fen == 0 {
		return m.finish(ctx, line, transaction)
	}
	verdict, err := m.Client.Chain("v3/ecommerce/profitsharing/orders").Ensure(ctx, wxpay.JSON{
		"appid":          m.AppID,
		"sub_mchid":      line.Seller.MchID,
		"transaction_id": transaction,
		"out_order_no":   "C" + line.Number,
		"receivers": []wxpay.JSON{{
			"type": "MERCHANT_ID", "receiver_account": m.Client.MchID(), "amount": fen, "description": "佣金",
		}},
		"finish": true,
	})
	if err != nil {
		return fmt.Errorf("commission of %s: %w", line.Number, err)
	}
	if verdict.State != wxpay.Succeeded && verdict.State != wxpay.Accepted {
		return fmt.Errorf("commission of %s: %s", line.Number, verdict.State)
	}
	return nil
}

func (m *Market) finish(ctx context.Context, line Line, transaction string) error {
	_, err := m.Client.Chain("v3/ecommerce/profitsharing/finish-order").Post(ctx, wxpay.JSON{
		"sub_mchid": line.Seller.MchID, "transaction_id": transaction, "out_order_no": "C" + line.Number, "description": "完结分账",
	})
	return err
}

// Return refunds a line.
func (m *Market) Return(ctx context.Context, line Line, number string, fen int64) error {
	_, err := m.Client.Chain("v3/ecommerce/refunds/apply").Post(ctx, wxpay.JSON{
		"sub_mchid":      line.Seller.MchID,
		"sp_appid":       m.AppID,
		"out_trade_no":   line.Number,
		"out_refund_no":  number,
		"amount":         wxpay.JSON{"refund": fen, "total": line.Fen, "currency": "CNY"},
		"refund_account": "REFUND_SOURCE_SUB_MERCHANT",
	})
	if errors.Is(err, wxpay.ErrOutcomeUnknown) {
		verdict, unresolved := m.Client.Resolve(ctx, err)
		if unresolved != nil {
			return errors.Join(err, unresolved)
		}
		if verdict.State == wxpay.Failed {
			return fmt.Errorf("refund %s failed", number)
		}
		return nil
	}
	return err
}

// Withdraw moves a seller's money to the bank.
func (m *Market) Withdraw(ctx context.Context, seller *Seller, number string) (string, error) {
	res, err := m.Client.Chain("v3/ecommerce/fund/balance/{sub_mchid}", seller.MchID).Query("account_type", "BASIC").Get(ctx)
	if err != nil {
		return "", err
	}
	available, err := res.Fen("available_amount")
	if err != nil || available == 0 {
		return "", err
	}
	made, err := m.Client.Chain("v3/ecommerce/fund/withdraw").Post(ctx, wxpay.JSON{
		"sub_mchid": seller.MchID, "out_request_no": number, "amount": available, "remark": "自动提现",
		"bank_memo": strings.ToUpper(number),
	})
	if err != nil {
		return "", err
	}
	return made.Text("withdraw_id")
}
