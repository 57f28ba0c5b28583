package hex

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/api"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Gateway is the adapter to the platform. It embeds the client.
type Gateway struct {
	*wxpay.Client
	settings

	orders  wxpay.Chain
	refunds wxpay.Chain
}

type settings struct {
	appid  string
	notify string
	retry  int
	now    func() time.Time
}

// Option changes a gateway.
type Option func(*settings)

// WithNotify sets the address for notifications.
func WithNotify(address string) Option { return func(s *settings) { s.notify = address } }

// WithRetry sets the number of looks.
func WithRetry(n int) Option { return func(s *settings) { s.retry = n } }

// WithNow sets the clock.
func WithNow(now func() time.Time) Option { return func(s *settings) { s.now = now } }

// NewGateway returns an adapter.
func NewGateway(client *wxpay.Client, appid string, options ...Option) *Gateway {
	g := &Gateway{
		Client: client, settings: settings{appid: appid, retry: 3, now: time.Now},
		orders:  client.Chain("v3/pay/transactions"),
		refunds: client.Chain("v3/refund/domestic/refunds"),
	}
	for _, option := range options {
		option(&g.settings)
	}
	return g
}

var (
	_ PaymentPort = (*Gateway)(nil)
	_ RefundPort  = (*Gateway)(nil)
)

// order is the body of a purchase.
type order struct {
	AppID       string    `json:"appid"`
	MchID       string    `json:"mchid"`
	Description string    `json:"description"`
	OutTradeNo  Number    `json:"out_trade_no"`
	TimeExpire  time.Time `json:"time_expire"`
	NotifyURL   string    `json:"notify_url"`
	GoodsTag    string    `json:"goods_tag,omitempty"`
	Amount      amount    `json:"amount"`
	Payer       payer     `json:"payer"`
}

type amount struct {
	Total    Fen    `json:"total"`
	Currency string `json:"currency"`
}

type payer struct {
	OpenID string `json:"openid"`
}

func (g *Gateway) order(p Purchase) order {
	return order{
		AppID: g.appid, MchID: g.MchID(), Description: p.Subject, OutTradeNo: p.Number, TimeExpire: p.Until, NotifyURL: g.notify,
		GoodsTag: first(p.Tags), Amount: amount{p.Price, "CNY"}, Payer: payer{p.OpenID},
	}
}

func first[T any](list []T) (zero T) {
	if len(list) == 0 {
		return zero
	}
	return list[0]
}

// Prepay implements PaymentPort.
func (g *Gateway) Prepay(ctx context.Context, p Purchase) (Prepaid, error) {
	type prepaid struct {
		ID string `json:"prepay_id"`
	}
	made, err := wxpay.Into[prepaid](g.orders.Chain("jsapi").Post(ctx, g.order(p)))
	if err != nil {
		return Prepaid{}, g.translate(err)
	}
	params, err := g.Invoke().JSAPI(ctx, g.appid, made.ID)
	if err != nil {
		return Prepaid{}, err
	}
	return Prepaid{ID: made.ID, Params: map[string]string{"paySign": params.PaySign, "package": params.Package}}, nil
}

// Look implements PaymentPort.
func (g *Gateway) Look(ctx context.Context, n Number) (Looked, error) {
	res, err := api.V3(g.Client).Pay().Transactions().OutTradeNo().OutTradeNo(string(n)).Query("mchid", g.MchID()).Get(ctx)
	if err != nil {
		return Looked{}, g.translate(err)
	}
	looked := Looked{Transaction: res.Get("transaction_id").String()}
	switch res.Get("trade_state").String() {
	case "SUCCESS":
		paid, err := res.Fen("amount.payer_total")
		if err != nil {
			return Looked{}, err
		}
		looked.Status, looked.Paid = Done, Fen(paid)
		if looked.At, err = res.Time("success_time"); err != nil {
			return Looked{}, err
		}
	case "CLOSED", "REVOKED", "PAYERROR":
		looked.Status = Refused
	default:
		looked.Status = Pending
	}
	return looked, nil
}

