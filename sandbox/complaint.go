package sandbox

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"
)

// complaint is a user's complaint about an order (documentation v3/merchant/4012533431 and its neighbours).
type complaint struct {
	Complaint
	Transaction string        `json:"transaction_id"`
	Amount      int64         `json:"amount"` // of the order, fen
	OpenID      string        `json:"payer_openid"`
	Times       int           `json:"user_complaint_times"`
	Answered    bool          `json:"answered"` // the user has said nothing since the merchant's last reply
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

// complaintSpan is the longest time that a list of complaints covers.
const complaintSpan = 30 * 24 * time.Hour

// complaintOperations are those of consumers' complaints.
func complaintOperations() []operation {
	const complaints, notifications = "/v3/merchant-service/complaints-v2", "/v3/merchant-service/complaint-notifications"
	url := map[string]limit{"/url": {min: 1, max: 255}}
	return []operation{
		{Operation: documented("GET", complaints), do: (*call).listComplaints},
		{Operation: documented("GET", complaints+"/{complaint_id}"), do: (*call).queryComplaint},
		{Operation: documented("GET", complaints+"/{complaint_id}/negotiation-historys"), do: (*call).listNegotiations},
		{
			Operation: documented("POST", complaints+"/{complaint_id}/response"), limits: map[string]limit{"/response_content": {min: 1, max: 200}},
			do: (*call).replyToComplaint,
		},
		{Operation: documented("POST", complaints+"/{complaint_id}/response-immediate-service"), do: (*call).replyAtOnce},
		{Operation: documented("POST", complaints+"/{complaint_id}/complete"), do: (*call).completeComplaint},
		{Operation: documented("POST", complaints+"/{complaint_id}/update-refund-progress"), do: (*call).updateRefundProgress},
		{Operation: documented("GET", notifications), do: (*call).queryComplaintURL},
		{Operation: documented("POST", notifications), limits: url, do: func(c *call) (any, *refusal) { return c.setComplaintURL(false) }},
		{Operation: documented("PUT", notifications), limits: url, do: func(c *call) (any, *refusal) { return c.setComplaintURL(true) }},
		{Operation: documented("DELETE", notifications), do: (*call).deleteComplaintURL},
	}
}

var complaintNotExist = &refusal{
	status: http.StatusNotFound, code: "RESOURCE_NOT_EXISTS", number: numberUndocumented,
	message: text{"投诉单不存在", "the complaint does not exist"}, reason: "nobody complained under this complaint_id",
}

// about is the number of the merchant whom the user complains about: a service provider's sub-merchant, or the merchant itself.
func (k complaint) about(s *state) string {
	o, _ := s.orders.get(k.OutTradeNo)
	return or(o.Sub, s.merchant)
}

// tell is what queries tell of the complaint.
func (k complaint) tell(s *state) map[string]any {
	o, _ := s.orders.get(k.OutTradeNo)
	known := map[string]any{
		"complaint_id": k.ID, "complaint_time": platformTime(k.Time), "complaint_detail": k.Detail, "complaint_state": k.State,
		"complainted_mchid": k.about(s), "payer_phone": k.Phone, "payer_openid": k.OpenID, "problem_description": k.Problem,
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
func (s *state) log(k *complaint, operator, kind, details string, now time.Time) *negotiation {
	k.Log = append(slices.Clip(k.Log), negotiation{ID: s.platformNumber("3002", 27, now), Operator: operator, Type: kind, Details: details, Time: now})
	return &k.Log[len(k.Log)-1]
}

func (c *call) listComplaints() (any, *refusal) {
	offset, limit, refused := c.askedPage(10, 50)
	if refused != nil {
		return nil, refused
	}
	var days [2]time.Time
	for i, name := range []string{"begin_date", "end_date"} {
		var err error
		if days[i], err = time.ParseInLocation(time.DateOnly, c.query.Get(name), beijing); err != nil {
			return nil, memberError("query", name, c.query.Get(name), text{"不是yyyy-MM-DD格式的日期", "it is not a date in the form of yyyy-MM-DD"})
		}
	}
	if span := days[1].Sub(days[0]); span < 0 || span > complaintSpan {
		return nil, memberError("query", "end_date", c.query.Get("end_date"), text{"查询日期跨度不超过30天", "the dates must be in order and at most 30 days apart"})
	}
	s := c.begin()
	defer s.commit()
	var list []map[string]any
	for _, k := range s.everyComplaint() {
		merchant := c.query.Get("complainted_mchid")
		if !k.Time.Before(days[0]) && k.Time.Before(days[1].AddDate(0, 0, 1)) && (merchant == "" || merchant == k.about(s)) {
			list = append(list, c.illustrated(k.tell(s)))
		}
	}
	return c.pageWithTotal(list, offset, limit), nil
}

// pageWithTotal is the answer with a page of a list whose total_count comes with the first page only.
func (c *call) pageWithTotal(list []map[string]any, offset, limit int) map[string]any {
	answer := c.paged(list, offset, limit)
	if offset > 0 {
		delete(answer, "total_count")
	}
	return answer
}

// everyComplaint returns all complaints, the newest first.
func (s *state) everyComplaint() []complaint {
	return slices.SortedFunc(maps.Values(s.complaints.rows), func(a, b complaint) int {
		return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(b.ID, a.ID))
	})
}

func (c *call) queryComplaint() (any, *refusal) {
	s := c.begin()
	defer s.commit()
	k, known := s.complaints.get(c.path["complaint_id"])
	if !known {
		return nil, complaintNotExist
	}
	return c.tell(c.illustrated(k.tell(s))), nil
}

func (c *call) listNegotiations() (any, *refusal) {
	offset, limit, refused := c.askedPage(100, 300)
	if refused != nil {
		return nil, refused
	}
	s := c.begin()
	defer s.commit()
	k, known := s.complaints.get(c.path["complaint_id"])
	if !known {
		return nil, complaintNotExist
	}
	var list []map[string]any
	for _, step := range slices.Backward(k.Log) {
		told := map[string]any{"log_id": step.ID, "operator": step.Operator, "operate_time": platformTime(step.Time), "operate_type": step.Type}
		if step.Details != "" {
			told["operate_details"] = step.Details
		}
		if step.Message != nil {
			told["normal_message"] = step.Message
		}
		if len(step.Images) > 0 {
			images := make([]any, len(step.Images))
			for i, id := range step.Images {
				images[i] = c.base() + "/v3/merchant-service/images/" + id
			}
			told["image_list"] = images
		}
		list = append(list, told)
	}
	return c.pageWithTotal(list, offset, limit), nil
}

// answerComplaint lets act change the complaint that the request names. The merchant's own doings are not notified (as the platform
// said in 2021; before, they were).
func (c *call) answerComplaint(act func(*state, *complaint) *refusal) (any, *refusal) {
	s := c.begin()
	defer s.commit()
	k, known := s.complaints.get(c.path["complaint_id"])
	if !known {
		return nil, complaintNotExist
	}
	if merchant, sent := c.object["complainted_mchid"]; sent && merchant != k.about(s) {
		return nil, noAuth(text{"您暂无权限为该投诉单提交商户回复", "the complaint is about another merchant"}, "complainted_mchid is not "+k.about(s))
	}
	if refused := act(s, &k); refused != nil {
		return nil, refused
	}
	s.complaints.put(k.ID, k)
	return nil, nil
}

func (c *call) replyToComplaint() (any, *refusal) {
	return c.answerComplaint(func(s *state, k *complaint) *refusal {
		step := s.reply(k, c.member("response_content"), c.now)
		if list, ok := c.object["response_images"].([]any); ok {
			for _, id := range list {
				step.Images = append(step.Images, id.(string))
			}
		}
		return nil
	})
}

// reply is what the merchant says to the user.
func (s *state) reply(k *complaint, content string, now time.Time) *negotiation {
	if k.State == complaintPending {
		k.State = complaintProcessing
	}
	k.Answered = true
	return s.log(k, "商户", "MERCHANT_RESPONSE", content, now)
}

// replyAtOnce replies in blocks of text, images and buttons. An idempotent_id that came before is answered with the reply of then.
func (c *call) replyAtOnce() (any, *refusal) {
	var id string
	_, refused := c.answerComplaint(func(s *state, k *complaint) *refusal {
		key := c.member("idempotent_id")
		if i := slices.IndexFunc(k.Log, func(step negotiation) bool { return step.Key == key }); i >= 0 {
			id = k.Log[i].ID
			return nil
		}
		step := s.reply(k, "", c.now)
		step.Message, step.Key = c.object["message"].(map[string]any), key
		id = step.ID
		return nil
	})
	if refused != nil {
		return nil, refused
	}
	return c.tell(map[string]any{"log_id": id}), nil
}

// completeComplaint ends a complaint for the merchant. Again is answered the same; what the platform does then is not documented.
func (c *call) completeComplaint() (any, *refusal) {
	return c.answerComplaint(func(s *state, k *complaint) *refusal {
		if k.State != complaintProcessed {
			k.State, k.Answered = complaintProcessed, true
			s.log(k, "商户", "MERCHANT_CONFIRM_COMPLETE", "", c.now)
		}
		return nil
	})
}

// updateRefundProgress tells the user whether the merchant will refund. It does not refund.
func (c *call) updateRefundProgress() (any, *refusal) {
	return c.answerComplaint(func(s *state, k *complaint) *refusal {
		o, _ := s.orders.get(k.OutTradeNo)
		details, _ := c.object["remark"].(string)
		switch action := c.object["action"]; {
		case k.Type != "REFUND" || k.Progress != "" || o.Refunded == k.Amount:
			return invalidRequest(text{"当前单据状态不支持操作, 请检查是否重复调用", "the complaint's state does not permit it; it may have been done before"},
				"the user asks for no refund, or has got it, or the merchant has answered this before")
		case action == "APPROVE":
			s.log(k, "商户", "MERCHANT_APPROVE_REFUND", details, c.now)
		case action == "REJECT":
			reason, ok := c.object["reject_reason"].(string)
			if !ok {
				return memberError("body", "/reject_reason", "", issueRequired)
			}
			s.log(k, "商户", "MERCHANT_REFUSE_RERUND", reason, c.now) // spelt so
		default:
			return memberError("body", "/action", action, issueConstant)
		}
		k.Progress = c.object["action"].(string)
		return nil
	})
}

var complaintURLNotExist = &refusal{
	status: http.StatusNotFound, code: "RESOURCE_NOT_EXISTS", number: numberUndocumented,
	message: text{"投诉通知地址不存在", "there is no address for complaints"}, reason: "no address was set, or it was deleted",
}

func (c *call) queryComplaintURL() (any, *refusal) {
	s := c.begin()
	defer s.commit()
	url, known := s.complaintURL.get("")
	if !known {
		return nil, complaintURLNotExist
	}
	return c.tell(map[string]any{"mchid": s.merchant, "url": url}), nil
}

// setComplaintURL sets where the merchant is told of complaints: for the first time, or again.
func (c *call) setComplaintURL(again bool) (any, *refusal) {
	if refused := checkURL("/url", c.object["url"]); refused != nil {
		return nil, refused
	}
	s := c.begin()
	defer s.commit()
	switch old, known := s.complaintURL.get(""); {
	case again && !known:
		return nil, complaintURLNotExist
	case !again && known && old != c.object["url"]:
		return nil, invalidRequest(text{"投诉通知地址已存在", "there is an address for complaints already"}, "an address is set; PUT changes it")
	}
	s.complaintURL.put("", c.object["url"].(string))
	return c.tell(map[string]any{"mchid": s.merchant, "url": c.object["url"]}), nil
}

func (c *call) deleteComplaintURL() (any, *refusal) {
	s := c.begin()
	defer s.commit()
	if _, known := s.complaintURL.get(""); !known {
		return nil, complaintURLNotExist
	}
	s.complaintURL.delete("")
	return nil, nil
}

// Complaint is a user's complaint about an order.
type Complaint struct {
	OutTradeNo string `json:"out_trade_no"` // of an order that is paid, with SUB_MCHID/ before it if a service provider ordered
	Detail     string `json:"complaint_detail"`
	Problem    string `json:"problem_description"`
	Type       string `json:"problem_type"` // REFUND, SERVICE_NOT_WORK or OTHERS, which empty stands for
	// RefundAmount is what a user who wants a REFUND asks for, in fen; 0 stands for the whole order.
	RefundAmount int64  `json:"apply_refund_amount,omitempty"`
	Phone        string `json:"payer_phone"` // empty for a sample; told encrypted

	// The rest is set by the sandbox.
	ID    string    `json:"complaint_id"`
	State string    `json:"complaint_state"` // PENDING, PROCESSING or PROCESSED
	Time  time.Time `json:"complaint_time"`
}

// Complain lets the user who paid an order complain about it, and returns the complaint_id. The merchant is told by COMPLAINT.CREATE
// at the address that it set with /v3/merchant-service/complaint-notifications. An order that is not paid, and a second complaint
// about one, are errors; see [Sandbox.ContinueComplaint].
func (s *Sandbox) Complain(about Complaint) (complaintID string, err error) {
	now := s.clock()
	st := s.state.begin(now)
	o, known := st.orders.get(about.OutTradeNo)
	about.Type = cmp.Or(about.Type, "OTHERS")
	switch {
	case !known || o.Transaction == "":
		err = fmt.Errorf("sandbox: complain: there is no paid order %q", about.OutTradeNo)
	case !slices.Contains([]string{"REFUND", "SERVICE_NOT_WORK", "OTHERS"}, about.Type):
		err = fmt.Errorf("sandbox: complain: the type is REFUND, SERVICE_NOT_WORK or OTHERS, not %q", about.Type)
	case about.RefundAmount < 0 || about.RefundAmount > o.Total:
		err = fmt.Errorf("sandbox: complain: the order is over %d fen", o.Total)
	case slices.ContainsFunc(st.everyComplaint(), func(k complaint) bool { return k.OutTradeNo == about.OutTradeNo }):
		err = fmt.Errorf("sandbox: complain: there is a complaint about the order %q", about.OutTradeNo)
	default:
		about.Detail, about.Problem, about.Phone = cmp.Or(about.Detail, "sandbox"), cmp.Or(about.Problem, "sandbox"), cmp.Or(about.Phone, "13800138000")
		if about.Type == "REFUND" {
			about.RefundAmount = cmp.Or(about.RefundAmount, o.Total)
		} else {
			about.RefundAmount = 0
		}
		about.ID, about.State, about.Time = st.platformNumber("2002", 27, now), complaintPending, now
		k := complaint{Complaint: about, Transaction: o.Transaction, Amount: o.Total, OpenID: o.OpenID, Times: 1}
		st.log(&k, "投诉人", "USER_CREATE_COMPLAINT", about.Detail, now)
		st.complaints.put(k.ID, k)
		st.noticeComplaint("COMPLAINT.CREATE", k.ID, "CREATE_COMPLAINT")
		complaintID = k.ID
	}
	if failed := st.end(); err == nil {
		err = failed
	}
	return complaintID, err
}

// ContinueComplaint lets the user say more about a complaint, or complain again about one that was processed, which is PENDING
// again then. The merchant is told by COMPLAINT.STATE_CHANGE.
func (s *Sandbox) ContinueComplaint(complaintID, detail string) error {
	now := s.clock()
	st := s.state.begin(now)
	k, known := st.complaints.get(complaintID)
	var err error
	switch {
	case !known:
		err = fmt.Errorf("sandbox: continue complaint: there is no complaint %q", complaintID)
	case k.State == complaintProcessed:
		k.State, k.Answered, k.Progress = complaintPending, false, ""
		k.Times++
		st.log(&k, "投诉人", "USER_CONTINUE_COMPLAINT", detail, now)
		st.noticeComplaint("COMPLAINT.STATE_CHANGE", k.ID, "CONTINUE_COMPLAINT")
	default:
		k.Answered = false
		st.log(&k, "投诉人", "USER_RESPONSE", detail, now)
		st.noticeComplaint("COMPLAINT.STATE_CHANGE", k.ID, "USER_RESPONSE")
	}
	if known {
		st.complaints.put(k.ID, k)
	}
	if failed := st.end(); err == nil {
		err = failed
	}
	return err
}

func (s *state) noticeComplaint(event, id, action string) {
	url, _ := s.complaintURL.get("")
	s.announce(url, event, resourceOf(event, map[string]any{"complaint_id": id, "action_type": action}))
}

// Complaints returns all complaints, the newest first.
func (s *Sandbox) Complaints() []Complaint {
	st := s.begin()
	defer st.commit()
	var list []Complaint
	for _, k := range st.everyComplaint() {
		list = append(list, k.Complaint)
	}
	return list
}
