// Package bschool 学校 SaaS 的收费服务（服务商模式）。
package bschool

import "time"

// ---------- 接口路径 ----------
const (
	PathApplymentSubmit     = "v3/applyment4sub/applyment/"
	PathApplymentQueryByBiz = "v3/applyment4sub/applyment/business_code/{business_code}"
	PathApplymentQueryByID  = "v3/applyment4sub/applyment/applyment_id/{applyment_id}"
	PathMediaUpload         = "v3/merchant/media/upload"
	PathModifySettlement    = "v3/apply4sub/sub_merchants/{sub_mchid}/modify-settlement"
	PathQuerySettlement     = "v3/apply4sub/sub_merchants/{sub_mchid}/settlement"
	PathPartnerJSAPI        = "v3/pay/partner/transactions/jsapi"
	PathPartnerNative       = "v3/pay/partner/transactions/native"
	PathPartnerOrder        = "v3/pay/partner/transactions/out-trade-no/{out_trade_no}"
	PathPartnerOrderClose   = "v3/pay/partner/transactions/out-trade-no/{out_trade_no}/close"
	PathRefund              = "v3/refund/domestic/refunds"
	PathRefundQuery         = "v3/refund/domestic/refunds/{out_refund_no}"
)

// ---------- 主体类型 ----------
const (
	SubjectTypeEnterprise   = "SUBJECT_TYPE_ENTERPRISE"
	SubjectTypeInstitutions = "SUBJECT_TYPE_INSTITUTIONS"
	SubjectTypeOthers       = "SUBJECT_TYPE_OTHERS"
)

// ---------- 证件类型 ----------
const (
	IDDocTypeIDCard = "IDENTIFICATION_TYPE_IDCARD"
)

// ---------- 超级管理员类型 ----------
const (
	ContactTypeLegal = "LEGAL"
	ContactTypeSuper = "SUPER"
)

// ---------- 银行账户类型 ----------
const (
	BankAccountTypeCorporate = "BANK_ACCOUNT_TYPE_CORPORATE"
	BankAccountTypePersonal  = "BANK_ACCOUNT_TYPE_PERSONAL"
)

// ---------- 经营场景 ----------
const (
	SalesScenesStore       = "SALES_SCENES_STORE"
	SalesScenesMp          = "SALES_SCENES_MP"
	SalesScenesMiniProgram = "SALES_SCENES_MINI_PROGRAM"
)

// ApplymentState 申请单状态枚举。
type ApplymentState string

const (
	ApplymentStateEditing    ApplymentState = "APPLYMENT_STATE_EDITTING" // 官方就是这么拼的
	ApplymentStateAuditing   ApplymentState = "APPLYMENT_STATE_AUDITING"
	ApplymentStateRejected   ApplymentState = "APPLYMENT_STATE_REJECTED"
	ApplymentStateToConfirm  ApplymentState = "APPLYMENT_STATE_TO_BE_CONFIRMED"
	ApplymentStateToBeSigned ApplymentState = "APPLYMENT_STATE_TO_BE_SIGNED"
	ApplymentStateSigning    ApplymentState = "APPLYMENT_STATE_SIGNING"
	ApplymentStateFinished   ApplymentState = "APPLYMENT_STATE_FINISHED"
	ApplymentStateCanceled   ApplymentState = "APPLYMENT_STATE_CANCELED"
)

var applymentStateText = map[ApplymentState]string{
	ApplymentStateEditing:    "编辑中",
	ApplymentStateAuditing:   "审核中",
	ApplymentStateRejected:   "已驳回",
	ApplymentStateToConfirm:  "待账户验证",
	ApplymentStateToBeSigned: "待签约",
	ApplymentStateSigning:    "开通权限中",
	ApplymentStateFinished:   "已完成",
	ApplymentStateCanceled:   "已作废",
}

// Text 返回给运营后台看的中文。
func (s ApplymentState) Text() string {
	if t, ok := applymentStateText[s]; ok {
		return t
	}
	return string(s)
}

// IsEnd 是否终态。
func (s ApplymentState) IsEnd() bool {
	switch s {
	case ApplymentStateFinished, ApplymentStateCanceled, ApplymentStateRejected:
		return true
	default:
		return false
	}
}

// TradeState 交易状态枚举。
type TradeState string

const (
	TradeStateSuccess TradeState = "SUCCESS"
	TradeStateRefund  TradeState = "REFUND"
	TradeStateNotPay  TradeState = "NOTPAY"
	TradeStateClosed  TradeState = "CLOSED"
	TradeStatePayErr  TradeState = "PAYERROR"
	TradeStateRevoked TradeState = "REVOKED"
)

// RefundStatus 退款状态枚举。
type RefundStatus string

const (
	RefundStatusSuccess    RefundStatus = "SUCCESS"
	RefundStatusClosed     RefundStatus = "CLOSED"
	RefundStatusProcessing RefundStatus = "PROCESSING"
	RefundStatusAbnormal   RefundStatus = "ABNORMAL"
)

// FeeKind 收费项目。
type FeeKind int

const (
	FeeKindTuition FeeKind = iota + 1 // 学费
	FeeKindMeal                       // 餐费
	FeeKindBus                        // 校车
	FeeKindClub                       // 社团
)

var feeKindNames = [...]string{"", "学费", "餐费", "校车费", "社团费"}

func (k FeeKind) String() string {
	if k <= 0 || int(k) >= len(feeKindNames) {
		return "其他"
	}
	return feeKindNames[k]
}

// ---------- 其它 ----------
const (
	CurrencyCNY          = "CNY"
	OrderExpire          = 2 * time.Hour
	MaxDescriptionRunes  = 42
	OrderNoPrefix        = "SCH"
	RefundNoSuffixFormat = "%sR%02d"
)
