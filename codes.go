package wxpay

import (
	"errors"
	"slices"
)

// Code is an error code of the platform, in upper snake case: together with the status the only part of a refusal to
// branch on. The same code comes with different statuses in different products, and the list is never complete.
type Code string

// Codes that the documentation names for several products. What to do about each is told by [APIError] and the
// platform's page of the operation.
const (
	CodeSystemError          Code = "SYSTEM_ERROR"        // 500: trouble at the platform, outcome unknown
	CodeServiceUnavailable   Code = "SERVICE_UNAVAILABLE" // 502, 503: outcome unknown
	CodeFrequencyLimited     Code = "FREQUENCY_LIMITED"   // 429
	CodeRateLimitExceeded    Code = "RATELIMIT_EXCEEDED"  // 429, other spelling
	CodeParamError           Code = "PARAM_ERROR"         // 400: a parameter is wrong; see APIError.Detail
	CodeInvalidRequest       Code = "INVALID_REQUEST"     // 400: against business rules
	CodeSignError            Code = "SIGN_ERROR"          // 401: the signature was not accepted; see APIError.Hint
	CodeNoAuth               Code = "NO_AUTH"             // 403: product not enabled, or not yours
	CodeAppIDMchIDNotMatch   Code = "APPID_MCHID_NOT_MATCH"
	CodeMchNotExists         Code = "MCH_NOT_EXISTS"
	CodeAccountError         Code = "ACCOUNT_ERROR"
	CodeOpenIDMismatch       Code = "OPENID_MISMATCH"
	CodeRuleLimit            Code = "RULE_LIMIT"  // 403: business rule or risk limit
	CodeTradeError           Code = "TRADE_ERROR" // 403: transaction refused
	CodeOutTradeNoUsed       Code = "OUT_TRADE_NO_USED"
	CodeOrderPaid            Code = "ORDER_PAID"   // on closing: the order is paid, not closed
	CodeOrderClosed          Code = "ORDER_CLOSED" // 400: closed already
	CodeOrderNotExist        Code = "ORDER_NOT_EXIST"
	CodeResourceNotExists    Code = "RESOURCE_NOT_EXISTS"
	CodeNotFound             Code = "NOT_FOUND"
	CodeNotEnough            Code = "NOT_ENOUGH" // 403: balance too low
	CodeUserAccountAbnormal  Code = "USER_ACCOUNT_ABNORMAL"
	CodeTradeOverdue         Code = "TRADE_OVERDUE"
	CodeRefundFeeMismatch    Code = "REFUND_FEE_MISMATCH"
	CodeAlreadyExists        Code = "ALREADY_EXISTS" // 400 or 409: the number is used
	CodeProcessing           Code = "PROCESSING"
	CodeStatementCreating    Code = "STATEMENT_CREATING" // 400: the bill is not made yet
	CodeNoStatementExist     Code = "NO_STATEMENT_EXIST"
	CodeRequestBlocked       Code = "REQUEST_BLOCKED"
	CodeApplymentNotExist    Code = "APPLYMENT_NOT_EXIST"
	CodeUserPaying           Code = "USERPAYING"
	CodeBankError            Code = "BANKERROR"
	CodeResourceAlreadyExist Code = "RESOURCE_ALREADY_EXISTS"
)

// IsCode reports whether err is a refusal of the platform with one of codes.
func IsCode(err error, codes ...Code) bool {
	var refusal *APIError
	return errors.As(err, &refusal) && slices.Contains(codes, refusal.Code)
}

// internalNumbers explains the decimal tail of a Request-ID, as far as it was seen. For diagnosis only.
var internalNumbers = map[string]string{
	"268435461": "a parameter is invalid",
	"268435464": "a value is out of range",
	"268443699": "the signature is wrong",
	"268443715": "the merchant is disabled",
	"268445527": "appid and mchid do not belong together",
	"268447840": "too many calls",
	"268447843": "the order belongs to another merchant",
	"268447914": "the order has expired",
	"268448010": "the merchant's collection is restricted",
	"268449538": "the order is paid already",
	"268449641": "the order cannot be closed, only reversed",
	"268498688": "the number was used with other parameters",
	"268498689": "the order is paid already",
	"268501013": "an openid is required",
	"268512771": "the order does not exist",
	"270924358": "a parameter is not known",
}
