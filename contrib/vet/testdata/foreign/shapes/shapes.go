// Package shapes has the less usual ways in which people write the same calls.
package shapes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Kind is how a user pays.
type Kind string

// Kinds.
const (
	Native Kind = "native"
	JSAPI  Kind = "jsapi"
)

// paths by what they are for.
var paths = map[string]string{
	"order":  "v3/pay/transactions/out-trade-no/{out_trade_no}",
	"refund": "v3/refund/domestic/refunds",
}

// base is the beginning of all paths of orders.
const base = "v3/pay/transactions/"

// Pay concatenates the kind: it is one of the constants above, and no data.
func Pay(ctx context.Context, c *wxpay.Client, kind Kind, body any) (*wxpay.Response, error) {
	return c.Chain(base+string(kind)).Post(ctx, body)
}

// PayBy formats it.
func PayBy(ctx context.Context, c *wxpay.Client, kind Kind, body any) (*wxpay.Response, error) {
	return c.Chain(fmt.Sprintf("v3/pay/transactions/%s", kind)).Post(ctx, body)
}

// By looks the path up.
func By(ctx context.Context, c *wxpay.Client, what, number string) (*wxpay.Response, error) {
	return c.Chain(paths[what], number).Get(ctx)
}

// Generic is a query of any kind.
func Generic[T any](ctx context.Context, c *wxpay.Client, path string, values ...any) (T, error) {
	return wxpay.Into[T](c.Chain(path, values...).Get(ctx))
}

// refundState is read by Generic.
type refundState struct {
	Status   string `json:"status"`
	RefundID string `json:"refund_id"`
	Amount   struct {
		Refund int64 `json:"refund"`
	} `json:"amount"`
}

// RefundState asks about a refund.
func RefundState(ctx context.Context, c *wxpay.Client, number string) (string, error) {
	found, err := Generic[refundState](ctx, c, paths["refund"]+"/{out_refund_no}", number)
	if wxpay.IsCode(err, wxcode.ResourceNotExists) {
		return "NONE", nil
	}
	return found.Status, err
}

// Builder collects a body.
type Builder struct {
	fields map[string]any
	err    error
}

// NewBuilder returns an empty body.
func NewBuilder() *Builder { return &Builder{fields: map[string]any{}} }

// Set sets a field.
func (b *Builder) Set(name string, value any) *Builder {
	b.fields[name] = value
	return b
}

// Amount sets the amount.
func (b *Builder) Amount(yuan string) *Builder {
	fen, err := wxpay.ParseYuan(yuan)
	if err != nil {
		b.err = errors.Join(b.err, err)
		return b
	}
	return b.Set("amount", map[string]any{"total": fen, "currency": "CNY"})
}

// Post sends the body.
func (b *Builder) Post(ctx context.Context, chain wxpay.Chain) (*wxpay.Response, error) {
	if b.err != nil {
		return nil, b.err
	}
	return chain.Post(ctx, b.fields)
}

// Order uses the builder.
func Order(ctx context.Context, c *wxpay.Client, number string) (string, error) {
	res, err := NewBuilder().Set("description", "茶").Set("out_trade_no", number).
		Set("notify_url", os.Getenv("NOTIFY")).Amount("12.50").
		Post(ctx, c.Chain("v3/pay/transactions/native"))
	if err != nil {
		return "", err
	}
	return res.Text("code_url")
}

// defaults are copied into each body.
var defaults = wxpay.JSON{"notify_url": "https://example.com/notify", "attach": "shapes"}

// Copied makes a body of the defaults.
func Copied(ctx context.Context, c *wxpay.Client, number string, fen int64) (*wxpay.Response, error) {
	body := maps.Clone(defaults)
	maps.Copy(body, wxpay.JSON{"description": "茶", "out_trade_no": number, "amount": wxpay.JSON{"total": fen}})
	return c.Chain("v3/pay/transactions/native").Post(ctx, body)
}

// Marshalled sends bytes.
func Marshalled(ctx context.Context, c *wxpay.Client, number string, fen int64) (*wxpay.Response, error) {
	raw, err := json.Marshal(map[string]any{
		"description": "茶", "out_trade_no": number, "notify_url": "https://example.com/notify", "amount": map[string]int64{"total": fen},
	})
	if err != nil {
		return nil, err
	}
	return c.Chain("v3/pay/transactions/native").Post(ctx, raw)
}

// Template sends a text.
func Template(ctx context.Context, c *wxpay.Client, number string, fen int64) (*wxpay.Response, error) {
	return c.Chain("v3/pay/transactions/native").Post(ctx, fmt.Sprintf(
		`{"description":"茶","out_trade_no":%q,"notify_url":"https://example.com/notify","amount":{"total":%d}}`, number, fen))
}

