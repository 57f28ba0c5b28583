package complaint

import (
	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/console"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Open adds the flow to a merchant.
func Open(m *gate.Merchant, orders *order.Flow) *Flow {
	f := &Flow{
		Merchant: m, orders: orders,
		table: book.OpenTable[complaint](m.Book, m.ID, "complaints"),
		url:   book.OpenTable[string](m.Book, m.ID, "complaint url"),
	}
	m.Serve(f.operations()...)
	m.Control(
		console.Order{Method: "POST", Path: "complaints", Does: "Users.Complain", Run: f.Complain, In: "*", Out: "complaint_id"},
		console.Order{
			Method: "POST", Path: "complaints/continue", Does: "Users.ContinueComplaint", Run: f.ContinueComplaint,
			In: "complaint_id detail",
		},
		console.Order{Method: "GET", Path: "complaints", Does: "Users.Complaints", Run: f.Complaints, Out: "complaints"},
	)
	return f
}

// Limits of the fields of complaints. Their pages count response_content in characters, and have 200 or
// 500 of them.
var (
	replyLimits = map[string]gate.Limit{"/response_content": {Min: 1, Max: 500, Characters: true}}
	urlLimits   = map[string]gate.Limit{"/url": {Min: 1, Max: 255}}
)

// operations returns those of complaints.
func (f *Flow) operations() []gate.Operation {
	const complaints, notifications = "/v3/merchant-service/complaints-v2", "/v3/merchant-service/complaint-notifications"
	return []gate.Operation{
		{Operation: gate.Documented("GET", complaints), Do: f.listComplaints},
		{Operation: gate.Documented("GET", complaints+"/{complaint_id}"), Do: f.queryComplaint},
		{Operation: gate.Documented("GET", complaints+"/{complaint_id}/negotiation-historys"), Do: f.listNegotiations},
		{
			Operation: gate.Documented("POST", complaints+"/{complaint_id}/response"),
			Limits:    replyLimits,
			Do:        f.replyToComplaint,
		},
		{Operation: gate.Documented("POST", complaints+"/{complaint_id}/response-immediate-service"), Do: f.replyAtOnce},
		{Operation: gate.Documented("POST", complaints+"/{complaint_id}/complete"), Do: f.completeComplaint},
		{Operation: gate.Documented("POST", complaints+"/{complaint_id}/update-refund-progress"), Do: f.updateRefundProgress},
		{Operation: gate.Documented("GET", notifications), Do: f.queryComplaintURL},
		{Operation: gate.Documented("POST", notifications), Limits: urlLimits, Do: func(c *gate.Call) (any, *say.Rejection) {
			return f.setComplaintURL(c, false)
		}},
		{Operation: gate.Documented("PUT", notifications), Limits: urlLimits, Do: func(c *gate.Call) (any, *say.Rejection) {
			return f.setComplaintURL(c, true)
		}},
		{Operation: gate.Documented("DELETE", notifications), Do: f.deleteComplaintURL},
	}
}