// Close implements PaymentPort.
func (g *Gateway) Close(ctx context.Context, n Number) error {
	_, err := g.orders.Chain("out-trade-no/{out_trade_no}/close", n).Post(ctx, wxpay.JSON{"mchid": g.MchID()})
	return g.translate(err)
}

// LookOften asks until something is known.
func (g *Gateway) LookOften(ctx context.Context, n Number) (Looked, error) {
	var last error
	for attempt := range g.retry {
		looked, err := g.Look(ctx, n)
		if err == nil && looked.Status != Pending {
			return looked, nil
		}
		last = err
		select {
		case <-ctx.Done():
			return Looked{}, ctx.Err()
		case <-time.After(time.Duration(attempt+1) * time.Second):
		}
	}
	return Looked{}, errors.Join(errPending, last)
}

var (
	errPending = errors.New("nothing is known yet")
	errUnclear = errors.New("the outcome is not clear")
	errLimit   = errors.New("try later")
)

// translate makes errors of the platform those of the domain.
func (g *Gateway) translate(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, wxpay.ErrOutcomeUnknown):
		return fmt.Errorf("%w: %w", errUnclear, err)
	case wxpay.IsCode(err, wxcode.FrequencyLimited):
		return fmt.Errorf("%w: %w", errLimit, err)
	}
	return err
}

// Refund implements RefundPort.
func (g *Gateway) Refund(ctx context.Context, r Return) (Status, error) {
	body := struct {
		OutTradeNo  Number `json:"out_trade_no"`
		OutRefundNo Number `json:"out_refund_no"`
		Reason      string `json:"reason,omitempty"`
		Amount      struct {
			Refund   Fen    `json:"refund"`
			Total    Fen    `json:"total"`
			Currency string `json:"currency"`
		} `json:"amount"`
	}{OutTradeNo: r.Purchase, OutRefundNo: r.Number, Reason: r.Why}
	body.Amount.Refund, body.Amount.Total, body.Amount.Currency = r.Amount, r.Price, "CNY"
	verdict, err := g.refunds.Ensure(ctx, body)
	if err != nil {
		if errors.Is(err, wxpay.ErrOutcomeUnknown) {
			return Unclear, g.translate(err)
		}
		return Refused, g.translate(err)
	}
	return statusOf(verdict.State), nil
}

func statusOf(state wxpay.State) Status {
	switch state {
	case wxpay.Succeeded:
		return Done
	case wxpay.Failed:
		return Refused
	}
	return Pending
}

// LookRefund implements RefundPort.
func (g *Gateway) LookRefund(ctx context.Context, n Number) (Status, Fen, error) {
	res, err := g.refunds.Chain("{out_refund_no}", n).Get(ctx)
	if err != nil {
		return Unclear, 0, g.translate(err)
	}
	back, err := res.Fen("amount.refund")
	if err != nil {
		return Unclear, 0, err
	}
	states := map[string]Status{"SUCCESS": Done, "CLOSED": Refused, "PROCESSING": Pending, "ABNORMAL": Pending}
	return states[res.Get("status").String()], Fen(back), nil
}

// RefundMany starts several refunds at once, and waits for all.
func (g *Gateway) RefundMany(ctx context.Context, list []Return) (map[Number]Status, error) {
	futures := make([]*wxpay.Future, len(list))
	for i, r := range list {
		futures[i] = g.refunds.PostAsync(ctx, wxpay.JSON{
			"out_trade_no": r.Purchase, "out_refund_no": r.Number,
			"amount": wxpay.JSON{"refund": r.Amount, "total": r.Price, "currency": "CNY"},
		})
	}
	states := make(map[Number]Status, len(list))
	var failed []error
	for i, future := range futures {
		res, err := future.Wait(ctx)
		switch {
		case errors.Is(err, wxpay.ErrOutcomeUnknown):
			states[list[i].Number] = Unclear
		case err != nil:
			states[list[i].Number] = Refused
			failed = append(failed, err)
		case res.Get("status").String() == "SUCCESS":
			states[list[i].Number] = Done
		default:
			states[list[i].Number] = Pending
		}
	}
	return states, errors.Join(failed...)
}
