package mall

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Shop makes payments for orders.
type Shop struct {
	Config *Config
	Client *wxpay.Client
	Store  Store
	Log    *slog.Logger
}

// Start is what a front end needs to show the cashier.
type Start struct {
	Channel Channel `json:"channel"`
	JSAPI   any     `json:"jsapi,omitempty"`
	App     any     `json:"app,omitempty"`
	H5URL   string  `json:"h5_url,omitempty"`
	CodeURL string  `json:"code_url,omitempty"`
}

// Pay begins the payment of an order.
func (s *Shop) Pay(ctx context.Context, number, clientIP string) (*Start, error) {
	order, err := s.Store.Order(ctx, number)
	if err != nil {
		return nil, err
	}
	if order.State != OrderCreated && order.State != OrderPaying {
		return nil, fmt.Errorf("%w: %s", ErrWrongState, order.State)
	}
	body := s.body(order)
	start := &Start{Channel: order.Channel}
	switch order.Channel {
	case ChannelJSAPI:
		start.JSAPI, err = s.jsapi(ctx, body, order.OpenID)
	case ChannelApp:
		start.App, err = s.app(ctx, body)
	case ChannelH5:
		start.H5URL, err = s.h5(ctx, body, clientIP)
	case ChannelNative:
		start.CodeURL, err = s.native(ctx, body)
	default:
		return nil, fmt.Errorf("%w: channel %q", ErrNotAvailable, order.Channel)
	}
	if err != nil {
		return nil, s.explain(err, order)
	}
	if _, err := s.Store.MovedOrder(ctx, number, OrderCreated, OrderPaying); err != nil {
		return nil, err
	}
	return start, nil
}

// body is what all channels have in common.
func (s *Shop) body(order *Order) wxpay.JSON {
	body := wxpay.JSON{
		"description":  order.Title(),
		"out_trade_no": order.Number,
		"notify_url":   s.Config.NotifyURL,
		"time_expire":  order.ExpiresAt.Format(time.RFC3339),
		"attach":       fmt.Sprintf("user=%d", order.UserID),
		"amount":       wxpay.JSON{"total": order.Total(), "currency": "CNY"},
	}
	if len(order.Items) > 0 {
		body["detail"] = wxpay.JSON{"cost_price": order.Total() + order.Discount, "goods_detail": goods(order.Items)}
	}
	return body
}

func goods(items []Item) []wxpay.JSON {
	list := make([]wxpay.JSON, 0, len(items))
	for _, item := range items {
		list = append(list, wxpay.JSON{
			"merchant_goods_id": item.SKU,
			"goods_name":        cut(item.Title, 40),
			"quantity":          item.Quantity,
			"unit_price":        item.Price,
		})
	}
	return list
}

func (s *Shop) jsapi(ctx context.Context, body wxpay.JSON, openid string) (any, error) {
	body["payer"] = wxpay.JSON{"openid": openid}
	res, err := s.Client.Chain("v3/pay/transactions/jsapi").Post(ctx, body)
	if err != nil {
		return nil, err
	}
	prepay, err := res.Text("prepay_id")
	if err != nil {
		return nil, err
	}
	return s.Client.Invoke().JSAPI(ctx, s.Config.MiniAppID, prepay)
}

func (s *Shop) app(ctx context.Context, body wxpay.JSON) (any, error) {
	res, err := s.Client.Chain("v3/pay/transactions/app").Post(ctx, body)
	if err != nil {
		return nil, err
	}
	prepay, err := res.Text("prepay_id")
	if err != nil {
		return nil, err
	}
	return s.Client.Invoke().App(ctx, s.Config.AppID, prepay)
}

func (s *Shop) h5(ctx context.Context, body wxpay.JSON, ip string) (string, error) {
	body["scene_info"] = wxpay.JSON{"payer_client_ip": ip, "h5_info": wxpay.JSON{"type": "Wap"}}
	res, err := s.Client.Chain("v3/pay/transactions/h5").Post(ctx, body)
	if err != nil {
		return "", err
	}
	return res.Text("h5_url")
}

