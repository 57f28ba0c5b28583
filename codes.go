package wxpay

import (
	"errors"
	"net/http"
	"slices"
)

//go:generate go test -run ^TestErrorsPage$ . -update

// Code is an error code of the platform, in upper snake case: together with the status the only part of a refusal to
// branch on. The same code comes with different statuses in different products, and the list is never complete.
type Code string

// Codes that the documentation names for several products. What to do about each is told by [Classes] and docs/errors.md,
// and the platform's page of the operation.
const (
	CodeSystemError            Code = "SYSTEM_ERROR"
	CodeServiceUnavailable     Code = "SERVICE_UNAVAILABLE"
	CodeFrequencyLimited       Code = "FREQUENCY_LIMITED"
	CodeRateLimitExceeded      Code = "RATELIMIT_EXCEEDED"
	CodeRateLimitExceed        Code = "RATELIMIT_EXCEED"
	CodeRateLimited            Code = "RATE_LIMITED"
	CodeFrequencyLimitExceed   Code = "FREQUENCY_LIMIT_EXCEED"
	CodeFreqencyLimit          Code = "FREQENCY_LIMIT" // spelt so
	CodeParamError             Code = "PARAM_ERROR"    // see APIError.Detail
	CodeInvalidRequest         Code = "INVALID_REQUEST"
	CodeSignError              Code = "SIGN_ERROR" // see APIError.Hint
	CodeNoAuth                 Code = "NO_AUTH"
	CodeAppIDMchIDNotMatch     Code = "APPID_MCHID_NOT_MATCH"
	CodeMchNotExists           Code = "MCH_NOT_EXISTS"
	CodeAccountError           Code = "ACCOUNT_ERROR"
	CodeAccountErrorOld        Code = "ACCOUNTERROR"
	CodeOpenIDMismatch         Code = "OPENID_MISMATCH"
	CodeRuleLimit              Code = "RULE_LIMIT"
	CodeRuleLimitOld           Code = "RULELIMIT"
	CodeTradeError             Code = "TRADE_ERROR"
	CodeOutTradeNoUsed         Code = "OUT_TRADE_NO_USED"
	CodeOrderPaid              Code = "ORDER_PAID"
	CodeOrderClosed            Code = "ORDER_CLOSED"
	CodeOrderNotExist          Code = "ORDER_NOT_EXIST"
	CodeOrderNotExistOld       Code = "ORDERNOTEXIST"
	CodeResourceNotExists      Code = "RESOURCE_NOT_EXISTS"
	CodeNotFound               Code = "NOT_FOUND"
	CodeNotEnough              Code = "NOT_ENOUGH"
	CodeUserAccountAbnormal    Code = "USER_ACCOUNT_ABNORMAL"
	CodeTradeOverdue           Code = "TRADE_OVERDUE"
	CodeRefundFeeMismatch      Code = "REFUND_FEE_MISMATCH"
	CodeAlreadyExists          Code = "ALREADY_EXISTS"
	CodeResourceAlreadyExist   Code = "RESOURCE_ALREADY_EXISTS"
	CodeProcessing             Code = "PROCESSING"
	CodeStatementCreating      Code = "STATEMENT_CREATING"
	CodeNoStatementExist       Code = "NO_STATEMENT_EXIST"
	CodeRequestBlocked         Code = "REQUEST_BLOCKED"
	CodeApplymentNotExist      Code = "APPLYMENT_NOT_EXIST"
	CodeApplymentNotExistOther Code = "APPLYMENT_NOTEXIST"
	CodeUserPaying             Code = "USERPAYING"
	CodeBankError              Code = "BANK_ERROR"
	CodeBankErrorOld           Code = "BANKERROR"
	CodeInvalidTransactionID   Code = "INVALID_TRANSACTIONID"
	CodeNoAuthOld              Code = "NOAUTH"
	CodeNotEnoughOld           Code = "NOTENOUGH"
	CodeSystemErrorOld         Code = "SYSTEMERROR"
)

// Class is what to do about a refusal.
type Class string

// Classes of refusals.
const (
	ClassSame  Class = "same"  // send again: same number, same parameters
	ClassWait  Class = "wait"  // the same after a pause
	ClassQuery Class = "query" // ask for the state first; repeat only what does not exist; never change the number before
	ClassFix   Class = "fix"   // never repeat unchanged
	ClassDone  Class = "done"  // the wanted state already holds
)

// CodeClass is what is known of a code. Class holds for operations that move no money, Money for those that do.
type CodeClass struct {
	Code     Code
	Statuses []int // that it was documented or seen with; empty where none is documented
	Meaning  string
	Class    Class
	Money    Class
	// Merchant says that the refusal concerns the merchant rather than the call: every other call fails alike.
	Merchant bool
	// Exists says that the number is taken. After a doubt about this very call that is most likely its own doing.
	Exists bool
	// Note narrows the class where the code alone does not decide.
	Note string
}

