// Package wxcode has the error codes of the platform and the reaction to each: send again, wait,
// query, fix. Compare with wxpay.IsCode, which also accepts the older spellings of a code:
//
//	if wxpay.IsCode(err, wxcode.OrderNotExist) {
//
// Guide: docs/errors.md lists these codes with the reaction to each.
package wxcode

import (
	"cmp"
	"net/http"
	"slices"
)

// Code is an error code of the platform, in upper snake case. Branch only on it and the status of
// an API error. The same code has different statuses in different products, and the list is never
// complete.
type Code string

// Codes of several products in the documentation. [All], docs/errors.md and the platform's page of
// the operation name the reaction to each.
const (
	SystemError          Code = "SYSTEM_ERROR"
	ServiceUnavailable   Code = "SERVICE_UNAVAILABLE"
	FrequencyLimited     Code = "FREQUENCY_LIMITED"
	ParamError           Code = "PARAM_ERROR" // see APIError.Detail
	InvalidRequest       Code = "INVALID_REQUEST"
	SignError            Code = "SIGN_ERROR" // see APIError.Hint
	NoAuth               Code = "NO_AUTH"
	AppIDMchIDNotMatch   Code = "APPID_MCHID_NOT_MATCH"
	MchNotExists         Code = "MCH_NOT_EXISTS"
	AccountError         Code = "ACCOUNT_ERROR"
	OpenIDMismatch       Code = "OPENID_MISMATCH"
	RuleLimit            Code = "RULE_LIMIT"
	TradeError           Code = "TRADE_ERROR"
	OutTradeNoUsed       Code = "OUT_TRADE_NO_USED"
	OrderPaid            Code = "ORDER_PAID"
	OrderClosed          Code = "ORDER_CLOSED"
	OrderNotExist        Code = "ORDER_NOT_EXIST"
	ResourceNotExists    Code = "RESOURCE_NOT_EXISTS"
	NotFound             Code = "NOT_FOUND"
	NotEnough            Code = "NOT_ENOUGH"
	UserAccountAbnormal  Code = "USER_ACCOUNT_ABNORMAL"
	TradeOverdue         Code = "TRADE_OVERDUE"
	RefundFeeMismatch    Code = "REFUND_FEE_MISMATCH"
	AlreadyExists        Code = "ALREADY_EXISTS"
	ResourceAlreadyExist Code = "RESOURCE_ALREADY_EXISTS"
	Processing           Code = "PROCESSING"
	StatementCreating    Code = "STATEMENT_CREATING"
	NoStatementExist     Code = "NO_STATEMENT_EXIST"
	RequestBlocked       Code = "REQUEST_BLOCKED"
	ApplymentNotExist    Code = "APPLYMENT_NOT_EXIST"
	UserPaying           Code = "USERPAYING"
	BankError            Code = "BANK_ERROR"
	InvalidTransactionID Code = "INVALID_TRANSACTIONID"
)

// Class is the reaction to an API error.
type Class string

// Classes of API errors.
const (
	ClassSame  Class = "same"  // send again: same number, same parameters
	ClassWait  Class = "wait"  // the same after a pause
	ClassQuery Class = "query" // ask for the state first; repeat only what does not exist; never change the number before
	ClassFix   Class = "fix"   // never repeat unchanged
	ClassDone  Class = "done"  // the wanted state already holds
)

// Info describes a code. Class applies to operations that move no money, Money to those that do.
type Info struct {
	Code     Code
	Spelling Code  // the code of which this is another spelling; empty for most
	Statuses []int // that it was documented or seen with; empty where none is documented
	Meaning  string
	Class    Class
	Money    Class
	// Merchant says that the error concerns the merchant rather than the call: every other call
	// fails alike.
	Merchant bool
	// Exists says that the number is taken. After an unknown outcome of this call, the call itself
	// has most likely taken it.
	Exists bool
	// Note narrows the class if the code alone does not decide.
	Note string
}

// All returns the known codes in the order of docs/errors.md. The list is never complete; [Of] also
// describes other codes.
func All() []Info { return slices.Clone(list) }

