// Package transfer simulates merchant transfers that the user confirms, and their receipts.
package transfer

import (
	"iter"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/ledger"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Transfer is one transfer bill that was accepted.
type Transfer struct {
	ledger.Course
	Request string `json:"request"` // in canonical JSON, with encrypted fields decrypted
	ID      string `json:"id"`      // transfer_bill_no
	Number  string `json:"number"`  // out_bill_no
	Amount  int64  `json:"amount"`  // fen
	Package string `json:"package"` // package_info, with which the user is asked to confirm
}

// billNumber is the limit of out_bill_no.
var billNumber = gate.Limit{Min: 1, Max: 32, Charset: say.Alphanumeric}

// accepted is the response to the request itself.
func (t Transfer) accepted() map[string]any {
	response := map[string]any{
		"out_bill_no": t.Number, "transfer_bill_no": t.ID, "create_time": say.Time(t.Since), "state": t.State,
	}
	if t.State == "WAIT_USER_CONFIRM" {
		response["package_info"] = t.Package
	}
	return t.withReason(response)
}

// withReason adds why the transfer failed, if it did.
func (t Transfer) withReason(response map[string]any) map[string]any {
	if t.State == "FAIL" {
		response["fail_reason"] = "PAYEE_ACCOUNT_ABNORMAL"
	}
	return response
}

func (t Transfer) cancelled() map[string]any {
	return map[string]any{"out_bill_no": t.Number, "transfer_bill_no": t.ID, "state": t.State, "update_time": say.Time(t.Changed)}
}

// resource is the resource of the notification of the final state.
func (t Transfer) resource(mchid string) map[string]any {
	return t.withReason(map[string]any{
		"mch_id": mchid, "out_bill_no": t.Number, "transfer_bill_no": t.ID, "state": t.State, "transfer_amount": t.Amount,
		"openid": book.ReadObject(t.Request)["openid"], "create_time": say.Time(t.Since), "update_time": say.Time(t.Changed),
	})
}

var transferNotFound = &say.Rejection{
	Status: http.StatusNotFound, Code: "NOT_FOUND", Number: say.NumberUndocumented,
	Message: say.Both("记录不存在", "the bill does not exist"), Reason: "no transfer bill was accepted under this number",
}

// Flow is the transfer bills of one merchant.
type Flow struct {
	*gate.Merchant
	orders    *order.Flow
	transfers book.Table[Transfer] // by out_bill_no
	bills     book.Table[string]   // out_bill_no by transfer_bill_no
	receipts  book.Table[receipt]  // by transfer_bill_no
}

// All yields all transfer bills with their out_bill_no. The book must be begun.
func (f *Flow) All() iter.Seq2[string, Transfer] { return f.transfers.Rows() }

// numberOfBill returns the out_bill_no of a transfer_bill_no.
func (f *Flow) numberOfBill(c *gate.Call, id string) string {
	defer c.Begin().Commit()
	number, _ := f.bills.Get(id)
	return number
}

// receipt is the electronic receipt of a transfer bill for which the merchant applied.
type receipt struct {
	Applied time.Time `json:"applied"`
	Changed time.Time `json:"changed"`
	Asked   int       `json:"asked,omitempty"` // how often its state was queried
}
