package webhook

import (
	"slices"
	"strings"
)

// A final names where an event carries a number that belongs to it alone and a state that it does not leave, so that
// two notifications with the same of both tell the same.
type final struct {
	eventType    string
	originalType string // must be stated by the notification
	number       string // member of the resource, given out by the platform
	state        string // member of the resource
	states       []string
	unless       string // a member whose presence says that more is to come under the same number and state
}

// finals are the reviewed ones, read and compared with the documentation in November 2026. What is not here, such as
// profit sharing (one order, several receivers) or an abnormal refund (it can become abnormal again), is known by the
// notification's id alone.
var finals = []final{
	{ // Parking is paid in advance and notified again when the user has repaid.
		eventType: "TRANSACTION.SUCCESS", originalType: "transaction", // merchant/4012791861
		number: "transaction_id", state: "trade_state", states: []string{"SUCCESS"}, unless: "user_repaid",
	},
	{
		eventType: "REFUND.SUCCESS", originalType: "refund", // merchant/4012791865
		number: "refund_id", state: "refund_status", states: []string{"SUCCESS"},
	},
	{
		eventType: "REFUND.CLOSED", originalType: "refund", // merchant/4012791865
		number: "refund_id", state: "refund_status", states: []string{"CLOSED"},
	},
	{
		eventType: "MCHTRANSFER.BILL.FINISHED", originalType: "mch_payment", // merchant/4012712115
		number: "transfer_bill_no", state: "state", states: []string{"SUCCESS", "FAIL", "CANCELLED"},
	},
	{
		eventType: "MCHTRANSFER.BATCH.FINISHED", originalType: "mch_payment", // merchant/4012269028
		number: "batch_id", state: "batch_status", states: []string{"FINISHED"},
	},
	{
		eventType: "MCHTRANSFER.BATCH.CLOSED", originalType: "mch_payment", // merchant/4012269028
		number: "batch_id", state: "batch_status", states: []string{"CLOSED"},
	},
}

// Key names the event as a [Deduper] knows it: the same for every delivery of it, different for any two events. It holds
// merchant, order and notification numbers, divided by slashes.
func (e *Event) Key() string {
	for i := range finals {
		if f := &finals[i]; f.eventType == e.Type && f.originalType == e.OriginalType {
			if key := f.key(e); key != "" {
				return key
			}
		}
	}
	return e.Merchant + "/id/" + e.ID
}

// key returns the name by number and state, empty if this notification does not have both.
func (f *final) key(e *Event) string {
	number, state := e.Get(f.number).String(), e.Get(f.state).String()
	if number == "" || strings.Contains(number, "/") || !slices.Contains(f.states, state) || f.unless != "" && e.Get(f.unless).Exists() {
		return ""
	}
	merchant := e.Get("mchid").String()
	for _, name := range [...]string{"sp_mchid", "mch_id"} {
		if merchant == "" {
			merchant = e.Get(name).String()
		}
	}
	return strings.Join([]string{e.Merchant, merchant, e.Get("sub_mchid").String(), f.originalType, number, state}, "/")
}

// aboutMoney reports whether an event tells of a payment, a refund or a transfer, by how its type begins: also of a type that
// nobody knows yet. A result of profit sharing is none of them.
func aboutMoney(e *Event) bool {
	return e.OriginalType != "profitsharing" && slices.ContainsFunc(moneyEvents, func(beginning string) bool { return strings.HasPrefix(e.Type, beginning) })
}

// foreign reports whether an event does not belong to the family that its type names: profit sharing arrives as
// TRANSACTION.SUCCESS, too, and is no payment. Of the rarer types (repayments, campus deductions) the documentation does not
// state the original type, so only what is known to be another family is foreign there.
func foreign(e *Event) bool {
	switch {
	case !strings.HasPrefix(e.Type, "TRANSACTION.") || e.OriginalType == "" || e.OriginalType == "transaction":
		return false
	case e.Type == "TRANSACTION.SUCCESS" || e.Type == "TRANSACTION.FAIL":
		return true
	}
	return e.OriginalType == "profitsharing"
}
