// Package score rents things on credit: a power bank, a bicycle, a locker. The user pays when it
// comes back.
package score

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
	"github.com/wxpay-go/wxpay/wxcode"
)

// layout is the form of times in rental orders.
const layout = "20060102150405"

// Tariff is the price of a thing.
type Tariff struct {
	Name     string
	PerHour  int64 // fen
	PerDay   int64 // fen, the most for a day
	Deposit  int64 // fen
	FreeTime time.Duration
}

// Cost is the price of a rental.
func (t Tariff) Cost(length time.Duration) int64 {
	if length <= t.FreeTime {
		return 0
	}
	days := int64(length / (24 * time.Hour))
	hours := int64((length%(24*time.Hour) + time.Hour - 1) / time.Hour)
	return days*t.PerDay + min(hours*t.PerHour, t.PerDay)
}

// Rental is one use.
type Rental struct {
	Number  string    `json:"number"`
	Thing   string    `json:"thing"`
	OpenID  string    `json:"openid"`
	From    string    `json:"from"`
	To      string    `json:"to"`
	Began   time.Time `json:"began"`
	Ended   time.Time `json:"ended"`
	State   string    `json:"state"`
	Fen     int64     `json:"fen"`
	OrderID string    `json:"order_id"`
}

// Rentals stores rentals.
type Rentals interface {
	Load(ctx context.Context, number string) (*Rental, error)
	Store(ctx context.Context, r *Rental) error
}

// Desk hands things out and takes them back.
type Desk struct {
	Client    *wxpay.Client
	Rentals   Rentals
	ServiceID string
	AppID     string
	Notify    string
	Tariffs   map[string]Tariff
	Log       *slog.Logger
}

func (d *Desk) orders() wxpay.Chain { return d.Client.Chain("v3/payscore/serviceorder") }

func (d *Desk) order(number string) wxpay.Chain { return d.orders().Chain("{out_order_no}", number) }

// Begin makes the order of a rental, and returns what opens the page of the wallet.
func (d *Desk) Begin(ctx context.Context, r *Rental) (string, error) {
	tariff, ok := d.Tariffs[strings.SplitN(r.Thing, "-", 2)[0]]
	if !ok {
		return "", fmt.Errorf("nothing is known of %s", r.Thing)
	}
	if err := d.Rentals.Store(ctx, r); err != nil {
		return "", err
	}
	res, err := d.orders().Post(ctx, map[string]any{
		"out_order_no":         r.Number,
		"appid":                d.AppID,
		"service_id":           d.ServiceID,
		"service_introduction": tariff.Name,
		"time_range":           map[string]any{"start_time": "OnAccept"},
		"location":             map[string]any{"start_location": r.From},
		"risk_fund":            map[string]any{"name": "DEPOSIT", "amount": tariff.Deposit, "description": "丢失赔偿"},
		"post_payments": []map[string]any{
			{"name": tariff.Name, "description": fmt.Sprintf("每小时%.2f元", float64(tariff.PerHour)/100)},
		},
		"notify_url":        d.Notify,
		"need_user_confirm": true,
		"openid":            r.OpenID,
	})
	if err != nil {
		return "", err
	}
	return res.Text("package")
}

// End finishes a rental: the platform charges the user.
func (d *Desk) End(ctx context.Context, number, place string) (*Rental, error) {
	r, err := d.Rentals.Load(ctx, number)
	if err != nil {
		return nil, err
	}
	tariff := d.Tariffs[strings.SplitN(r.Thing, "-", 2)[0]]
	r.To, r.Ended = place, time.Now()
	r.Fen = tariff.Cost(r.Ended.Sub(r.Began))
	if err := d.Rentals.Store(ctx, r); err != nil {
		return nil, err
	}
	type payment struct {
		Name   string `json:"name"`
		Amount int64  `json:"amount"`
		Count  int64  `json:"count,omitempty"`
	}
	type period struct {
		Start string `json:"start_time"`
		End   string `json:"end_time"`
	}
	request := struct {
		AppID     string            `json:"appid"`
		ServiceID string            `json:"service_id"`
		Payments  []payment         `json:"post_payments"`
		Total     int64             `json:"total_amount"`
		Period    period            `json:"time_range"`
		Location  map[string]string `json:"location"`
	}{
		AppID: d.AppID, ServiceID: d.ServiceID,
		Payments: []payment{{Name: tariff.Name, Amount: r.Fen, Count: 1}},
		Total:    r.Fen,
		Period:   period{r.Began.Format(layout), r.Ended.Format(layout)},
		Location: map[string]string{"start_location": r.From, "end_location": r.To},
	}
	res, err := d.order(number).Chain("complete").Post(ctx, request)
	switch {
	case errors.Is(err, wxpay.ErrOutcomeUnknown):
		return d.Look(ctx, number)
	case wxpay.IsCode(err, "INVALID_ORDER_STATE"):
		return d.Look(ctx, number)
	case err != nil:
		return nil, err
	}
	r.State, r.OrderID = res.Get("state").String(), res.Get("order_id").String()
	return r, d.Rentals.Store(ctx, r)
}

