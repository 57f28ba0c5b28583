package webhook

// Types of the events that most merchants meet, for [Handler.On]. The catalogue knows all of them: wxpay search lists what it
// has.
const (
	// An order was paid. Results of profit sharing arrive under the same type; see [Handler.On].
	TransactionSuccess = "TRANSACTION.SUCCESS"
	// A deduction of a parking fee failed.
	TransactionFail = "TRANSACTION.FAIL"
	// The user has repaid what was advanced for an order.
	TransactionPayBack = "TRANSACTION.PAY_BACK"
	// A deduction of a school's order succeeded, or failed.
	TransactionIndustrySuccess = "TRANSACTION.INDUSTRY_SUCCESS"
	TransactionIndustryFailed  = "TRANSACTION.INDUSTRY_FAILED"

	// A refund arrived; was closed; stands still until the merchant does something.
	RefundSuccess  = "REFUND.SUCCESS"
	RefundClosed   = "REFUND.CLOSED"
	RefundAbnormal = "REFUND.ABNORMAL"

	// A transfer ended, well or not: its state tells.
	MchTransferBillFinished         = "MCHTRANSFER.BILL.FINISHED"
	MchTransferQQWalletBillFinished = "MCHTRANSFER.QQWALLETBILL.FINISHED"
	// A batch of transfers ended; was closed.
	MchTransferBatchFinished = "MCHTRANSFER.BATCH.FINISHED"
	MchTransferBatchClosed   = "MCHTRANSFER.BATCH.CLOSED"
	// A user allowed transfers without confirming each; took that back.
	MchTransferAuthorizationConfirmed = "MCHTRANSFER.AUTHORIZATION.CONFIRMED"
	MchTransferAuthorizationClosed    = "MCHTRANSFER.AUTHORIZATION.CLOSED"

	// Money was shared; was returned from a share.
	ProfitSharingSuccess = "PROFITSHARING.SUCCESS"
	ProfitSharingReturn  = "PROFITSHARING.RETURN"

	// An order of pay score was confirmed by the user; was paid.
	PayScoreUserConfirm = "PAYSCORE.USER_CONFIRM"
	PayScoreUserPaid    = "PAYSCORE.USER_PAID"

	// A complaint came in; changed.
	ComplaintCreate      = "COMPLAINT.CREATE"
	ComplaintStateChange = "COMPLAINT.STATE_CHANGE"

	// The platform's answer to POST /v3/security/echo with a notify_url.
	SecurityEchoSuccess = "SECURITY_ECHO.SUCCESS"
)

// moneyEvents are how the types of events begin after which an order is paid, or money of the merchant's has moved. An
// acknowledged one never comes again. The state of anything else, such as a contract or a coupon, can be queried later
// without harm.
var moneyEvents = []string{
	"TRANSACTION.", "REFUND.", "MCHTRANSFER.", "ABNORMAL_FUND_PROCESSING.", "CREDIT_REPAYMENT.DEDUCTION", "DISCOUNT_CARD.SETTLEMENT",
	"DISCOUNT_CARD.USER_PAID",
	"MALL_REFUND.", "MALL_TRANSACTION.", "MCHWITHDRAW.", "MEDICAL_INSURANCE.", "PAYSCORE.USER_PAID", "RECHARGE.", "SETTLEMENT.",
	"WEBIZPAY.PAYMENT",
}
