package partner

import (
	"context"
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/wxcode"
)

var errSuspended = fmt.Errorf("the shop is suspended")

// orderOf makes the order of a shop.
func (p *Provider) orderOf(shop *Shop, number, what string, fen int64, share bool) *Order {
	until := time.Now().Add(2 * time.Hour)
	order := &Order{
		SpAppID: p.appid, SpMchID: p.mchid, SubAppID: shop.SubAppID, SubMchID: shop.SubMchID,
		Description: what, OutTradeNo: number, TimeExpire: &until, NotifyURL: p.notify,
		Amount: Money{Total: fen, Currency: "CNY"},
	}
	if share {
		order.SettleInfo = &SettleInfo{ProfitSharing: true}
	}
	return order
}

// MiniProgram begins a payment in the shop's mini program.
func (p *Provider) MiniProgram(ctx context.Context, shop *Shop, number, what, openid string, fen int64) (string, error) {
	if shop.Suspended {
		return "", errSuspended
	}
	order := p.orderOf(shop, number, what, fen, shop.Rate > 0)
	order.Payer = &Payer{SubOpenID: openid}
	return wxpayPrepay(p.client.Chain("v3/pay/partner/transactions/jsapi").Post(ctx, order))
}

func wxpayPrepay(res *wxpay.Response, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return res.Text("prepay_id")
}

// Code begins a payment by a code on a screen.
func (p *Provider) Code(ctx context.Context, shop *Shop, number, what string, fen int64, till string) (string, error) {
	if shop.Suspended {
		return "", errSuspended
	}
	order := p.orderOf(shop, number, what, fen, shop.Rate > 0)
	order.SceneInfo = &SceneInfo{PayerClientIP: "127.0.0.1", DeviceID: till, StoreInfo: &StoreInfo{ID: fmt.Sprint(shop.ID), Name: shop.Name}}
	res, err := p.client.Chain("v3/pay/partner/transactions/native").Post(ctx, order)
	if err != nil {
		return "", err
	}
	return res.Text("code_url")
}

// Find asks about a payment of a shop.
func (p *Provider) Find(ctx context.Context, shop *Shop, number string) (Transaction, error) {
	return wxpay.Into[Transaction](p.client.
		Chain("v3/pay/partner/transactions/out-trade-no/{out_trade_no}").
		Var("out_trade_no", number).
		Query("sp_mchid", p.mchid).
		Query("sub_mchid", shop.SubMchID).
		Get(ctx))
}

// Wait asks until a payment has ended, or its time is over.
func (p *Provider) Wait(ctx context.Context, shop *Shop, number string) (*Transaction, error) {
	tick := time.NewTicker(3 * time.Second)
	defer tick.Stop()
	for {
		found, err := p.Find(ctx, shop, number)
		switch {
		case wxpay.IsCode(err, wxcode.OrderNotExist):
		case err != nil:
			return nil, err
		case found.TradeState == "SUCCESS", found.TradeState == "CLOSED", found.TradeState == "PAYERROR":
			return &found, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

// Close ends an order.
func (p *Provider) Close(ctx context.Context, shop *Shop, number string) error {
	_, err := p.client.Chain("v3/pay/partner/transactions/out-trade-no/{out_trade_no}/close", number).
		Post(ctx, map[string]string{"sp_mchid": p.mchid, "sub_mchid": shop.SubMchID})
	return err
}

// Refund gives a part of a payment back.
func (p *Provider) Refund(ctx context.Context, shop *Shop, transaction, number string, fen, total int64) (wxpay.State, error) {
	verdict, err := p.client.Chain("v3/refund/domestic/refunds").UntilFinal().Ensure(ctx, map[string]any{
		"sub_mchid":      shop.SubMchID,
		"transaction_id": transaction,
		"out_refund_no":  number,
		"amount":         map[string]any{"refund": fen, "total": total, "currency": "CNY"},
	})
	if err != nil {
		return "", fmt.Errorf("refund %s: %s: %w", number, wxpay.OutcomeOf(err), err)
	}
	return verdict.State, nil
}