// Classes returns what is known of the codes, in the order in which docs/errors.md lists them. The list is never complete;
// [APIError.Class] answers for codes that are not in it, too.
func Classes() []CodeClass { return slices.Clone(classes) }

var classes = []CodeClass{
	{Code: CodeSystemError, Statuses: []int{500}, Meaning: "trouble at the platform, result unknown", Class: ClassSame, Money: ClassQuery},
	{Code: CodeServiceUnavailable, Statuses: []int{502, 503}, Meaning: "temporarily out of service, result unknown", Class: ClassWait, Money: ClassQuery},
	{Code: CodeFrequencyLimited, Statuses: []int{429}, Meaning: "too many calls", Class: ClassWait, Money: ClassQuery},
	{Code: CodeRateLimitExceeded, Statuses: []int{429}, Meaning: "too many calls", Class: ClassWait, Money: ClassQuery, Note: "status page and some products"},
	{Code: CodeRateLimitExceed, Statuses: []int{429}, Meaning: "too many calls", Class: ClassWait, Money: ClassQuery, Note: "profit sharing"},
	{Code: CodeRateLimited, Statuses: []int{429}, Meaning: "too many calls", Class: ClassWait, Money: ClassQuery},
	{Code: CodeFrequencyLimitExceed, Statuses: []int{429}, Meaning: "too many calls", Class: ClassWait, Money: ClassQuery},
	{Code: CodeFreqencyLimit, Statuses: []int{429}, Meaning: "too many calls", Class: ClassWait, Money: ClassQuery, Note: "spelt so"},
	{Code: CodeParamError, Statuses: []int{400}, Meaning: "a parameter is wrong", Class: ClassFix, Money: ClassFix},
	{Code: CodeInvalidRequest, Statuses: []int{400}, Meaning: "against business rules", Class: ClassFix, Money: ClassFix, Note: "refunds and transfers: also a number used with other parameters; profit-sharing bills: also still being made"},
	{Code: CodeSignError, Statuses: []int{401}, Meaning: "the signature, the serial or the clock is wrong", Class: ClassFix, Money: ClassFix, Merchant: true},
	{Code: CodeNoAuth, Statuses: []int{403}, Meaning: "product not enabled, or not yours", Class: ClassFix, Money: ClassFix, Merchant: true},
	{Code: CodeAppIDMchIDNotMatch, Statuses: []int{400}, Meaning: "the appid is not bound to the merchant", Class: ClassFix, Money: ClassFix},
	{Code: CodeMchNotExists, Statuses: []int{400, 404}, Meaning: "the merchant is not known", Class: ClassFix, Money: ClassFix, Merchant: true},
	{Code: CodeAccountError, Statuses: []int{403}, Meaning: "the account's state forbids it", Class: ClassFix, Money: ClassFix, Note: "older lists"},
	{Code: CodeAccountErrorOld, Statuses: []int{403}, Meaning: "the account's state forbids it", Class: ClassFix, Money: ClassFix, Note: "older spelling"},
	{Code: CodeOpenIDMismatch, Statuses: []int{500}, Meaning: "the openid belongs to another appid", Class: ClassFix, Money: ClassFix, Note: "older lists"},
	{Code: CodeRuleLimit, Statuses: []int{403}, Meaning: "a business rule or a risk limit", Class: ClassFix, Money: ClassFix, Note: "where the message speaks of the number of requests: wait"},
	{Code: CodeRuleLimitOld, Statuses: []int{403}, Meaning: "a business rule or a risk limit", Class: ClassFix, Money: ClassFix, Note: "other spelling"},
	{Code: CodeTradeError, Statuses: []int{403}, Meaning: "the transaction was refused", Class: ClassFix, Money: ClassFix, Note: "another try by the user is another decision"},
	{Code: CodeOutTradeNoUsed, Statuses: []int{403}, Meaning: "the number is used with other parameters or for another product", Class: ClassQuery, Money: ClassQuery},
	{Code: CodeOrderPaid, Statuses: []int{400}, Meaning: "the order is paid", Class: ClassQuery, Money: ClassQuery, Note: "on closing: treat it as paid, never as closed"},
	{Code: CodeOrderClosed, Statuses: []int{400}, Meaning: "the order is closed", Class: ClassDone, Money: ClassFix, Note: "on closing: done; on paying: a new number"},
	{Code: CodeOrderNotExist, Statuses: []int{404}, Meaning: "there is no such order", Class: ClassFix, Money: ClassFix, Note: "as the answer of a query after a doubt: send the same again, a minute after the last attempt"},
	{Code: CodeOrderNotExistOld, Statuses: []int{404}, Meaning: "there is no such order", Class: ClassFix, Money: ClassFix, Note: "older spelling"},
	{Code: CodeResourceNotExists, Statuses: []int{404}, Meaning: "there is no such thing", Class: ClassFix, Money: ClassFix, Note: "as the answer of a query after a doubt: send the same again, a minute after the last attempt"},
	{Code: CodeNotFound, Statuses: []int{404}, Meaning: "there is no such thing", Class: ClassFix, Money: ClassFix, Note: "as above; transfers and others"},
	{Code: CodeNotEnough, Statuses: []int{403}, Meaning: "the balance is too low", Class: ClassFix, Money: ClassFix, Note: "recharge, then the same number; profit sharing: more than is left"},
	{Code: CodeUserAccountAbnormal, Statuses: []int{403}, Meaning: "the payer's account is closed or broken", Class: ClassFix, Money: ClassFix, Note: "refund by another route"},
	{Code: CodeTradeOverdue, Meaning: "the order is too old to be refunded", Class: ClassFix, Money: ClassFix},
	{Code: CodeRefundFeeMismatch, Meaning: "the amount differs from that of the first try", Class: ClassFix, Money: ClassFix},
	{Code: CodeAlreadyExists, Statuses: []int{400, 409}, Meaning: "the number is used", Class: ClassQuery, Money: ClassQuery, Exists: true},
	{Code: CodeResourceAlreadyExist, Statuses: []int{400, 409}, Meaning: "the number is used", Class: ClassQuery, Money: ClassQuery, Exists: true},
	{Code: CodeProcessing, Meaning: "still at work", Class: ClassQuery, Money: ClassQuery, Note: "after a pause"},
	{Code: CodeStatementCreating, Statuses: []int{400}, Meaning: "the bill is not made yet", Class: ClassWait, Money: ClassWait, Note: "until 10:00, then every half hour"},
	{Code: CodeNoStatementExist, Statuses: []int{400}, Meaning: "there is no bill for that day", Class: ClassWait, Money: ClassWait, Note: "after 10:00 of the next day (Beijing time): done, nothing happened that day"},
	{Code: CodeRequestBlocked, Statuses: []int{403}, Meaning: "refused for this merchant: product not enabled, or risk control", Class: ClassFix, Money: ClassFix, Merchant: true},
	{Code: CodeApplymentNotExist, Statuses: []int{400, 404}, Meaning: "there is no such application", Class: ClassFix, Money: ClassFix},
	{Code: CodeApplymentNotExistOther, Statuses: []int{400, 404}, Meaning: "there is no such application", Class: ClassFix, Money: ClassFix, Note: "other spelling"},
	{Code: CodeUserPaying, Statuses: []int{202}, Meaning: "payment by code: the user is entering the password", Class: ClassQuery, Money: ClassQuery, Note: "after a pause; under 202 it is no success"},
	{Code: CodeBankError, Statuses: []int{500}, Meaning: "payment by code: trouble at the bank, result unknown", Class: ClassQuery, Money: ClassQuery},
	{Code: CodeBankErrorOld, Statuses: []int{500}, Meaning: "payment by code: trouble at the bank, result unknown", Class: ClassQuery, Money: ClassQuery, Note: "older spelling"},
	{Code: CodeInvalidTransactionID, Statuses: []int{500}, Meaning: "the transaction_id is not valid", Class: ClassFix, Money: ClassQuery, Note: "older lists"},
	{Code: CodeNoAuthOld, Statuses: []int{403}, Meaning: "product not enabled, or not yours", Class: ClassFix, Money: ClassFix, Merchant: true, Note: "older spelling"},
	{Code: CodeNotEnoughOld, Statuses: []int{403}, Meaning: "the balance is too low", Class: ClassFix, Money: ClassFix, Note: "older spelling"},
	{Code: CodeSystemErrorOld, Statuses: []int{500}, Meaning: "trouble at the platform, result unknown", Class: ClassSame, Money: ClassQuery, Note: "older spelling"},
}