// Look asks about a rental.
func (d *Desk) Look(ctx context.Context, number string) (*Rental, error) {
	r, err := d.Rentals.Load(ctx, number)
	if err != nil {
		return nil, err
	}
	res, err := d.orders().Queries(map[string]any{
		"out_order_no": number,
		"service_id":   d.ServiceID,
		"appid":        d.AppID,
	}).Get(ctx)
	if err != nil {
		return nil, err
	}
	switch state := res.Get("state").String(); state {
	case "CREATED", "DOING":
		r.State = state
	case "DONE":
		r.State = state
		if paid := res.Get("collection.state").String(); paid != "" && paid != "USER_PAID" {
			d.Log.Warn("a rental is not paid", "number", number, "collection", paid)
		}
	case "REVOKED", "EXPIRED":
		r.State, r.Fen = state, 0
	}
	return r, d.Rentals.Store(ctx, r)
}

// Revoke ends a rental that never began.
func (d *Desk) Revoke(ctx context.Context, number, why string) error {
	_, err := d.order(number).Chain("cancel").Post(ctx, wxpay.JSON{"appid": d.AppID, "service_id": d.ServiceID, "reason": why})
	if wxpay.IsCode(err, wxcode.OrderNotExist) {
		return nil
	}
	return err
}

// Change lowers the price after a complaint.
func (d *Desk) Change(ctx context.Context, number string, fen int64, why string) error {
	r, err := d.Rentals.Load(ctx, number)
	if err != nil {
		return err
	}
	if fen >= r.Fen {
		return fmt.Errorf("%d fen is not less than %d", fen, r.Fen)
	}
	body := wxpay.JSON{"appid": d.AppID, "service_id": d.ServiceID, "total_amount": fen, "reason": why}
	body["post_payments"] = []wxpay.JSON{{"name": "使用费", "amount": fen}}
	if _, err := d.order(number).Chain("modify").Post(ctx, body); err != nil {
		return err
	}
	r.Fen = fen
	return d.Rentals.Store(ctx, r)
}

// Events takes the notifications of rentals.
func (d *Desk) Events(h *webhook.Handler) {
	h.On("PAYSCORE.USER_CONFIRM", func(ctx context.Context, e *webhook.Event) error {
		return d.moved(ctx, e.Get("out_order_no").String(), func(r *Rental) error {
			r.State, r.Began = "DOING", time.Now()
			return nil
		})
	})
	h.On("PAYSCORE.USER_PAID", func(ctx context.Context, e *webhook.Event) error {
		total, err := e.Fen("total_amount")
		if err != nil {
			return err
		}
		return d.moved(ctx, e.Get("out_order_no").String(), func(r *Rental) error {
			if total != r.Fen {
				return fmt.Errorf("rental %s: paid %d, costs %d", r.Number, total, r.Fen)
			}
			r.State = "PAID"
			return nil
		})
	})
	h.Ignore("PAYSCORE.USER_OPEN_SERVICE", "PAYSCORE.USER_CLOSE_SERVICE")
}

func (d *Desk) moved(ctx context.Context, number string, change func(*Rental) error) error {
	r, err := d.Rentals.Load(ctx, number)
	if err != nil {
		return err
	}
	if err := change(r); err != nil {
		return err
	}
	return d.Rentals.Store(ctx, r)
}

// ServeHTTP is the interface to the machines.
func (d *Desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Number string `json:"number"`
		Place  string `json:"place"`
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, "bad request", http.StatusBadRequest)
		return
	}
	ended, err := d.End(r.Context(), request.Number, request.Place)
	if err != nil {
		d.Log.Error("end", "number", request.Number, "err", err)
		http.Error(w, "try again", http.StatusServiceUnavailable)
		return
	}
	_ = json.NewEncoder(w).Encode(ended)
}
