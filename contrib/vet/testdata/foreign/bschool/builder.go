package bschool

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// OrderBuilder 下单请求构造器。
type OrderBuilder struct {
	req  PartnerOrderRequest
	errs []error
}

// NewOrderBuilder 创建构造器。
func NewOrderBuilder(spAppid, spMchid string) *OrderBuilder {
	return &OrderBuilder{req: PartnerOrderRequest{SpAppid: spAppid, SpMchid: spMchid}}
}

// SubMerchant 设置学校的商户号。
func (b *OrderBuilder) SubMerchant(subMchid, subAppid string) *OrderBuilder {
	if subMchid == "" {
		b.errs = append(b.errs, errors.New("子商户号不能为空"))
	}
	b.req.SubMchid, b.req.SubAppid = subMchid, subAppid
	return b
}

// OutTradeNo 设置商户订单号。
func (b *OrderBuilder) OutTradeNo(no string) *OrderBuilder {
	if len(no) < 6 || len(no) > 32 {
		b.errs = append(b.errs, fmt.Errorf("订单号长度 %d 不在 6-32 之间", len(no)))
	}
	b.req.OutTradeNo = no
	return b
}

// Fee 设置费用。
func (b *OrderBuilder) Fee(kind FeeKind, term string, fen int64) *OrderBuilder {
	if fen <= 0 {
		b.errs = append(b.errs, fmt.Errorf("金额必须大于 0: %d", fen))
	}
	desc := []rune(kind.String() + "-" + term)
	if len(desc) > MaxDescriptionRunes {
		desc = desc[:MaxDescriptionRunes]
	}
	b.req.Description = string(desc)
	b.req.Amount = &Amount{Total: fen, Currency: CurrencyCNY}
	return b
}

// PayerSp 服务商公众号下的 openid。
func (b *OrderBuilder) PayerSp(openid string) *OrderBuilder {
	b.req.Payer = &Payer{SpOpenid: openid}
	return b
}

// PayerSub 子商户公众号下的 openid。
func (b *OrderBuilder) PayerSub(openid string) *OrderBuilder {
	b.req.Payer = &Payer{SubOpenid: openid}
	return b
}

// Notify 通知地址，不允许带参数。
func (b *OrderBuilder) Notify(url string) *OrderBuilder {
	if !strings.HasPrefix(url, "https://") || strings.Contains(url, "?") {
		b.errs = append(b.errs, fmt.Errorf("通知地址不合法: %s", url))
	}
	b.req.NotifyURL = url
	return b
}

// ExpireAfter 支付截止时间。
func (b *OrderBuilder) ExpireAfter(now time.Time, d time.Duration) *OrderBuilder {
	b.req.TimeExpire = now.Add(d).Format(time.RFC3339)
	return b
}

// ProfitSharing 标记分账。
func (b *OrderBuilder) ProfitSharing(on bool) *OrderBuilder {
	b.req.SettleInfo = &SettleInfo{ProfitSharing: on}
	return b
}

// NoCredit 学费不允许信用卡。
func (b *OrderBuilder) NoCredit() *OrderBuilder {
	b.req.LimitPay = append(b.req.LimitPay, "no_credit")
	return b
}

// Campus 校区信息。
func (b *OrderBuilder) Campus(ip, id, name string) *OrderBuilder {
	b.req.SceneInfo = &SceneInfo{PayerClientIP: ip, StoreInfo: &StoreInfo{ID: id, Name: name}}
	return b
}

// Goods 添加单品。
func (b *OrderBuilder) Goods(id, name string, quantity int, unitPrice int64) *OrderBuilder {
	if b.req.Detail == nil {
		b.req.Detail = &Detail{}
	}
	b.req.Detail.GoodsDetail = append(b.req.Detail.GoodsDetail, GoodsDetail{
		MerchantGoodsID: id, GoodsName: name, Quantity: quantity, UnitPrice: unitPrice,
	})
	return b
}

// Fapiao 开放发票入口。
func (b *OrderBuilder) Fapiao() *OrderBuilder {
	b.req.SupportFapiao = true
	return b
}

// Build 校验并返回请求。
func (b *OrderBuilder) Build() (*PartnerOrderRequest, error) {
	if b.req.Amount == nil {
		b.errs = append(b.errs, errors.New("未设置金额"))
	}
	if b.req.NotifyURL == "" {
		b.errs = append(b.errs, errors.New("未设置通知地址"))
	}
	if err := errors.Join(b.errs...); err != nil {
		return nil, fmt.Errorf("构造订单失败: %w", err)
	}
	req := b.req
	return &req, nil
}
