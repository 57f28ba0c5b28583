// Package wxbill has the columns of bills, for wxpay.Row.Get and wxpay.Row.Fen:
//
//	total, err := row.Fen(wxbill.Amount)
//
// The titles are those of the platform's trade bill
// (https://pay.weixin.qq.com/doc/v3/merchant/4012791866) and fund bill, checked in November 2026.
// Other bills have other columns: wxpay.Row.Columns lists those of a bill. A constant says nothing
// about a bill that lacks it; Fen returns an error then.
//
// Guide: docs/files.md.
package wxbill

// Columns of a trade bill (v3/bill/tradebill). A row is a payment or a refund. Amounts are in yuan.
const (
	Time          = "交易时间"
	AppID         = "公众账号ID"
	MchID         = "商户号"
	SubMchID      = "特约商户号"
	DeviceID      = "设备号"
	TransactionID = "微信订单号"
	OutTradeNo    = "商户订单号"
	OpenID        = "用户标识"
	TradeType     = "交易类型"
	TradeState    = "交易状态"
	BankType      = "付款银行"
	Currency      = "货币种类"
	Settlement    = "应结订单金额"
	Coupon        = "代金券金额"
	Goods         = "商品名称"
	Attach        = "商户数据包"
	Fee           = "手续费"
	FeeRate       = "费率"
	Amount        = "订单金额"
	FeeRateNote   = "费率备注"

	// Not in a bill of bill_type SUCCESS.
	RefundID        = "微信退款单号"
	OutRefundNo     = "商户退款单号"
	Refund          = "退款金额"
	RefundCoupon    = "充值券退款金额"
	RefundType      = "退款类型"
	RefundState     = "退款状态"
	RefundRequested = "申请退款金额"

	// Only in a bill of bill_type REFUND.
	RefundCreateTime  = "退款申请时间"
	RefundSuccessTime = "退款成功时间"
)

// Columns of a fund bill (v3/bill/fundflowbill). A row is a movement of the account. Amounts are in
// yuan.
const (
	FundTime          = "记账时间"
	FundTransactionID = "微信支付业务单号"
	FundFlowID        = "资金流水单号"
	FundBusiness      = "业务名称"
	FundBusinessType  = "业务类型"
	FundDirection     = "收支类型" // 收入 or 支出
	FundAmount        = "收支金额(元)"
	FundBalance       = "账户结余(元)"
	FundApplicant     = "资金变更提交申请人"
	FundNote          = "备注"
	FundVoucher       = "业务凭证号"
)
