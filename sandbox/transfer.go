package sandbox

import (
	"crypto"
	"encoding/base64"
	"fmt"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
)

// transfer is one transfer bill that was accepted.
type transfer struct {
	course
	Request string `json:"request"` // in canonical JSON, encrypted members opened
	ID      string `json:"id"`      // transfer_bill_no
	Number  string `json:"number"`  // out_bill_no
	Amount  int64  `json:"amount"`  // fen
	Package string `json:"package"` // package_info, with which the user is asked to confirm
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
	if refused := c.checkPayee(amount); refused != nil {
		return nil, refused
	}
	number, request := c.object["out_bill_no"].(string), string(marshal(c.object))
	s := c.begin()
	defer s.commit()
	if known, ok := s.transfers.get(number); ok {
		if known.Request != request {
			return nil, invalidRequest(text{"商户单号已存在，且与之前的请求参数不一致", "out_bill_no was used with other parameters"},
				"a transfer bill with this out_bill_no exists, and was requested with other parameters")
		}
		return known.accepted(), nil
	}
	if refused := s.checkAppID(c.member("appid")); refused != nil {
		return nil, refused
	}
	fate, refused := s.fateOf(TransferEffect, number)
	if refused != nil {
		return nil, refused
	}
	t := transfer{
		course:  course{State: "WAIT_USER_CONFIRM", Since: c.now, Changed: c.now},
		Request: request, ID: s.platformNumber("13300", 40, c.now), Number: number, Amount: amount, Package: "affffddafdfafddffda" + hexText(64) + "==",
	}
	t.lead(fate, c.now)
	s.transfers.put(number, t)
	s.bills.put(t.ID, number)
	s.enter(TransferEffect, number, amount, c.now, request)
	return t.accepted(), nil
}

// Bounds of a transfer between which user_name is as the merchant likes, fen.
const (
	nameFrom   = 30
	nameNeeded = 200_000
)

// checkPayee refuses a transfer that lacks user_name, or has it and must not.
func (c *call) checkPayee(amount int64) *refusal {
	name := c.member("user_name")
	switch {
	case !c.holds(Names):
	case amount >= nameNeeded && name == "":
		return memberError("body", "/user_name", "", text{"转账金额大于等于2000元时，收款用户姓名必填", "transfers of 2,000 yuan and more need the name of the user"})
	case amount < nameFrom && name != "":
		return memberError("body", "/user_name", "", text{"转账金额小于0.3元时，不支持填写收款用户姓名", "transfers below 0.30 yuan must not name the user"})
	}
	return nil
}

// ripenTransfer lets a transfer bill reach what is to come.
func (s *state) ripenTransfer(number string, t transfer, at time.Time) {
	s.reachTransfer(number, t, t.Next, at)
}

// reachTransfer lets a transfer bill take a final state on.
func (s *state) reachTransfer(number string, t transfer, final string, now time.Time) {
	t.become(final, now)
	s.transfers.put(number, t)
	notify, _ := readRequest(t.Request)["notify_url"].(string)
	s.announce(notify, "MCHTRANSFER.BILL.FINISHED", t.resource(s.merchant))
}

// accepted is the answer to the request itself.
func (t transfer) accepted() map[string]any {
	answer := map[string]any{
		"out_bill_no": t.Number, "transfer_bill_no": t.ID, "create_time": platformTime(t.Since), "state": t.State,
	}
	if t.State == "WAIT_USER_CONFIRM" {
		answer["package_info"] = t.Package
	}
	return t.withReason(answer)
}

// withReason adds why the transfer failed, if it did.
func (t transfer) withReason(answer map[string]any) map[string]any {
	if t.State == "FAIL" {
		answer["fail_reason"] = "PAYEE_ACCOUNT_ABNORMAL"
	}
	return answer
}

var transferNotFound = &refusal{
	status: http.StatusNotFound, code: "NOT_FOUND", number: numberUndocumented,
	message: text{"记录不存在", "the bill does not exist"}, reason: "no transfer bill was accepted under this number",
}

func (c *call) queryTransfer() (any, *refusal) { return c.showTransfer(c.path["out_bill_no"]) }

func (c *call) queryBill() (any, *refusal) {
	return c.showTransfer(c.numberOfBill(c.path["transfer_bill_no"]))
}

// numberOfBill returns the out_bill_no of a transfer_bill_no.
func (c *call) numberOfBill(id string) string {
	s := c.begin()
	defer s.commit()
	number, _ := s.bills.get(id)
	return number
}

// lookBack is how old a transfer bill can be that a query finds, and cancelDelay how long it takes to cancel one.
const (
	lookBack    = 30 * 24 * time.Hour
	cancelDelay = time.Second
)

func (c *call) showTransfer(number string) (any, *refusal) {
	s := c.begin()
	defer s.commit()
	found, known := s.transfers.get(number)
	if !known || c.hides(found.Since) || c.now.Sub(found.Since) > lookBack && c.holds(LookBack) {
		return nil, transferNotFound
	}
	answer := found.withReason(map[string]any{
		"mch_id": c.merchant.ID, "out_bill_no": found.Number, "transfer_bill_no": found.ID, "state": found.State, "transfer_amount": found.Amount,
		"create_time": platformTime(found.Since), "update_time": platformTime(found.Changed),
	})
	request := readRequest(found.Request)
	for _, name := range []string{"appid", "transfer_remark", "openid"} {
		answer[name] = request[name]
	}
	if name, ok := request["user_name"].(string); ok && name != "" {
		answer["user_name"] = c.seal(name)
	}
	return answer, nil
}

// seal encrypts a member of an answer to the merchant.
func (s *Sandbox) seal(value string) string {
	return sealFor(s.scheme, s.merchant.PrivateKey.Public(), value)
}

func sealFor(scheme apiv3.Scheme, public crypto.PublicKey, value string) string {
	ciphertext, err := scheme.Encrypt(public, []byte(value))
	if err != nil {
		panic(fmt.Sprintf("sandbox: encrypting a member: %v", err)) // it was opened from no larger a ciphertext
	}
	return base64.StdEncoding.EncodeToString(ciphertext)
}

func (c *call) cancelTransfer() (any, *refusal) {
	s := c.begin()
	defer s.commit()
	t, known := s.transfers.get(c.path["out_bill_no"])
	if !known {
		return nil, transferNotFound
	}
	switch t.State {
	case "SUCCESS", "FAIL":
		return nil, invalidRequest(text{"单据已是终态，不可撤销", "the bill has reached a final state and cannot be cancelled"}, "the transfer bill has ended as "+t.State)
	case "CANCELING", "CANCELLED":
		return t.cancelled(), nil
	}
	t.become("CANCELING", c.now)
	fate := Ending{State: "CANCELLED"}
	if c.holds(AsyncCancel) {
		fate.After = cancelDelay
	}
	t.lead(fate, c.now)
	s.transfers.put(t.Number, t)
	return t.cancelled(), nil
}

func (t transfer) cancelled() map[string]any {
	return map[string]any{"out_bill_no": t.Number, "transfer_bill_no": t.ID, "state": t.State, "update_time": platformTime(t.Changed)}
}

// resource is what the notification of the final state says.
func (t transfer) resource(mchid string) map[string]any {
	return t.withReason(map[string]any{
		"mch_id": mchid, "out_bill_no": t.Number, "transfer_bill_no": t.ID, "state": t.State, "transfer_amount": t.Amount,
		"openid": readRequest(t.Request)["openid"], "create_time": platformTime(t.Since), "update_time": platformTime(t.Changed),
	})
}