var classOf = func() map[Code]*CodeClass {
	m := make(map[Code]*CodeClass, len(classes))
	for i := range classes {
		m[classes[i].Code] = &classes[i]
	}
	return m
}()

// classify answers for every refusal: by its code, and by its status where the code is not known or missing.
func classify(status int, code Code) CodeClass {
	if c := classOf[code]; c != nil {
		return *c
	}
	c := CodeClass{Code: code, Class: ClassFix, Money: ClassFix}
	switch {
	case status == http.StatusTooManyRequests:
		c.Class, c.Money = ClassWait, ClassQuery
	case status >= 500:
		c.Class, c.Money = ClassQuery, ClassQuery
	case status == http.StatusUnauthorized:
		c.Merchant = true
	}
	return c
}

// passing reports whether the same request may fare better in a moment. What may be repeated at all is not its question.
func passing(status int, code string) bool {
	c := classify(status, Code(code))
	return status == http.StatusTooManyRequests || status >= 500 || c.Class == ClassSame || slices.Contains(c.Statuses, http.StatusTooManyRequests)
}

// passes is passing of a refusal.
func passes(e *APIError) bool { return passing(e.Status, string(e.Code)) }

// Class tells what to do about the refusal, for the operation that was refused.
func (e *APIError) Class() Class {
	c := classify(e.Status, e.Code)
	if e.money {
		return c.Money
	}
	return c.Class
}

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