var list = []Info{
	{Code: SystemError, Statuses: []int{500}, Meaning: "trouble at the platform, result unknown", Class: ClassSame, Money: ClassQuery},
	{Code: ServiceUnavailable, Statuses: []int{502, 503}, Meaning: "temporarily out of service, result unknown", Class: ClassWait, Money: ClassQuery},
	{Code: FrequencyLimited, Statuses: []int{429}, Meaning: "too many calls", Class: ClassWait, Money: ClassQuery},
	{Code: "RATELIMIT_EXCEEDED", Spelling: FrequencyLimited, Statuses: []int{429}, Meaning: "too many calls",
		Class: ClassWait, Money: ClassQuery, Note: "in the platform's list of status codes, and for some products"},
	{Code: "RATELIMIT_EXCEED", Spelling: FrequencyLimited, Statuses: []int{429}, Meaning: "too many calls",
		Class: ClassWait, Money: ClassQuery, Note: "profit sharing"},
	{Code: "RATE_LIMITED", Spelling: FrequencyLimited, Statuses: []int{429}, Meaning: "too many calls", Class: ClassWait, Money: ClassQuery},
	{Code: "FREQUENCY_LIMIT_EXCEED", Spelling: FrequencyLimited, Statuses: []int{429}, Meaning: "too many calls", Class: ClassWait, Money: ClassQuery},
	{Code: "FREQENCY_LIMIT", Spelling: FrequencyLimited, Statuses: []int{429}, Meaning: "too many calls",
		Class: ClassWait, Money: ClassQuery, Note: "spelt so"},
	{Code: ParamError, Statuses: []int{400}, Meaning: "a parameter is wrong", Class: ClassFix, Money: ClassFix},
	{Code: InvalidRequest, Statuses: []int{400}, Meaning: "against business rules", Class: ClassFix, Money: ClassFix,
		Note: "refunds and transfers: also a number used with other parameters; profit-sharing bills: also still being made"},
	{Code: SignError, Statuses: []int{401}, Meaning: "the signature, the serial or the clock is wrong", Class: ClassFix, Money: ClassFix, Merchant: true},
	{Code: NoAuth, Statuses: []int{403}, Meaning: "product not enabled, or not yours", Class: ClassFix, Money: ClassFix, Merchant: true},
	{Code: AppIDMchIDNotMatch, Statuses: []int{400}, Meaning: "the appid is not bound to the merchant", Class: ClassFix, Money: ClassFix},
	{Code: MchNotExists, Statuses: []int{400, 404}, Meaning: "the merchant is not known", Class: ClassFix, Money: ClassFix, Merchant: true},
	{Code: AccountError, Statuses: []int{403}, Meaning: "the account's state forbids it", Class: ClassFix, Money: ClassFix, Note: "older lists"},
	{Code: "ACCOUNTERROR", Spelling: AccountError, Statuses: []int{403}, Meaning: "the account's state forbids it",
		Class: ClassFix, Money: ClassFix, Note: "older spelling"},
	{Code: OpenIDMismatch, Statuses: []int{500}, Meaning: "the openid belongs to another appid", Class: ClassFix, Money: ClassFix, Note: "older lists"},
	{Code: RuleLimit, Statuses: []int{403}, Meaning: "a business rule or a risk limit", Class: ClassFix,
		Money: ClassFix, Note: "where the message speaks of the number of requests: wait"},
	{Code: "RULELIMIT", Spelling: RuleLimit, Statuses: []int{403}, Meaning: "a business rule or a risk limit",
		Class: ClassFix, Money: ClassFix, Note: "other spelling"},
	{Code: TradeError, Statuses: []int{403}, Meaning: "the transaction was refused", Class: ClassFix, Money: ClassFix,
		Note: "another try by the user is another decision"},
	{Code: OutTradeNoUsed, Statuses: []int{403},
		Meaning: "the number is used with other parameters or for another product", Class: ClassQuery, Money: ClassQuery},
	{Code: OrderPaid, Statuses: []int{400}, Meaning: "the order is paid", Class: ClassQuery, Money: ClassQuery,
		Note: "on closing: treat it as paid, never as closed"},
	{Code: OrderClosed, Statuses: []int{400}, Meaning: "the order is closed", Class: ClassDone, Money: ClassFix,
		Note: "on closing: done; on paying: a new number"},
	{Code: OrderNotExist, Statuses: []int{404}, Meaning: "there is no such order", Class: ClassFix, Money: ClassFix,
		Note: "as the answer of a query after a doubt: send the same again, a minute after the last attempt"},
	{Code: "ORDERNOTEXIST", Spelling: OrderNotExist, Statuses: []int{404}, Meaning: "there is no such order",
		Class: ClassFix, Money: ClassFix, Note: "older spelling"},
	{Code: ResourceNotExists, Statuses: []int{404}, Meaning: "there is no such thing", Class: ClassFix,
		Money: ClassFix, Note: "as the answer of a query after a doubt: send the same again, a minute after the last attempt"},
	{Code: NotFound, Statuses: []int{404}, Meaning: "there is no such thing", Class: ClassFix, Money: ClassFix, Note: "as above; transfers and others"},
	{Code: NotEnough, Statuses: []int{403}, Meaning: "the balance is too low", Class: ClassFix, Money: ClassFix,
		Note: "recharge, then the same number; profit sharing: more than is left"},
	{Code: UserAccountAbnormal, Statuses: []int{403}, Meaning: "the payer's account is closed or broken",
		Class: ClassFix, Money: ClassFix, Note: "refund by another route"},
	{Code: TradeOverdue, Meaning: "the order is too old to be refunded", Class: ClassFix, Money: ClassFix},
	{Code: RefundFeeMismatch, Meaning: "the amount differs from that of the first try", Class: ClassFix, Money: ClassFix},
	{Code: AlreadyExists, Statuses: []int{400, 409}, Meaning: "the number is used", Class: ClassQuery, Money: ClassQuery, Exists: true},
	{Code: ResourceAlreadyExist, Statuses: []int{400, 409}, Meaning: "the number is used", Class: ClassQuery, Money: ClassQuery, Exists: true},
	{Code: Processing, Meaning: "still at work", Class: ClassQuery, Money: ClassQuery, Note: "after a pause"},
	{Code: StatementCreating, Statuses: []int{400}, Meaning: "the bill is not made yet", Class: ClassWait,
		Money: ClassWait, Note: "until 10:00, then every half hour"},
	{Code: NoStatementExist, Statuses: []int{400}, Meaning: "there is no bill for that day", Class: ClassWait,
		Money: ClassWait, Note: "after 10:00 of the next day (Beijing time): done, nothing happened that day"},
	{Code: RequestBlocked, Statuses: []int{403},
		Meaning: "refused for this merchant: product not enabled, or risk control", Class: ClassFix, Money: ClassFix, Merchant: true},
	{Code: ApplymentNotExist, Statuses: []int{400, 404}, Meaning: "there is no such application", Class: ClassFix, Money: ClassFix},
	{Code: "APPLYMENT_NOTEXIST", Spelling: ApplymentNotExist, Statuses: []int{400, 404},
		Meaning: "there is no such application", Class: ClassFix, Money: ClassFix, Note: "other spelling"},
	{Code: UserPaying, Statuses: []int{202}, Meaning: "payment by code: the user is entering the password",
		Class: ClassQuery, Money: ClassQuery, Note: "after a pause; under 202 it is no success"},
	{Code: BankError, Statuses: []int{500}, Meaning: "payment by code: trouble at the bank, result unknown", Class: ClassQuery, Money: ClassQuery},
	{Code: "BANKERROR", Spelling: BankError, Statuses: []int{500},
		Meaning: "payment by code: trouble at the bank, result unknown", Class: ClassQuery, Money: ClassQuery, Note: "older spelling"},
	{Code: InvalidTransactionID, Statuses: []int{500}, Meaning: "the transaction_id is not valid", Class: ClassFix, Money: ClassQuery, Note: "older lists"},
	{Code: "NOAUTH", Spelling: NoAuth, Statuses: []int{403}, Meaning: "product not enabled, or not yours",
		Class: ClassFix, Money: ClassFix, Merchant: true, Note: "older spelling"},
	{Code: "NOTENOUGH", Spelling: NotEnough, Statuses: []int{403}, Meaning: "the balance is too low", Class: ClassFix, Money: ClassFix, Note: "older spelling"},
	{Code: "SYSTEMERROR", Spelling: SystemError, Statuses: []int{500},
		Meaning: "trouble at the platform, result unknown", Class: ClassSame, Money: ClassQuery, Note: "older spelling"},
}

