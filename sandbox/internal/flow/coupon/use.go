package coupon

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/sample"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Coupon is sandbox.Coupon, which documents the fields.
type Coupon struct {
	ID      string    `json:"coupon_id"`
	Name    string    `json:"coupon_name"`
	OpenID  string    `json:"openid"`
	State   string    `json:"status"`
	Amount  int64     `json:"coupon_amount"`
	Minimum int64     `json:"transaction_minimum"`
	Begin   time.Time `json:"available_begin_time"`
	End     time.Time `json:"available_end_time"`
}

// Coupons returns the coupons of all users, the newest first.
func (f *Flow) Coupons() []Coupon {
	b, _ := f.Begin()
	defer b.Commit()
	var list []Coupon
	for _, p := range f.coupons.Rows() {
		s, _ := f.stocks.Get(p.Stock)
		name, _ := book.ReadObject(s.Request)["stock_name"].(string)
		list = append(list, Coupon{p.ID, name, p.OpenID, p.State, p.Face, p.Minimum, p.Begin, p.End})
	}
	slices.SortFunc(list, func(a, b Coupon) int { return cmp.Or(b.Begin.Compare(a.Begin), strings.Compare(b.ID, a.ID)) })
	return list
}

// UseCoupon lets a user use a coupon for an order that is paid; SUB_MCHID/ stands before the number
// of a sub-merchant's order. COUPON.USE notifies the merchant at the callback of its coupons. The
// payment in the order stays as it is. A coupon that cannot be used for it is an error.
func (f *Flow) UseCoupon(couponID, outTradeNo string) error {
	b, now := f.Begin()
	p, known := f.couponOf(couponID)
	o, _ := f.orders.Get(outTradeNo)
	merchant := cmp.Or(o.Sub, f.ID)
	var err error
	switch {
	case !known:
		err = errors.New("there is no such coupon")
	case p.State != "SENDED":
		err = errors.New("it is " + p.State)
	case now.Before(p.Begin):
		err = errors.New("it cannot be used before " + say.Time(p.Begin))
	case o.Transaction == "":
		err = fmt.Errorf("no order %q is paid", outTradeNo)
	case o.Total < p.Minimum:
		err = fmt.Errorf("it is for orders from %d fen, and this one is over %d", p.Minimum, o.Total)
	case !f.usable(p, merchant):
		err = fmt.Errorf("%s is not among the merchants with whom it can be used", merchant)
	default:
		p.State, p.UsedAt, p.UsedBy, p.Transaction, p.Amount = "USED", now, merchant, o.Transaction, min(p.Face, o.Total)
		f.coupons.Put(p.Number, p)
		if at, _ := f.callbacks.Get(f.ID); !at.Off {
			f.Post.Announce(at.URL, "COUPON.USE", sample.Resource("COUPON.USE", f.tellCoupon(p)))
		}
	}
	failed := b.End()
	if err != nil {
		return fmt.Errorf("sandbox: use the coupon %q: %w", couponID, err)
	}
	return failed
}

// setCallback sets where a merchant is told of its coupons.
func (f *Flow) setCallback(c *gate.Call) (any, *say.Rejection) {
	if rejected := f.checkOwner(c, c.Field("mchid")); rejected != nil {
		return nil, rejected
	}
	if rejected := c.CheckNotifyURL(); rejected != nil {
		return nil, rejected
	}
	on, sent := c.Object["switch"].(bool)
	defer c.Begin().Commit()
	f.callbacks.Put(c.Field("mchid"), callback{URL: c.Field("notify_url"), Off: sent && !on})
	return map[string]any{"update_time": say.Time(c.Now), "notify_url": c.Field("notify_url")}, nil
}

func (f *Flow) queryCallback(c *gate.Call) (any, *say.Rejection) {
	mchid := c.Query.Get("mchid")
	if rejected := f.checkOwner(c, mchid); rejected != nil {
		return nil, rejected
	}
	defer c.Begin().Commit()
	at, known := f.callbacks.Get(mchid)
	if !known {
		return nil, notExist
	}
	return map[string]any{"mchid": mchid, "notify_url": at.URL}, nil
}

// checkOwner rejects a merchant who is neither the caller nor a sub-merchant of the caller.
func (f *Flow) checkOwner(c *gate.Call, mchid string) *say.Rejection {
	if mchid == f.ID {
		return nil
	}
	return c.CheckRelation(mchid)
}
