// Package bfapiao 电子发票服务（区块链电子发票，服务商模式）。
package bfapiao

import (
	"errors"
	"fmt"
)

// 接口路径。
const (
	apiApply      = "v3/new-tax-control-fapiao/fapiao-applications"
	apiQuery      = "v3/new-tax-control-fapiao/fapiao-applications/{fapiao_apply_id}"
	apiReverse    = "v3/new-tax-control-fapiao/fapiao-applications/{fapiao_apply_id}/reverse"
	apiFiles      = "v3/new-tax-control-fapiao/fapiao-applications/{fapiao_apply_id}/fapiao-files"
	apiUserTitle  = "v3/new-tax-control-fapiao/user-title"
	apiTitleURL   = "v3/new-tax-control-fapiao/user-title/title-url"
	apiBaseInfo   = "v3/new-tax-control-fapiao/merchant/base-information"
	apiCheck      = "v3/new-tax-control-fapiao/merchant/{sub_mchid}/check-status"
	apiDevConfig  = "v3/new-tax-control-fapiao/merchant/development-config"
	apiTaxCodes   = "v3/new-tax-control-fapiao/merchant/tax-codes"
	sceneWithPay  = "WITH_WECHATPAY"
	sceneOffline  = "WITHOUT_WECHATPAY"
	buyerPersonal = "INDIVIDUAL"
	buyerCompany  = "ORGANIZATION"
	quantityUnit  = 100000000 // 数量精确到 8 位小数
)

// ReverseReason 冲红原因。
type ReverseReason string

const (
	ReverseIssueError  ReverseReason = "ISSUE_ERROR"
	ReverseSalesReturn ReverseReason = "SALES_RETURN"
	ReverseSuspension  ReverseReason = "SERVICE_SUSPENTION" // 官方拼写
	ReverseDiscount    ReverseReason = "SALES_DISCOUNT"
)

// FapiaoStatus 发票状态。
type FapiaoStatus string

const (
	StatusIssueAccepted   FapiaoStatus = "ISSUE_ACCEPTED"
	StatusIssued          FapiaoStatus = "ISSUED"
	StatusReverseAccepted FapiaoStatus = "REVERSE_ACCEPTED"
	StatusReversed        FapiaoStatus = "REVERSED"
)

// Buyer 购买方。
type Buyer struct {
	Type        string `json:"type"`
	Name        string `json:"name"`
	TaxpayerID  string `json:"taxpayer_id,omitempty"`
	Address     string `json:"address,omitempty"`
	Telephone   string `json:"telephone,omitempty"`
	BankName    string `json:"bank_name,omitempty"`
	BankAccount string `json:"bank_account,omitempty"`
	Phone       string `json:"phone,omitempty"` // 敏感字段，自动加解密
	Email       string `json:"email,omitempty"` // 敏感字段，自动加解密
}

// Item 发票行。
type Item struct {
	TaxCode       string `json:"tax_code"`
	GoodsCategory string `json:"goods_category,omitempty"`
	GoodsName     string `json:"goods_name,omitempty"`
	Specification string `json:"specification,omitempty"`
	Unit          string `json:"unit,omitempty"`
	Quantity      int64  `json:"quantity"`
	TotalAmount   int64  `json:"total_amount"`
	TaxRate       int64  `json:"tax_rate"`
	TaxPreferMark string `json:"tax_prefer_mark,omitempty"`
	Discount      bool   `json:"discount"`
}

// Fapiao 一张发票。
type Fapiao struct {
	FapiaoID    string `json:"fapiao_id"`
	TotalAmount int64  `json:"total_amount"`
	NeedList    bool   `json:"need_list"`
	Remark      string `json:"remark,omitempty"`
	Items       []Item `json:"items,omitempty"`
}

// Application 开票申请。
type Application struct {
	SubMchid          string   `json:"sub_mchid"`
	Scene             string   `json:"scene"`
	FapiaoApplyID     string   `json:"fapiao_apply_id"`
	BuyerInformation  Buyer    `json:"buyer_information"`
	FapiaoInformation []Fapiao `json:"fapiao_information"`
}

// Info 发票查询结果。
type Info struct {
	FapiaoID    string       `json:"fapiao_id"`
	Status      FapiaoStatus `json:"status"`
	TotalAmount int64        `json:"total_amount"`
	TaxAmount   int64        `json:"tax_amount"`
	Amount      int64        `json:"amount"`
	BlueFapiao  *Number      `json:"blue_fapiao"`
	RedFapiao   *Number      `json:"red_fapiao"`
}

// Number 发票号码。
type Number struct {
	FapiaoCode   string `json:"fapiao_code"`
	FapiaoNumber string `json:"fapiao_number"`
	CheckCode    string `json:"check_code"`
	FapiaoTime   string `json:"fapiao_time"`
}

// ApplicationBuilder 申请构造器。
type ApplicationBuilder struct {
	app     Application
	current Fapiao
	err     error
}

// NewApplication 用支付订单号开票。
func NewApplication(subMchid, transactionID string) *ApplicationBuilder {
	return &ApplicationBuilder{app: Application{SubMchid: subMchid, Scene: sceneWithPay, FapiaoApplyID: transactionID}}
}

// Buyer 购买方。
func (b *ApplicationBuilder) Buyer(buyer Buyer) *ApplicationBuilder {
	if buyer.Type == buyerCompany && buyer.TaxpayerID == "" {
		b.err = errors.Join(b.err, errors.New("企业抬头必须有税号"))
	}
	b.app.BuyerInformation = buyer
	return b
}

// Line 添加发票行，count 为件数。
func (b *ApplicationBuilder) Line(taxCode, name string, count, fen, rate int64) *ApplicationBuilder {
	b.current.Items = append(b.current.Items, Item{
		TaxCode: taxCode, GoodsName: name, Quantity: count * quantityUnit, TotalAmount: fen, TaxRate: rate,
	})
	b.current.TotalAmount += fen
	return b
}

// Discount 添加折扣行，折扣金额为负。
func (b *ApplicationBuilder) Discount(taxCode, name string, fen, rate int64) *ApplicationBuilder {
	b.current.Items = append(b.current.Items, Item{
		TaxCode: taxCode, GoodsName: name, Quantity: -quantityUnit, TotalAmount: -fen, TaxRate: rate, Discount: true,
	})
	b.current.TotalAmount -= fen
	return b
}

// End 结束一张发票。
func (b *ApplicationBuilder) End(fapiaoID, remark string) *ApplicationBuilder {
	if len(b.current.Items) == 0 {
		b.err = errors.Join(b.err, fmt.Errorf("发票 %s 没有明细", fapiaoID))
	}
	b.current.FapiaoID, b.current.Remark = fapiaoID, remark
	b.current.NeedList = len(b.current.Items) > 8
	b.app.FapiaoInformation = append(b.app.FapiaoInformation, b.current)
	b.current = Fapiao{}
	return b
}

// Build 返回申请。
func (b *ApplicationBuilder) Build() (*Application, error) {
	if b.err != nil {
		return nil, b.err
	}
	if len(b.app.FapiaoInformation) == 0 {
		return nil, errors.New("没有发票")
	}
	app := b.app
	return &app, nil
}
