// Package brental rents wheelchairs and tablets by pay score.
package brental

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/wxcode"
)

const (
	root   = "v3/payscore/partner/serviceorder"
	layout = "20060102150405"
)

// Desk rents things out.
type Desk struct {
	C                        *wxpay.Client
	AppID, Service, APIv2Key string
	Notify                   string
	Now                      func() time.Time
}

// Price of a kind of thing, in fen.
type Price struct {
	Name               string
	Hour, Cap, Deposit int64
	Free               time.Duration
}

// prices by kind.
var prices = map[string]Price{
	"wheelchair": {"轮椅", 200, 3000, 50000, 30 * time.Minute},
	"bed":        {"陪护床", 300, 2500, 20000, 10 * time.Minute},
	"tablet":     {"学习平板", 500, 6000, 99900, 0},
	"powerbank":  {"充电宝", 300, 3000, 9900, 5 * time.Minute},
}

// Fee is what a rental costs.
func (p Price) Fee(d time.Duration) int64 {
	if d <= p.Free {
		return 0
	}
	hours := int64((d + time.Hour - 1) / time.Hour)
	days, rest := hours/24, hours%24
	return days*p.Cap + min(rest*p.Hour, p.Cap)
}

// Rental is one thing in one hand.
type Rental struct {
	No     string    `json:"no"`
	Sub    string    `json:"sub"`
	Kind   string    `json:"kind"`
	OpenID string    `json:"openid"`
	Place  string    `json:"place"`
	From   time.Time `json:"from"`
	To     time.Time `json:"to,omitzero"`
}

// Start creates the order and signs it for the mini program.
func (d Desk) Start(ctx context.Context, r Rental) (wxpay.PayScore, error) {
	p, ok := prices[r.Kind]
	if !ok {
		return wxpay.PayScore{}, fmt.Errorf("no price for %q", r.Kind)
	}
	res, err := d.C.Chain(root).Post(ctx, wxpay.JSON{
		"service_id": d.Service, "appid": d.AppID, "sub_mchid": r.Sub, "out_order_no": r.No,
		"service_introduction": p.Name + "租借",
		"post_payments": []wxpay.JSON{{
			"name": "租金", "description": fmt.Sprintf("%d元/小时，%d元封顶", p.Hour/100, p.Cap/100),
		}},
		"risk_fund":         wxpay.JSON{"name": "DEPOSIT", "amount": p.Deposit},
		"time_range":        wxpay.JSON{"start_time": "OnAccept"},
		"location":          wxpay.JSON{"start_location": r.Place},
		"need_user_confirm": true,
		"notify_url":        d.Notify,
		"attach":            r.Kind,
	})
	if err != nil {
		return wxpay.PayScore{}, fmt.Errorf("start %s: %w", r.No, err)
	}
	return d.C.Invoke().PayScore(d.APIv2Key, res.Get("package").String())
}

func (d Desk) of(r Rental) wxpay.Chain { return d.C.Chain(root).Chain("{out_order_no}", r.No) }

func (d Desk) ids(r Rental, more wxpay.JSON) wxpay.JSON {
	b := wxpay.JSON{"service_id": d.Service, "sub_mchid": r.Sub}
	for k, v := range more {
		b[k] = v
	}
	return b
}

// State of an order: CREATED, DOING, DONE, REVOKED, EXPIRED, or nothing.
func (d Desk) State(ctx context.Context, r Rental) (state string, owed int64, err error) {
	res, err := d.C.Chain(root).Queries(map[string]any{
		"service_id": d.Service, "sub_mchid": r.Sub, "out_order_no": r.No,
	}).Get(ctx)
	if wxpay.IsCode(err, wxcode.OrderNotExist, wxcode.ResourceNotExists) {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, err
	}
	if res.Get("need_collection").Bool() && res.Get("collection.state").String() != "USER_PAID" {
		owed = res.Get("collection.paying_amount").Int()
	}
	return res.Get("state").String(), owed, nil
}

// Return ends a rental. A free one is cancelled.
func (d Desk) Return(ctx context.Context, r Rental, place string) (int64, error) {
	if r.To.IsZero() {
		r.To = d.Now()
	}
	p := prices[r.Kind]
	fee := p.Fee(r.To.Sub(r.From))
	if fee == 0 {
		return 0, d.Cancel(ctx, r, "免费时长内归还")
	}
	fee = min(fee, p.Deposit)
	v, err := d.of(r).Chain("complete").Ensure(ctx, d.ids(r, wxpay.JSON{
		"post_payments": []wxpay.JSON{{"name": "租金", "amount": fee, "count": 1}},
		"total_amount":  fee,
		"time_range":    wxpay.JSON{"end_time": r.To.Format(layout)},
		"location":      wxpay.JSON{"end_location": place},
	}))
	if err != nil {
		return 0, fmt.Errorf("return %s: %w", r.No, err)
	}
	if v.State == wxpay.Failed {
		return 0, fmt.Errorf("return %s: the rental did not end", r.No)
	}
	return fee, nil
}

// Cancel revokes an order.
func (d Desk) Cancel(ctx context.Context, r Rental, why string) error {
	_, err := d.of(r).Chain("cancel").Post(ctx, d.ids(r, wxpay.JSON{"reason": why}))
	return err
}

// Lower changes a finished order's amount, after a complaint.
func (d Desk) Lower(ctx context.Context, r Rental, fen int64, why string) error {
	_, err := d.of(r).Chain("modify").Post(ctx, d.ids(r, wxpay.JSON{
		"post_payments": []wxpay.JSON{{"name": "租金", "amount": fen}}, "total_amount": fen, "reason": why,
	}))
	return err
}

// Cash tells WeChat that the user paid at the desk.
func (d Desk) Cash(ctx context.Context, r Rental, fen int64) error {
	_, err := d.of(r).Chain("sync").Post(ctx, d.ids(r, wxpay.JSON{
		"type":   "Order_Paid",
		"detail": wxpay.JSON{"paid_time": d.Now().Format(layout), "paid_amount": fen},
	}))
	return err
}

// Refund gives rent back.
func (d Desk) Refund(ctx context.Context, r Rental, transactionID, no string, part, total int64) error {
	v, err := d.C.Chain("v3/refund/domestic/refunds").Ensure(ctx, wxpay.JSON{
		"sub_mchid": r.Sub, "transaction_id": transactionID, "out_refund_no": no,
		"amount": wxpay.JSON{"refund": part, "total": total, "currency": "CNY"},
	})
	switch {
	case err != nil:
		return err
	case v.State == wxpay.NeedsAction, v.State == wxpay.Failed:
		return errors.New("refund " + no + ": " + string(v.State))
	}
	return nil
}
