// Package bshare 分账中心：学校、诊所、代理商、平台之间的分账。
package bshare

// 接收方类型。
const (
	ReceiverTypeMerchant          = "MERCHANT_ID"
	ReceiverTypePersonal          = "PERSONAL_OPENID"
	ReceiverTypePersonalSub       = "PERSONAL_SUB_OPENID"
	RelationServiceProvider       = "SERVICE_PROVIDER"
	RelationStaff                 = "STAFF"
	RelationPartner               = "PARTNER"
	RelationHeadquarter           = "HEADQUARTER"
	RelationDistributor           = "DISTRIBUTOR"
	RelationCustom                = "CUSTOM"
	RatioBase               int64 = 10000 // 万分比
	MaxReceivers                  = 50
)

// OrderState 分账单状态。
type OrderState string

const (
	OrderStateProcessing OrderState = "PROCESSING"
	OrderStateFinished   OrderState = "FINISHED"
)

// ReceiverResult 明细结果。
type ReceiverResult string

const (
	ReceiverResultPending ReceiverResult = "PENDING"
	ReceiverResultSuccess ReceiverResult = "SUCCESS"
	ReceiverResultClosed  ReceiverResult = "CLOSED"
)

// failReasonText 失败原因的中文。
var failReasonText = map[string]string{
	"ACCOUNT_ABNORMAL":                "分账接收账户异常",
	"NO_RELATION":                     "分账关系已解除",
	"RECEIVER_HIGH_RISK":              "高风险接收方",
	"RECEIVER_REAL_NAME_NOT_VERIFIED": "接收方未实名",
	"NO_AUTH":                         "分账权限已解除",
}

// FailReasonText 翻译失败原因。
func FailReasonText(code string) string {
	if text, ok := failReasonText[code]; ok {
		return text
	}
	return "未知原因:" + code
}
