package webhook

import (
	"cmp"
	"slices"
	"strings"
)

// A final names the fields of an event with a unique number and with a state that never changes
// again. Two notifications with equal numbers and states mean the same.
type final struct {
	eventType    string
	originalType string // must be stated by the notification
	number       string // field of the resource, the platform's number
	state        string // field of the resource
	states       []string
	unless       string // a field whose presence announces more notifications with the same number and state
}

// finals are the reviewed ones, compared with the documentation in November 2026. Other events,
// such as profit sharing (one order, several receivers) or an abnormal refund (it can become
// abnormal again), have only the notification's id.
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

// Key is the event's name for a [Deduper]: the same for every delivery of the event, and different
// for different events. It contains merchant, order and notification numbers, divided by slashes.
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

// key returns the name by number and state, empty if the notification lacks one of them.
func (f *final) key(e *Event) string {
	names := [...]string{f.number, f.state, f.unless, "mchid", "sp_mchid", "mch_id", "sub_mchid"}
	var found [len(names)]value
	e.pick(names[:], found[:])
	number, state := found[0].String(), found[1].String()
	if number == "" || strings.Contains(number, "/") || !slices.Contains(f.states, state) || f.unless != "" && found[2].Exists() {
		return ""
	}
	merchant := cmp.Or(found[3].String(), found[4].String(), found[5].String())
	return strings.Join([]string{e.Merchant, merchant, found[6].String(), f.originalType, number, state}, "/")
}

// aboutMoney reports whether an event reports a payment, a refund or a transfer. The beginning of
// its type decides, also for an unknown type. A result of profit sharing is none of them.
func aboutMoney(e *Event) bool {
	return e.OriginalType != "profitsharing" && slices.ContainsFunc(moneyEvents, func(beginning string) bool { return strings.HasPrefix(e.Type, beginning) })
}

// foreign reports whether an event belongs to another family than its type says: profit sharing
// also arrives as TRANSACTION.SUCCESS and is no payment. The documentation does not state the
// original type of the rarer types (repayments, campus deductions), so only a known other family is
// foreign there.
func foreign(e *Event) bool {
	switch {
	case !strings.HasPrefix(e.Type, "TRANSACTION.") || e.OriginalType == "" || e.OriginalType == "transaction":
		return false
	case e.Type == "TRANSACTION.SUCCESS" || e.Type == "TRANSACTION.FAIL":
		return true
	}
	return e.OriginalType == "profitsharing"
}