// Conditional builds a body step by step.
func Conditional(ctx context.Context, c *wxpay.Client, number, openid, tag string, fen int64, until *time.Time) (*wxpay.Response, error) {
	body := wxpay.JSON{}
	body["description"] = "茶"
	body["out_trade_no"] = number
	body["notify_url"] = "https://example.com/notify"
	body["amount"] = wxpay.JSON{"total": fen}
	if tag != "" {
		body["goods_tag"] = tag
	}
	if until != nil {
		body["time_expire"] = *until
	}
	chain := c.Chain("v3/pay/transactions/native")
	if openid != "" {
		body["payer"] = wxpay.JSON{"openid": openid}
		chain = c.Chain("v3/pay/transactions/jsapi")
	}
	return chain.Post(ctx, body)
}

// Switch chooses body and path together.
func Switch(ctx context.Context, c *wxpay.Client, kind Kind, common wxpay.JSON, openid string) (field, value string, err error) {
	var res *wxpay.Response
	switch kind {
	case Native:
		field = "code_url"
		res, err = c.Chain("v3/pay/transactions/native").Post(ctx, common)
	case JSAPI:
		field = "prepay_id"
		common["payer"] = wxpay.JSON{"openid": openid}
		res, err = c.Chain("v3/pay/transactions/jsapi").Post(ctx, common)
	default:
		return "", "", fmt.Errorf("kind %q", kind)
	}
	if err != nil {
		return "", "", err
	}
	return field, res.Get(field).String(), nil
}

// Service is embedded by what follows.
type Service struct{ *wxpay.Client }

func (s Service) order(number string) wxpay.Chain {
	return s.Chain(paths["order"], number).Query("mchid", s.MchID())
}

func (s Service) orderOf(number string) wxpay.Chain {
	return s.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}").Var("out_trade_no", number)
}

// State reads an order in two ways.
func (s Service) State(ctx context.Context, number string) (string, error) {
	res, err := s.order(number).Get(ctx)
	if err == nil {
		return res.Get("trade_state").String(), nil
	}
	res, err = s.orderOf(number).Query("mchid", s.MchID()).Get(ctx)
	if err != nil {
		return "", err
	}
	return strings.ToLower(res.Get("trade_state").String()), nil
}

// Refresh asks about an order and compares its amount.
func (s Service) Refresh(ctx context.Context, number string, want int64) error {
	res, err := s.orderOf(number).Query("mchid", s.MchID()).Get(ctx)
	if err != nil {
		return err
	}
	got, err := res.Fen("amount.total")
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("order %s: %d", number, got)
	}
	return nil
}

// Listen refreshes on each notification.
func (s Service) Listen(h *webhook.Handler, prices func(string) int64) {
	h.On(webhook.TransactionSuccess, func(ctx context.Context, e *webhook.Event) error {
		number := e.Get("out_trade_no").String()
		return s.Refresh(ctx, number, prices(number))
	})
	h.On("REFUND.SUCCESS", func(ctx context.Context, e *webhook.Event) error {
		var r struct {
			Number string `json:"out_refund_no"`
			Status string `json:"refund_status"`
		}
		if err := e.Decode(&r); err != nil {
			return err
		}
		return s.done(ctx, r.Number, r.Status)
	})
}

func (s Service) done(context.Context, string, string) error { return nil }

// outcome is kept for later.
type outcome struct {
	number string
	err    error
}

// Refunds sends refunds and keeps their errors for the caller.
func (s Service) Refunds(ctx context.Context, bodies map[string]wxpay.JSON) <-chan outcome {
	results := make(chan outcome, len(bodies))
	go func() {
		defer close(results)
		for number, body := range bodies {
			_, err := s.Chain("v3/refund/domestic/refunds").Post(ctx, body)
			results <- outcome{number, err}
		}
	}()
	return results
}

// RefundThen calls a function with the result.
func (s Service) RefundThen(ctx context.Context, body wxpay.JSON, then func(*wxpay.Response, error)) {
	then(s.Chain("v3/refund/domestic/refunds").Post(ctx, body))
}

// RefundAgain repeats with the same number: the body is made before the loop.
func (s Service) RefundAgain(ctx context.Context, order string, fen, total int64) error {
	body := wxpay.JSON{
		"out_trade_no": order, "out_refund_no": fmt.Sprintf("%s-%d", order, time.Now().Unix()),
		"amount": wxpay.JSON{"refund": fen, "total": total, "currency": "CNY"},
	}
	var err error
	for range 5 {
		if _, err = s.Chain("v3/refund/domestic/refunds").Post(ctx, body); err == nil || wxpay.OutcomeOf(err) == wxpay.Rejected {
			return err
		}
		time.Sleep(time.Second)
	}
	return err
}

// Assert reads the error by its type.
func (s Service) Assert(ctx context.Context, body wxpay.JSON) (string, error) {
	_, err := s.Chain("v3/refund/domestic/refunds").Post(ctx, body)
	if rejected := (*wxpay.APIError)(nil); errors.As(err, &rejected) {
		return string(rejected.Code), nil
	}
	return "", err
}