func (s *Shop) native(ctx context.Context, body wxpay.JSON) (string, error) {
	res, err := s.Client.Chain("v3/pay/transactions/native").Post(ctx, body)
	if err != nil {
		return "", err
	}
	return res.Text("code_url")
}

// explain makes an error of the platform one of the shop.
func (s *Shop) explain(err error, order *Order) error {
	switch {
	case wxpay.IsCode(err, wxcode.OrderPaid):
		return fmt.Errorf("%w: it is paid already", ErrWrongState)
	case wxpay.IsCode(err, wxcode.OrderClosed):
		return fmt.Errorf("%w: it is closed", ErrWrongState)
	case wxpay.IsCode(err, wxcode.FrequencyLimited, wxcode.SystemError):
		s.Log.Warn("the platform is busy", "order", order.Number, "err", err)
		return ErrNotAvailable
	case errors.Is(err, context.DeadlineExceeded):
		return ErrNotAvailable
	}
	return err
}

// transaction is the part of an order's query that the shop keeps.
type transaction struct {
	OutTradeNo    string    `json:"out_trade_no"`
	TransactionID string    `json:"transaction_id"`
	TradeState    string    `json:"trade_state"`
	SuccessTime   time.Time `json:"success_time"`
	Amount        struct {
		Total      int64 `json:"total"`
		PayerTotal int64 `json:"payer_total"`
	} `json:"amount"`
}

// Refresh asks the platform about an order, and keeps what it says.
func (s *Shop) Refresh(ctx context.Context, number string) (*Order, error) {
	order, err := s.Store.Order(ctx, number)
	if err != nil {
		return nil, err
	}
	found, err := wxpay.Into[transaction](s.Client.
		Chain("v3/pay/transactions/out-trade-no/{out_trade_no}", number).
		Query("mchid", s.Config.MchID).
		Get(ctx))
	if wxpay.IsCode(err, wxcode.OrderNotExist) {
		return order, nil
	}
	if err != nil {
		return nil, err
	}
	switch found.TradeState {
	case "SUCCESS", "REFUND":
		if found.Amount.Total != order.Total() {
			return nil, fmt.Errorf("order %s: %w: %d", number, ErrWrongAmount, found.Amount.Total)
		}
		order.State, order.TransactionID, order.PaidAt = OrderPaid, found.TransactionID, found.SuccessTime
	case "CLOSED", "REVOKED", "PAYERROR":
		order.State = OrderClosed
	case "NOTPAY", "USERPAYING":
		return order, nil
	default:
		return nil, fmt.Errorf("order %s: unknown state %s", number, found.TradeState)
	}
	return order, s.Store.SaveOrder(ctx, order)
}

// CloseOrder ends an order that nobody paid.
func (s *Shop) CloseOrder(ctx context.Context, number string) error {
	order, err := s.Refresh(ctx, number)
	if err != nil {
		return err
	}
	if order.State == OrderPaid {
		return fmt.Errorf("%w: it is paid", ErrWrongState)
	}
	_, err = s.Client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}/close", number).
		Post(ctx, wxpay.JSON{"mchid": s.Config.MchID})
	if err != nil && !wxpay.IsCode(err, wxcode.OrderNotExist) {
		return err
	}
	order.State = OrderClosed
	return s.Store.SaveOrder(ctx, order)
}

// Sweep closes orders whose time is over.
func (s *Shop) Sweep(ctx context.Context) error {
	late, err := s.Store.Unpaid(ctx, time.Now().Add(-s.Config.Expiry), 100)
	if err != nil {
		return err
	}
	var failed []error
	for _, order := range late {
		if err := s.CloseOrder(ctx, order.Number); err != nil && !errors.Is(err, ErrWrongState) {
			failed = append(failed, fmt.Errorf("order %s: %w", order.Number, err))
		}
	}
	return errors.Join(failed...)
}
