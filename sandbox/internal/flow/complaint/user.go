package complaint

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/wxpay-go/wxpay/sandbox/internal/sample"
)

// Complain lets the user who paid an order complain about it, and returns the complaint_id.
// COMPLAINT.CREATE notifies the merchant at the address that it set with
// /v3/merchant-service/complaint-notifications. An order without payment and a second complaint
// about one are errors; see ContinueComplaint.
func (f *Flow) Complain(about Complaint) (complaintID string, err error) {
	b, now := f.Begin()
	o, known := f.orders.Get(about.OutTradeNo)
	about.Type = cmp.Or(about.Type, "OTHERS")
	switch {
	case !known || o.Transaction == "":
		err = fmt.Errorf("sandbox: complain: there is no paid order %q", about.OutTradeNo)
	case !slices.Contains([]string{"REFUND", "SERVICE_NOT_WORK", "OTHERS"}, about.Type):
		err = fmt.Errorf("sandbox: complain: the type is REFUND, SERVICE_NOT_WORK or OTHERS, not %q", about.Type)
	case about.RefundAmount < 0 || about.RefundAmount > o.Total:
		err = fmt.Errorf("sandbox: complain: the order is over %d fen", o.Total)
	case slices.ContainsFunc(f.everyComplaint(), func(k complaint) bool { return k.OutTradeNo == about.OutTradeNo }):
		err = fmt.Errorf("sandbox: complain: there is a complaint about the order %q", about.OutTradeNo)
	default:
		about.Detail, about.Problem = cmp.Or(about.Detail, "sandbox"), cmp.Or(about.Problem, "sandbox")
		about.Phone = cmp.Or(about.Phone, "13800138000")
		if about.Type == "REFUND" {
			about.RefundAmount = cmp.Or(about.RefundAmount, o.Total)
		} else {
			about.RefundAmount = 0
		}
		about.ID, about.State, about.Time = f.Number("2002", 27, now), complaintPending, now
		k := complaint{Complaint: about, Transaction: o.Transaction, Amount: o.Total, OpenID: o.OpenID, Times: 1}
		f.log(&k, "投诉人", "USER_CREATE_COMPLAINT", about.Detail, now)
		f.table.Put(k.ID, k)
		f.noticeComplaint("COMPLAINT.CREATE", k.ID, "CREATE_COMPLAINT")
		complaintID = k.ID
	}
	if failed := b.End(); err == nil {
		err = failed
	}
	return complaintID, err
}

// ContinueComplaint lets the user say more about a complaint. A PROCESSED complaint becomes PENDING
// again. COMPLAINT.STATE_CHANGE notifies the merchant.
func (f *Flow) ContinueComplaint(complaintID, detail string) error {
	b, now := f.Begin()
	k, known := f.table.Get(complaintID)
	var err error
	switch {
	case !known:
		err = fmt.Errorf("sandbox: continue complaint: there is no complaint %q", complaintID)
	case k.State == complaintProcessed:
		k.State, k.Answered, k.Progress = complaintPending, false, ""
		k.Times++
		f.log(&k, "投诉人", "USER_CONTINUE_COMPLAINT", detail, now)
		f.noticeComplaint("COMPLAINT.STATE_CHANGE", k.ID, "CONTINUE_COMPLAINT")
	default:
		k.Answered = false
		f.log(&k, "投诉人", "USER_RESPONSE", detail, now)
		f.noticeComplaint("COMPLAINT.STATE_CHANGE", k.ID, "USER_RESPONSE")
	}
	if known {
		f.table.Put(k.ID, k)
	}
	if failed := b.End(); err == nil {
		err = failed
	}
	return err
}

func (f *Flow) noticeComplaint(event, id, action string) {
	url, _ := f.url.Get("")
	f.Post.Announce(url, event, sample.Resource(event, map[string]any{"complaint_id": id, "action_type": action}))
}

// Complaints returns all complaints, the newest first.
func (f *Flow) Complaints() []Complaint {
	b, _ := f.Begin()
	defer b.Commit()
	var list []Complaint
	for _, k := range f.everyComplaint() {
		list = append(list, k.Complaint)
	}
	return list
}
