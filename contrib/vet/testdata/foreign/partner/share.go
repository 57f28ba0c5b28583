package partner

import (
	"context"
	"errors"
	"fmt"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/wxcode"
)

// AddReceiver registers the provider's partner for a shop.
func (p *Provider) AddReceiver(ctx context.Context, shop *Shop, account, name string) error {
	_, err := p.client.Chain("v3/profitsharing/receivers/add").Post(ctx, wxpay.JSON{
		"sub_mchid":     shop.SubMchID,
		"appid":         p.appid,
		"type":          "MERCHANT_ID",
		"account":       account,
		"name":          name,
		"relation_type": "SERVICE_PROVIDER",
	})
	return err
}

// ShareOut divides a payment: the provider keeps its rate, and the rest is set free.
func (p *Provider) ShareOut(ctx context.Context, shop *Shop, paid *Transaction) error {
	fee := paid.Amount.Total * shop.Rate / 10000
	if fee == 0 {
		return p.SetFree(ctx, shop, paid)
	}
	share := Share{
		SubMchID: shop.SubMchID, AppID: p.appid, TransactionID: paid.TransactionID, OutOrderNo: "PS" + paid.OutTradeNo,
		Receivers:       []Receiver{{Type: "MERCHANT_ID", Account: p.mchid, Amount: fee, Description: "技术服务费"}},
		UnfreezeUnsplit: true,
	}
	verdict, err := p.client.Chain("v3/profitsharing/orders").Ensure(ctx, share)
	if wxpay.IsCode(err, wxcode.FrequencyLimited) {
		return fmt.Errorf("later: %w", err)
	}
	if err != nil {
		return err
	}
	if verdict.State == wxpay.Failed {
		return errors.New("the share failed")
	}
	return nil
}

// SetFree ends the sharing of a payment without a share.
func (p *Provider) SetFree(ctx context.Context, shop *Shop, paid *Transaction) error {
	_, err := p.client.Chain("v3/profitsharing/orders/unfreeze").Post(ctx, wxpay.JSON{
		"sub_mchid":      shop.SubMchID,
		"transaction_id": paid.TransactionID,
		"out_order_no":   "UF" + paid.OutTradeNo,
		"description":    "解冻全部剩余资金",
	})
	return err
}

// Shared asks about a share.
func (p *Provider) Shared(ctx context.Context, shop *Shop, paid *Transaction) (map[string]int64, error) {
	res, err := p.client.Chain("v3/profitsharing/orders/{out_order_no}", "PS"+paid.OutTradeNo).
		Query("sub_mchid", shop.SubMchID).
		Query("transaction_id", paid.TransactionID).
		Get(ctx)
	if err != nil {
		return nil, err
	}
	got := map[string]int64{}
	for _, receiver := range res.Get("receivers").Array() {
		if receiver.Get("result").String() == "SUCCESS" {
			got[receiver.Get("account").String()] += receiver.Get("amount").Int()
		}
	}
	return got, nil
}

// Left tells how much of a payment can still be shared.
func (p *Provider) Left(ctx context.Context, transaction string) (int64, error) {
	res, err := p.client.Chain("v3/profitsharing/transactions/{transaction_id}/amounts", transaction).Get(ctx)
	if err != nil {
		return 0, err
	}
	return res.Fen("unsplit_amount")
}

// TakeBack returns a part of a share before a refund.
func (p *Provider) TakeBack(ctx context.Context, shop *Shop, share, number string, fen int64) error {
	verdict, err := p.client.Chain("v3/profitsharing/return-orders").Ensure(ctx, wxpay.JSON{
		"sub_mchid":     shop.SubMchID,
		"out_order_no":  share,
		"out_return_no": number,
		"return_mchid":  p.mchid,
		"amount":        fen,
		"description":   "用户退款",
	})
	if err != nil {
		return err
	}
	switch verdict.State {
	case wxpay.Succeeded:
		return nil
	case wxpay.Failed:
		return fmt.Errorf("return %s failed: %s", number, verdict.Response.Get("fail_reason"))
	}
	return fmt.Errorf("return %s is %s", number, verdict.State)
}
