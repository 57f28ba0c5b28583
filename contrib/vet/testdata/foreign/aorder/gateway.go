package aorder

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/wxcode"
)

// PayGateway 屏蔽具体支付渠道，service 只认识它。
type PayGateway interface {
	// Prepay 预下单，返回前端拉起支付所需的参数（可直接序列化成 JSON）。
	Prepay(ctx context.Context, o *Order, opt PrepayOption) (any, error)
	// Query 查单。
	Query(ctx context.Context, no string) (*Trade, error)
	// Close 关单；订单已支付时返回 ErrAlreadyPaid。
	Close(ctx context.Context, no string) error
}

// PrepayOption 与终端有关的参数。
type PrepayOption struct {
	ClientIP    string
	RedirectURL string // H5 支付完成后的跳转地址
	Platform    string // iOS / Android / Wap
}

// Trade 查单结果。
type Trade struct {
	No            string
	State         TradeState
	TransactionID string
	Total         int64
	PayerTotal    int64
	SuccessTime   time.Time
}

type TradeState string

const (
	TradeSuccess    TradeState = "SUCCESS"
	TradeRefund     TradeState = "REFUND"
	TradeNotPay     TradeState = "NOTPAY"
	TradeClosed     TradeState = "CLOSED"
	TradeRevoked    TradeState = "REVOKED"
	TradeUserPaying TradeState = "USERPAYING"
	TradePayError   TradeState = "PAYERROR"
)

var (
	ErrAlreadyPaid = errors.New("订单已支付，不能关闭")
	ErrTradeNone   = errors.New("微信侧没有这笔订单")
)

// 接口路径。
const (
	pathJSAPI = "v3/pay/transactions/jsapi"
	pathH5    = "v3/pay/transactions/h5"
	pathApp   = "v3/pay/transactions/app"
	pathTrade = "v3/pay/transactions/out-trade-no/{out_trade_no}"
)

// AppIDs 各端的 appid。
type AppIDs struct {
	Official string // 公众号
	Mini     string // 小程序
	App      string // 移动应用
}

type wechatGateway struct {
	client    *wxpay.Client
	appIDs    AppIDs
	notifyURL string
}

var _ PayGateway = (*wechatGateway)(nil)

// NewWechatGateway 构造微信支付网关。
func NewWechatGateway(client *wxpay.Client, appIDs AppIDs, notifyURL string) PayGateway {
	return &wechatGateway{client: client, appIDs: appIDs, notifyURL: notifyURL}
}

// 请求结构体，字段名与官方文档一致。
type (
	amountReq struct {
		Total    int64  `json:"total"`
		Currency string `json:"currency"`
	}
	payerReq struct {
		OpenID string `json:"openid"`
	}
	goodsReq struct {
		ID        string `json:"merchant_goods_id"`
		Name      string `json:"goods_name,omitempty"`
		Quantity  int64  `json:"quantity"`
		UnitPrice int64  `json:"unit_price"`
	}
	detailReq struct {
		CostPrice   int64      `json:"cost_price,omitempty"`
		GoodsDetail []goodsReq `json:"goods_detail,omitempty"`
	}
	h5InfoReq struct {
		Type string `json:"type"`
	}
	storeReq struct {
		ID   string `json:"id"`
		Name string `json:"name,omitempty"`
	}
	sceneReq struct {
		PayerClientIP string     `json:"payer_client_ip"`
		StoreInfo     *storeReq  `json:"store_info,omitempty"`
		H5Info        *h5InfoReq `json:"h5_info,omitempty"`
	}
	settleReq struct {
		ProfitSharing bool `json:"profit_sharing"`
	}
	prepayReq struct {
		AppID       string     `json:"appid"`
		MchID       string     `json:"mchid"`
		Description string     `json:"description"`
		OutTradeNo  string     `json:"out_trade_no"`
		TimeExpire  string     `json:"time_expire,omitempty"`
		Attach      string     `json:"attach,omitempty"`
		NotifyURL   string     `json:"notify_url"`
		Amount      amountReq  `json:"amount"`
		Payer       *payerReq  `json:"payer,omitempty"`
		Detail      *detailReq `json:"detail,omitempty"`
		SceneInfo   *sceneReq  `json:"scene_info,omitempty"`
		SettleInfo  *settleReq `json:"settle_info,omitempty"`
	}
)

