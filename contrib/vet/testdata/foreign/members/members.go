// Package members looks after a brand's members: cards, activities, coupons, invoices, complaints.
package members

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/api"
	"github.com/wxpay-go/wxpay/webhook"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Desk is what the customer service uses.
type Desk struct {
	*slog.Logger
	c     *wxpay.Client
	brand string
	card  string
	appid string
}

// Feed is an activity of a member.
type Feed struct {
	Code    string
	OpenID  string
	Request string
	Cell    string
}

// Import sends activities one by one, and goes on after a rejection.
func (d *Desk) Import(ctx context.Context, feeds iter.Seq2[Feed, error]) (sent int, rejected []string, err error) {
	userFeeds := d.c.Chain("v3/brand/partner/card-member/user-feeds")
	for feed, err := range feeds {
		if err != nil {
			return sent, rejected, err
		}
		_, err := userFeeds.Post(ctx, wxpay.JSON{
			"brand_id": d.brand, "card_id": d.card, "user_card_code": feed.Code, "openid": feed.OpenID,
			"out_request_no": feed.Request, "cell_message": feed.Cell,
		})
		var refusal *wxpay.APIError
		switch {
		case errors.As(err, &refusal) && refusal.Status < 500:
			d.Warn("an activity was rejected", "request", feed.Request, "code", refusal.Code)
			rejected = append(rejected, feed.Request)
		case err != nil:
			return sent, rejected, err
		default:
			sent++
		}
	}
	return sent, rejected, nil
}

// ImportPure does the same in the pure style.
func (d *Desk) ImportPure(ctx context.Context, feed Feed) error {
	_, err := api.V3(d.c).Brand().Partner().CardMember().UserFeeds().Post(ctx, map[string]string{
		"brand_id": d.brand, "card_id": d.card, "user_card_code": feed.Code,
		"openid": feed.OpenID, "out_request_no": feed.Request, "cell_message": feed.Cell,
	})
	return err
}

// Coupon gives a coupon to a user. The request number makes it one coupon, however often it is sent.
func (d *Desk) Coupon(ctx context.Context, openid, stock, creator, request string) (string, error) {
	body := wxpay.JSON{"stock_id": stock, "out_request_no": request, "appid": d.appid, "stock_creator_mchid": creator}
	res, err := d.c.Chain("v3/marketing/favor/users/{openid}/coupons", openid).Idempotent().Post(ctx, body)
	if wxpay.IsCode(err, wxcode.NotEnough) {
		return "", errors.New("the stock is used up")
	}
	if err != nil {
		return "", err
	}
	return res.Text("coupon_id")
}

// Coupons lists the coupons of a user.
func (d *Desk) Coupons(ctx context.Context, openid string) ([]string, error) {
	var list []string
	for coupon, err := range d.c.Chain("v3/marketing/favor/users/{openid}/coupons", openid).Query("appid", d.appid).Each(ctx, "data") {
		if err != nil {
			return nil, err
		}
		if coupon.Get("status").String() == "SENDED" {
			list = append(list, coupon.Get("coupon_id").String())
		}
	}
	return list, nil
}

// Stock makes a stock of coupons for a week.
func (d *Desk) Stock(ctx context.Context, name string, value, from int64, count int64) (string, error) {
	begin := time.Now().Add(time.Hour)
	made, err := wxpay.Into[struct {
		StockID string `json:"stock_id"`
	}](d.c.Chain("v3/marketing/favor/coupon-stocks").Post(ctx, wxpay.JSON{
		"stock_name":           name,
		"available_begin_time": begin.Format(time.RFC3339),
		"available_end_time":   begin.AddDate(0, 0, 7).Format(time.RFC3339),
		"stock_use_rule": wxpay.JSON{
			"max_coupons": count, "max_amount": count * value, "max_coupons_per_user": 1,
			"natural_person_limit": true, "prevent_api_abuse": true,
		},
		"no_cash":         false,
		"stock_type":      "NORMAL",
		"belong_merchant": d.c.MchID(),
		"out_request_no":  "S" + begin.Format("20060102150405"),
		"coupon_use_rule": wxpay.JSON{
			"fixed_normal_coupon": wxpay.JSON{"coupon_amount": value, "transaction_minimum": from},
			"available_merchants": []string{d.c.MchID()},
		},
	}))
	return made.StockID, err
}

// Invoice asks for the invoice of a payment.
func (d *Desk) Invoice(ctx context.Context, transaction, buyer, taxpayer string, lines map[string]int64) error {
	var items []wxpay.JSON
	var total int64
	for name, fen := range lines {
		items = append(items, wxpay.JSON{
			"tax_code": "3070401000000000000", "goods_name": name, "quantity": 100000000, "total_amount": fen,
			"tax_rate": 600, "discount": false,
		})
		total += fen
	}
	_, err := d.c.Chain("v3/new-tax-control-fapiao/fapiao-applications").Post(ctx, wxpay.JSON{
		"scene":             "WITH_WECHATPAY",
		"fapiao_apply_id":   transaction,
		"buyer_information": wxpay.JSON{"type": "ORGANIZATION", "name": buyer, "taxpayer_id": taxpayer},
		"fapiao_information": []wxpay.JSON{
			{"fapiao_id": "F" + transaction, "total_amount": total, "need_list": len(items) > 8, "items": items},
		},
	})
	return err
}

