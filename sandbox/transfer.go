package sandbox

import (
	"encoding/base64"
	"fmt"
	"net/http"
)

// transfer is one transfer bill that was accepted.
type transfer struct {
	course
	created string         // the request in canonical JSON, encrypted members opened
	members map[string]any // those of the request's members that queries tell, opened
	id      string         // transfer_bill_no
	number  string         // out_bill_no
	amount  int64          // fen
	pack    string         // package_info, with which the user is asked to confirm
}

// billNumber is the limit of out_bill_no.
var billNumber = limit{min: 1, max: 32, charset: alphanumeric}

// transferOperations are those of merchant transfers that the user confirms.
func transferOperations() []operation {
	const bills = "/v3/fund-app/mch-transfer/transfer-bills"
	number := map[string]limit{"out_bill_no": billNumber}
	return []operation{
		{
			Operation: documented("POST", bills),
			limits: map[string]limit{
				"/appid": {min: 1, max: 32}, "/out_bill_no": billNumber, "/openid": {min: 1, max: 64}, "/transfer_remark": {min: 1, max: 32},
				"/notify_url": {max: 256},
			},
			do: (*call).createTransfer,
		},
		{Operation: documented("GET", bills+"/out-bill-no/{out_bill_no}"), limits: number, do: (*call).queryTransfer},
		{Operation: documented("GET", bills+"/transfer-bill-no/{transfer_bill_no}"), limits: map[string]limit{"transfer_bill_no": {min: 1, max: 64}}, do: (*call).queryBill},
		{Operation: documented("POST", bills+"/out-bill-no/{out_bill_no}/cancel"), limits: number, do: (*call).cancelTransfer},
	}
}

func (c *call) createTransfer() (any, *refusal) {
	amount, refused := checkAmount("/transfer_amount", c.object["transfer_amount"])
	if refused != nil {
		return nil, refused
	}
	if refused := c.checkNotifyURL(); refused != nil {
		return nil, refused
	}
	number, created := c.object["out_bill_no"].(string), string(marshal(c.object))
	s := &c.state
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.transfers[number]; known != nil {
		if known.created != created {
			return nil, invalidRequest(text{"商户单号已存在，且与之前的请求参数不一致", "out_bill_no was used with other parameters"},
				"a transfer bill with this out_bill_no exists, and was requested with other parameters")
		}
		known.settle(c.now)
		return known.accepted(), nil
	}
	fate, refused := s.fateOf(TransferEffect, number)
	if refused != nil {
		return nil, refused
	}
	t := &transfer{
		course:  course{state: "WAIT_USER_CONFIRM", since: c.now, changed: c.now},
		created: created, members: pickMembers(c.object, "appid", "transfer_remark", "openid", "user_name"), id: s.platformNumber("13300", 40, c.now), number: number, amount: amount,
		pack: "affffddafdfafddffda" + hexText(64) + "==",
	}
	gateway, notify := c.Sandbox, c.object["notify_url"]
	t.reached = func() { gateway.announce(notify, "MCHTRANSFER.BILL.FINISHED", t.resource(gateway.merchant.ID)) }
	s.transfers[number], s.bills[t.id] = t, t
	s.enter(TransferEffect, number, amount, c.now, created, t)
	answer := t.accepted()
	c.lead(&t.course, fate, c.now)
	return answer, nil
}

// accepted is the answer to the request itself.
func (t *transfer) accepted() map[string]any {
	answer := map[string]any{
		"out_bill_no": t.number, "transfer_bill_no": t.id, "create_time": platformTime(t.course.since), "state": t.state,
	}
	if t.state == "WAIT_USER_CONFIRM" {
		answer["package_info"] = t.pack
	}
	return t.withReason(answer)
}

// withReason adds why the transfer failed, if it did.
func (t *transfer) withReason(answer map[string]any) map[string]any {
	if t.state == "FAIL" {
		answer["fail_reason"] = "PAYEE_ACCOUNT_ABNORMAL"
	}
	return answer
}

var transferNotFound = &refusal{
	status: http.StatusNotFound, code: "NOT_FOUND", number: numberUndocumented,
	message: text{"记录不存在", "the bill does not exist"}, reason: "no transfer bill was accepted under this number",
}

func (c *call) queryTransfer() (any, *refusal) {
	return c.showTransfer(func(s *state) *transfer { return s.transfers[c.path["out_bill_no"]] })
}

func (c *call) queryBill() (any, *refusal) {
	return c.showTransfer(func(s *state) *transfer { return s.bills[c.path["transfer_bill_no"]] })
}

func (c *call) showTransfer(find func(*state) *transfer) (any, *refusal) {
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	found := find(&c.state)
	if found == nil || c.faults.hides(c, c.now.Sub(found.course.since)) {
		return nil, transferNotFound
	}
	found.settle(c.now)
	answer := found.withReason(map[string]any{
		"mch_id": c.merchant.ID, "out_bill_no": found.number, "transfer_bill_no": found.id, "state": found.state, "transfer_amount": found.amount,
		"create_time": platformTime(found.course.since), "update_time": platformTime(found.changed),
	})
	for _, name := range []string{"appid", "transfer_remark", "openid"} {
		answer[name] = found.members[name]
	}
	if name, ok := found.members["user_name"].(string); ok && name != "" {
		answer["user_name"] = c.seal(name)
	}
	return answer, nil
}

// seal encrypts a member of an answer to the merchant.
func (s *Sandbox) seal(value string) string {
	ciphertext, err := s.scheme.Encrypt(s.merchant.PrivateKey.Public(), []byte(value))
	if err != nil {
		panic(fmt.Sprintf("sandbox: encrypting a member: %v", err)) // it was opened from no larger a ciphertext
	}
	return base64.StdEncoding.EncodeToString(ciphertext)
}

func (c *call) cancelTransfer() (any, *refusal) {
	c.state.mu.Lock()
	defer c.state.mu.Unlock()
	t := c.state.transfers[c.path["out_bill_no"]]
	if t == nil {
		return nil, transferNotFound
	}
	t.settle(c.now)
	switch t.state {
	case "SUCCESS", "FAIL":
		return nil, invalidRequest(text{"单据已是终态，不可撤销", "the bill has reached a final state and cannot be cancelled"}, "the transfer bill has ended as "+t.state)
	case "CANCELING", "CANCELLED":
		return t.cancelled(), nil
	}
	t.course.hold("CANCELING", c.now)
	answer := t.cancelled()
	c.lead(&t.course, Fate{State: "CANCELLED"}, c.now)
	return answer, nil
}

func (t *transfer) cancelled() map[string]any {
	return map[string]any{"out_bill_no": t.number, "transfer_bill_no": t.id, "state": t.state, "update_time": platformTime(t.changed)}
}

// resource is what the notification of the final state says.
func (t *transfer) resource(mchid string) map[string]any {
	return t.withReason(map[string]any{
		"mch_id": mchid, "out_bill_no": t.number, "transfer_bill_no": t.id, "state": t.state, "transfer_amount": t.amount,
		"openid": t.members["openid"], "create_time": platformTime(t.course.since), "update_time": platformTime(t.changed),
	})
}