func (g *wechatGateway) base(o *Order, appID string, opt PrepayOption) prepayReq {
	req := prepayReq{
		AppID:       appID,
		MchID:       g.client.MchID(),
		Description: o.Description(),
		OutTradeNo:  o.No,
		Attach:      o.StoreID,
		NotifyURL:   g.notifyURL,
		Amount:      amountReq{Total: o.Total, Currency: "CNY"},
		SettleInfo:  &settleReq{ProfitSharing: true}, // 平台抽佣走分账
	}
	if !o.ExpireAt.IsZero() {
		req.TimeExpire = o.ExpireAt.Format(time.RFC3339)
	}
	if opt.ClientIP != "" {
		req.SceneInfo = &sceneReq{PayerClientIP: opt.ClientIP, StoreInfo: &storeReq{ID: o.StoreID, Name: o.StoreName}}
	}
	detail := &detailReq{CostPrice: o.Total + o.Discount}
	for _, d := range o.Dishes {
		detail.GoodsDetail = append(detail.GoodsDetail, goodsReq{ID: d.SKU, Name: d.Name, Quantity: d.Quantity, UnitPrice: d.Price})
	}
	req.Detail = detail
	return req
}

func (g *wechatGateway) Prepay(ctx context.Context, o *Order, opt PrepayOption) (any, error) {
	switch o.Channel {
	case ChannelJSAPI:
		req := g.base(o, g.appIDs.Official, opt)
		req.Payer = &payerReq{OpenID: o.OpenID}
		prepayID, err := g.prepayID(ctx, pathJSAPI, req)
		if err != nil {
			return nil, err
		}
		return g.client.Invoke().JSAPI(ctx, req.AppID, prepayID)
	case ChannelMini:
		// 小程序与公众号共用 JSAPI 下单接口
		req := g.base(o, g.appIDs.Mini, opt)
		req.Payer = &payerReq{OpenID: o.OpenID}
		prepayID, err := g.prepayID(ctx, pathJSAPI, req)
		if err != nil {
			return nil, err
		}
		return g.client.Invoke().MiniProgram(ctx, req.AppID, prepayID)
	case ChannelApp:
		req := g.base(o, g.appIDs.App, opt)
		prepayID, err := g.prepayID(ctx, pathApp, req)
		if err != nil {
			return nil, err
		}
		return g.client.Invoke().App(ctx, req.AppID, prepayID)
	case ChannelH5:
		return g.h5(ctx, o, opt)
	}
	return nil, fmt.Errorf("%w: %s", ErrBadChannel, o.Channel)
}

func (g *wechatGateway) prepayID(ctx context.Context, path string, req prepayReq) (string, error) {
	res, err := g.client.Chain(path).Post(ctx, req)
	if err != nil {
		return "", fmt.Errorf("预下单 %s: %w", req.OutTradeNo, err)
	}
	return res.Text("prepay_id")
}

func (g *wechatGateway) h5(ctx context.Context, o *Order, opt PrepayOption) (any, error) {
	req := g.base(o, g.appIDs.Official, opt)
	kind := opt.Platform
	if kind == "" {
		kind = "Wap"
	}
	if req.SceneInfo == nil {
		return nil, errors.New("H5 支付必须有用户 IP")
	}
	req.SceneInfo.H5Info = &h5InfoReq{Type: kind}
	res, err := g.client.Chain(pathH5).Post(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("H5 下单 %s: %w", o.No, err)
	}
	h5URL, err := res.Text("h5_url")
	if err != nil {
		return nil, err
	}
	address, err := g.client.Invoke().H5(h5URL, opt.RedirectURL)
	if err != nil {
		return nil, err
	}
	return map[string]string{"mweb_url": address}, nil
}

func (g *wechatGateway) Query(ctx context.Context, no string) (*Trade, error) {
	res, err := g.client.Chain(pathTrade, no).Query("mchid", g.client.MchID()).Get(ctx)
	if err != nil {
		if wxpay.IsCode(err, wxcode.OrderNotExist) {
			return nil, ErrTradeNone
		}
		return nil, fmt.Errorf("查单 %s: %w", no, err)
	}
	t := &Trade{
		No:            no,
		State:         TradeState(res.Get("trade_state").String()),
		TransactionID: res.Get("transaction_id").String(),
	}
	if t.State != TradeSuccess && t.State != TradeRefund {
		return t, nil
	}
	if t.Total, err = res.Fen("amount.total"); err != nil {
		return nil, err
	}
	if res.Get("amount.payer_total").Exists() {
		if t.PayerTotal, err = res.Fen("amount.payer_total"); err != nil {
			return nil, err
		}
	}
	if t.SuccessTime, err = res.Time("success_time"); err != nil {
		return nil, err
	}
	return t, nil
}

func (g *wechatGateway) Close(ctx context.Context, no string) error {
	_, err := g.client.Chain(pathTrade, no).Chain("close").Post(ctx, wxpay.JSON{"mchid": g.client.MchID()})
	switch {
	case err == nil:
		return nil
	case wxpay.IsCode(err, wxcode.OrderPaid):
		return ErrAlreadyPaid
	case wxpay.IsCode(err, wxcode.OrderClosed, wxcode.OrderNotExist):
		return nil // 已关闭，或用户从未拉起过支付
	}
	return fmt.Errorf("关单 %s: %w", no, err)
}