// Complaint is one of a user.
type Complaint struct {
	ID      string    `json:"complaint_id"`
	State   string    `json:"complaint_state"`
	Detail  string    `json:"complaint_detail"`
	Phone   string    `json:"payer_phone"`
	OpenID  string    `json:"payer_openid"`
	At      time.Time `json:"complaint_time"`
	Full    bool      `json:"complaint_full_refunded"`
	Orders  []complained
	Replied bool
}

type complained struct {
	Transaction string `json:"transaction_id"`
	OutTradeNo  string `json:"out_trade_no"`
	Amount      int64  `json:"amount"`
}

// Complaints lists the complaints of the last days.
func (d *Desk) Complaints(ctx context.Context, days int) ([]Complaint, error) {
	now := time.Now()
	var list []Complaint
	each := d.c.Chain("v3/merchant-service/complaints-v2").
		Query("begin_date", now.AddDate(0, 0, -days)).
		Query("end_date", now).
		Query("complainted_mchid", d.c.MchID()).
		Each(ctx, "data")
	for raw, err := range each {
		if err != nil {
			return list, err
		}
		c := Complaint{
			ID: raw.Get("complaint_id").String(), State: raw.Get("complaint_state").String(),
			Detail: raw.Get("complaint_detail").String(), Phone: raw.Get("payer_phone").String(),
		}
		for _, order := range raw.Get("complaint_order_info").Array() {
			c.Orders = append(c.Orders, complained{
				order.Get("transaction_id").String(), order.Get("out_trade_no").String(), order.Get("amount").Int(),
			})
		}
		list = append(list, c)
	}
	return list, nil
}

// Reply answers a complaint, with pictures.
func (d *Desk) Reply(ctx context.Context, id, text string, pictures ...io.Reader) error {
	var media []string
	for i, picture := range pictures {
		res, err := d.c.Chain("v3/merchant-service/images/upload").
			Upload(ctx, wxpay.FileReader(fmt.Sprintf("%s-%d.png", id, i), picture))
		if err != nil {
			return err
		}
		media = append(media, res.Get("media_id").String())
	}
	complaint := d.c.Chain("v3/merchant-service/complaints-v2/{complaint_id}", id)
	_, err := complaint.Chain("response").Post(ctx, wxpay.JSON{
		"complainted_mchid": d.c.MchID(),
		"response_content":  text,
		"response_images":   media,
	})
	if err != nil {
		return err
	}
	_, err = complaint.Chain("complete").Post(ctx, wxpay.JSON{"complainted_mchid": d.c.MchID()})
	return err
}

// History prints what was said about a complaint.
func (d *Desk) History(ctx context.Context, id string) (string, error) {
	var text strings.Builder
	for page, err := range d.c.Chain("v3/merchant-service/complaints-v2/{complaint_id}/negotiation-historys", id).Pages(ctx) {
		if err != nil {
			return "", err
		}
		for _, entry := range page.Get("data").Array() {
			fmt.Fprintf(&text, "%s %s: %s\n", entry.Get("operate_time"), entry.Get("operator"), entry.Get("operate_details"))
		}
	}
	return text.String(), nil
}

// Picture reads a picture that a user sent.
func (d *Desk) Picture(ctx context.Context, media string) ([]byte, error) {
	var picture bytes.Buffer
	if _, err := d.c.Chain("v3/merchant-service/images/{media_id}", media).Download(ctx, &picture, wxpay.MaxSize(8<<20)); err != nil {
		return nil, err
	}
	return picture.Bytes(), nil
}

// Events takes notifications.
func (d *Desk) Events(h *webhook.Handler) {
	notify := func(ctx context.Context, e *webhook.Event) error {
		d.Info("a complaint", "id", e.Get("complaint_id"), "action", e.Get("action_type"))
		return nil
	}
	h.On("COMPLAINT.CREATE", notify)
	h.On("COMPLAINT.STATE_CHANGE", notify)
	h.On("COUPON.USE", func(_ context.Context, e *webhook.Event) error {
		d.Info("a coupon was used", "stock", e.Get("stock_id"), "coupon", e.Get("coupon_id"))
		return nil
	})
	h.On("FAPIAO.ISSUED", func(_ context.Context, e *webhook.Event) error {
		for _, one := range e.Get("fapiao_information").Array() {
			d.Info("an invoice", "apply", e.Get("fapiao_apply_id"), "id", one.Get("fapiao_id"))
		}
		return nil
	})
}
