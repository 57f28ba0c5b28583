// Package bclinic takes payments for clinics on our platform (收付通).
package bclinic

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Pay is the platform's client with its appid.
type Pay struct {
	C     *wxpay.Client
	AppID string
	Base  string // https://…, without a slash at the end
}

// Order is a visit to be paid.
type Order struct {
	No, Sub, OpenID, What string
	Fen                   int64
	Split                 bool
}

// Prepay places the order and signs it for the mini program.
func (p Pay) Prepay(ctx context.Context, o Order) (wxpay.MiniProgramPayment, error) {
	res, err := p.C.Chain("v3/pay/partner/transactions/jsapi").Post(ctx, p.body(o))
	if err != nil {
		return wxpay.MiniProgramPayment{}, fmt.Errorf("prepay %s: %w", o.No, err)
	}
	return p.C.Invoke().MiniProgram(ctx, p.AppID, res.Get("prepay_id").String())
}

func (p Pay) body(o Order) wxpay.JSON {
	b := wxpay.JSON{
		"sp_appid": p.AppID, "sp_mchid": p.C.MchID(), "sub_mchid": o.Sub,
		"description": o.What, "out_trade_no": o.No,
		"notify_url":  p.Base + "/clinic/paid",
		"time_expire": time.Now().Add(30 * time.Minute).Format(time.RFC3339),
		"amount":      wxpay.JSON{"total": o.Fen, "currency": "CNY"},
		"payer":       wxpay.JSON{"sp_openid": o.OpenID},
	}
	if o.Split {
		b["settle_info"] = wxpay.JSON{"profit_sharing": true}
	}
	return b
}

// Code places the order for a QR code at the desk.
func (p Pay) Code(ctx context.Context, o Order) (string, error) {
	b := p.body(o)
	delete(b, "payer")
	res, err := p.C.Chain("v3/pay/partner/transactions/native").Post(ctx, b)
	if err != nil {
		return "", err
	}
	return res.Text("code_url")
}

// at is the chain of an order.
func (p Pay) at(no string) wxpay.Chain {
	return p.C.Chain("v3/pay/partner/transactions/out-trade-no/{out_trade_no}", no)
}

// Paid asks whether the order is paid, and gives its transaction id.
func (p Pay) Paid(ctx context.Context, o Order) (id string, ok bool, err error) {
	res, err := p.at(o.No).Query("sp_mchid", p.C.MchID()).Query("sub_mchid", o.Sub).Get(ctx)
	if wxpay.IsCode(err, wxcode.OrderNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	if res.Get("trade_state").String() != "SUCCESS" {
		return "", false, nil
	}
	fen, err := res.Fen("amount.total")
	if err != nil {
		return "", false, err
	}
	if fen != o.Fen {
		return "", false, fmt.Errorf("order %s: paid %d, want %d", o.No, fen, o.Fen)
	}
	return res.Get("transaction_id").String(), true, nil
}

// Close gives an unpaid order up.
func (p Pay) Close(ctx context.Context, o Order) error {
	_, err := p.at(o.No).Chain("close").Post(ctx, wxpay.JSON{"sp_mchid": p.C.MchID(), "sub_mchid": o.Sub})
	if wxpay.IsCode(err, wxcode.OrderClosed) {
		return nil
	}
	return err
}

// Balance is what a clinic has: what it may take, and what it may not yet.
func (p Pay) Balance(ctx context.Context, sub string) (available, pending int64, err error) {
	res, err := p.C.Chain("v3/ecommerce/fund/balance/{sub_mchid}", sub).Query("account_type", "BASIC").Get(ctx)
	if err != nil {
		return 0, 0, err
	}
	if available, err = res.Fen("available_amount"); err != nil {
		return 0, 0, err
	}
	return available, res.Get("pending_amount").Int(), nil
}

// Withdraw pays a clinic out, once for each number.
func (p Pay) Withdraw(ctx context.Context, sub, number string, fen int64) (string, error) {
	v, err := p.C.Chain("v3/ecommerce/fund/withdraw").Ensure(ctx, wxpay.JSON{
		"sub_mchid": sub, "out_request_no": number, "amount": fen,
		"remark": "诊所提现", "account_type": "BASIC", "notify_url": p.Base + "/clinic/withdrawn",
	})
	if err != nil {
		return "", fmt.Errorf("withdraw %s: %w", number, err)
	}
	if v.State == wxpay.Failed {
		return "", fmt.Errorf("withdraw %s failed", number)
	}
	if v.Response == nil {
		return "", nil
	}
	return v.Response.Get("withdraw_id").String(), nil
}

func yuan(fen int64) string {
	return strconv.FormatInt(fen/100, 10) + fmt.Sprintf(".%02d", fen%100)
}
