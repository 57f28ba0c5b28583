// Package complaint simulates the complaints of users about orders.
package complaint

import (
	"cmp"
	"slices"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/file"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// complaint is a user's complaint about an order (documentation v3/merchant/4012533431 and its
// neighbours).
type complaint struct {
	Complaint
	Transaction string        `json:"transaction_id"`
	Amount      int64         `json:"amount"` // of the order, fen
	OpenID      string        `json:"payer_openid"`
	Times       int           `json:"user_complaint_times"`
	Answered    bool          `json:"answered"` // the merchant has replied to all that the user said
	Progress    string        `json:"progress,omitempty"`
	Log         []negotiation `json:"log"` // the oldest first
}

// negotiation is one step in the history of a complaint.
type negotiation struct {
	ID       string    `json:"id"`
	Operator string    `json:"operator"`
	Type     string    `json:"type"`
	Details  string    `json:"details,omitempty"`
	Images   []string  `json:"images,omitempty"`
	Time     time.Time `json:"time"`

	// Of a reply in blocks.
	Message map[string]any `json:"message,omitempty"`
	Key     string         `json:"key,omitempty"` // idempotent_id
}

// States of a complaint.
const (
	complaintPending    = "PENDING"
	complaintProcessing = "PROCESSING"
	complaintProcessed  = "PROCESSED"
)

// complaintSpan is the longest time between the dates of a list of complaints.
const complaintSpan = 30 * 24 * time.Hour

// Complaint has the fields of sandbox.Complaint, which documents them.
type Complaint struct {
	OutTradeNo string `json:"out_trade_no"` // of an order that is paid, with SUB_MCHID/ before it if a service provider ordered
	Detail     string `json:"complaint_detail"`
	Problem    string `json:"problem_description"`
	Type       string `json:"problem_type"` // REFUND, SERVICE_NOT_WORK or OTHERS, which empty stands for
	// RefundAmount is what a user who wants a REFUND asks for, in fen; 0 stands for the whole
	// order.
	RefundAmount int64  `json:"apply_refund_amount,omitempty"`
	Phone        string `json:"payer_phone"` // empty for a sample; told encrypted

	// The rest is set by the sandbox.
	ID    string    `json:"complaint_id"`
	State string    `json:"complaint_state"` // PENDING, PROCESSING or PROCESSED
	Time  time.Time `json:"complaint_time"`
}

// Flow is the complaints of one merchant.
type Flow struct {
	*gate.Merchant
	orders *order.Flow
	table  book.Table[complaint] // by complaint_id
	url    book.Table[string]    // where the merchant is told of complaints, under ""
}

// about returns the number of the merchant about whom the user complains: a sub-merchant of the
// service provider, or the merchant itself.
func (f *Flow) about(k complaint) string {
	o, _ := f.orders.Get(k.OutTradeNo)
	return cmp.Or(o.Sub, f.ID)
}

// known returns all that the sandbox knows of a complaint.
func (f *Flow) known(k complaint) map[string]any {
	o, _ := f.orders.Get(k.OutTradeNo)
	known := map[string]any{
		"complaint_id": k.ID, "complaint_time": say.Time(k.Time), "complaint_detail": k.Detail, "complaint_state": k.State,
		"complainted_mchid": f.about(k), "payer_phone": k.Phone, "payer_openid": k.OpenID, "problem_description": k.Problem,
		"complaint_full_refunded": o.Refunded == k.Amount, "incoming_user_response": !k.Answered, "user_complaint_times": k.Times,
		"complaint_order_info": []any{map[string]any{"transaction_id": k.Transaction, "out_trade_no": o.Number, "amount": k.Amount}},
		"problem_type":         k.Type,
	}
	if k.RefundAmount > 0 {
		known["apply_refund_amount"] = k.RefundAmount
	}
	return known
}

// log adds a step to the complaint's history.
func (f *Flow) log(k *complaint, operator, kind, details string, now time.Time) *negotiation {
	k.Log = append(slices.Clip(k.Log), negotiation{
		ID: f.Number("3002", 27, now), Operator: operator, Type: kind, Details: details, Time: now,
	})
	return &k.Log[len(k.Log)-1]
}

// tell returns all that queries tell of a complaint, with an image that the user sent.
func (f *Flow) tell(c *gate.Call, k complaint) map[string]any {
	known := f.known(k)
	known["complaint_media_list"] = []any{map[string]any{
		"media_type": "USER_COMPLAINT_IMAGE", "media_url": []any{file.UserImage(c, k.ID)},
	}}
	return known
}

// everyComplaint returns all complaints, the newest first.
func (f *Flow) everyComplaint() []complaint {
	return slices.SortedFunc(book.Values(f.table), func(a, b complaint) int {
		return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(b.ID, a.ID))
	})
}