var byCode = func() map[Code]*Info {
	m := make(map[Code]*Info, len(list))
	for i := range list {
		m[list[i].Code] = &list[i]
	}
	return m
}()

// Of describes every API error: by its code, or by its status if the code is unknown or missing.
func Of(status int, code Code) Info {
	if info := byCode[code]; info != nil {
		return *info
	}
	info := Info{Code: code, Class: ClassFix, Money: ClassFix}
	switch {
	case status == http.StatusTooManyRequests:
		info.Class, info.Money = ClassWait, ClassQuery
	case status >= 500:
		info.Class, info.Money = ClassQuery, ClassQuery
	case status == http.StatusUnauthorized:
		info.Merchant = true
	}
	return info
}

// Same reports whether both are spellings of one code.
func (c Code) Same(other Code) bool { return c == other || c.canonical() == other.canonical() }

func (c Code) canonical() Code {
	if info := byCode[c]; info != nil {
		return cmp.Or(info.Spelling, c)
	}
	return c
}

// Passing reports whether the error is temporary. It does not say whether the request may be sent
// again.
func Passing(status int, code Code) bool {
	info := Of(status, code)
	return status == http.StatusTooManyRequests || status >= 500 || info.Class == ClassSame || slices.Contains(info.Statuses, http.StatusTooManyRequests)
}
