// Package share is profit sharing: receivers, shares of orders, and returns of shares.
package share

import (
	"iter"
	"net/http"
	"slices"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/ledger"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Receiver is someone who may get a share.
type Receiver struct {
	Type     string    `json:"type"`
	Account  string    `json:"account"`
	Name     string    `json:"name,omitempty"` // opened
	Relation string    `json:"relation"`
	Custom   string    `json:"custom,omitempty"`
	Since    time.Time `json:"since"`
}

func receiverKey(sub, kind, account string) string { return sub + "/" + kind + "/" + account }

// Share is one sharing of an order, or the unfreezing of what is left of it. Its states are
// PROCESSING and FINISHED.
type Share struct {
	ledger.Course
	Request     string `json:"request"` // in canonical JSON, encrypted fields opened
	ID          string `json:"id"`      // order_id
	Number      string `json:"number"`  // out_order_no
	Sub         string `json:"sub,omitempty"`
	Transaction string `json:"transaction"`
	Order       string `json:"order"`           // key of the order
	Owner       string `json:"owner,omitempty"` // sub_mchid of whose receivers it is for; empty for the caller's
	To          []To   `json:"to"`
}

// Form is how a product calls the fields of a sharing.
type Form struct {
	Account  string   // the account of a receiver
	Finish   string   // whether what is left is unfrozen
	Types    []string // those of receivers
	Platform bool     // receivers are related to the caller, for all its sub-merchants
}

// owner is whose receivers a sharing of a sub-merchant's order is for.
func (f Form) owner(sub string) string {
	if f.Platform {
		return ""
	}
	return sub
}

// To is what one receiver gets. Its results are PENDING, SUCCESS and CLOSED.
type To struct {
	Type        string    `json:"type"`
	Account     string    `json:"account"`
	Description string    `json:"description"`
	Amount      int64     `json:"amount"` // fen
	Detail      string    `json:"detail"` // detail_id
	Rest        bool      `json:"rest,omitempty"`
	Result      string    `json:"result"`
	Next        string    `json:"next"` // the result to come
	Reason      string    `json:"reason,omitempty"`
	Finished    time.Time `json:"finished,omitzero"`
	Returned    int64     `json:"returned,omitempty"` // fen
}

// Return is the return of a share by a merchant who got it. Its states are PROCESSING, SUCCESS and
// FAILED.
type Return struct {
	ledger.Course
	Request     string `json:"request"`
	ID          string `json:"id"`     // return_id
	Number      string `json:"number"` // out_return_no
	Sub         string `json:"sub,omitempty"`
	Share       string `json:"share"` // key of the sharing
	ShareID     string `json:"share_id"`
	ShareNumber string `json:"share_number"`
	Mchid       string `json:"mchid"` // return_mchid
	Amount      int64  `json:"amount"`
	Description string `json:"description"`
	Taken       bool   `json:"taken,omitempty"` // from the balance of the merchant
}

// Rules of profit sharing.
const (
	sharePause   = time.Minute // after payment
	maxShares    = 50          // of an order
	maxReceivers = 50          // of a request
	returnPeriod = 180 * 24 * time.Hour
)

// Number is the limit of out_order_no and out_return_no.
var Number = gate.Limit{Min: 1, Max: 64, Charset: gate.OrderChars + "@"}

// Flow is the profit sharing of one merchant.
type Flow struct {
	*gate.Merchant
	orders    *order.Flow
	receivers book.Table[Receiver] // by receiverKey
	shares    book.Table[Share]    // by out_order_no, as ledger.Key
	returns   book.Table[Return]   // by out_return_no, as ledger.Key
	url       book.Table[string]   // where the merchant is told of shares, under ""
	balances  book.Table[int64]    // fen, by merchant number of a receiver; without one it is boundless
}

// All yields all shares with their keys. The book must be begun.
func (f *Flow) All() iter.Seq2[string, Share] { return f.shares.Rows() }

// Returns yields all returns with their keys. The book must be begun.
func (f *Flow) Returns() iter.Seq2[string, Return] { return f.returns.Rows() }

// Returned returns the share that was returned.
func (f *Flow) Returned(r Return) Share {
	h, _ := f.shares.Get(r.Share)
	return h
}

// receivedBy finds the merchant among the receivers whose shares arrived; -1 for none.
func (h Share) receivedBy(merchant string) int {
	return slices.IndexFunc(h.To, func(t To) bool {
		return !t.Rest && t.Type == "MERCHANT_ID" && t.Account == merchant && t.Result == "SUCCESS"
	})
}

// neverYet is how the platform tells the time of what has not happened.
var neverYet = say.Time(time.Unix(0, 0))

// Tell returns the sharing as the request itself and queries tell it.
func (h Share) Tell() map[string]any {
	receivers := make([]any, len(h.To))
	for i, t := range h.To {
		told := map[string]any{
			"type": t.Type, "account": t.Account, "amount": t.Amount, "description": t.Description, "result": t.Result, "detail_id": t.Detail,
			"create_time": say.Time(h.Since), "finish_time": neverYet,
		}
		if t.Result != "PENDING" {
			told["finish_time"] = say.Time(t.Finished)
		}
		if t.Reason != "" {
			told["fail_reason"] = t.Reason
		}
		receivers[i] = told
	}
	response := map[string]any{
		"transaction_id": h.Transaction, "out_order_no": h.Number, "order_id": h.ID, "state": h.State, "receivers": receivers,
	}
	if h.Sub != "" {
		response["sub_mchid"] = h.Sub
	}
	return response
}

var shareNotExist = &say.Rejection{
	Status: http.StatusNotFound, Code: "RESOURCE_NOT_EXISTS", Number: say.NumberUndocumented,
	Message: say.Both("记录不存在", "the record does not exist"), Reason: "nothing was accepted under these numbers",
}

func notEnough(message say.Text, reason string) *say.Rejection {
	return &say.Rejection{Status: http.StatusForbidden, Code: "NOT_ENOUGH", Number: say.NumberUndocumented, Message: message, Reason: reason}
}

// tellShares notifies the merchant, where the request says or else where NotifySharesAt does.
func (f *Flow) tellShares(event, request string, h Share, t To, amount int64, description, id, number string, now time.Time) {
	address, _ := book.ReadObject(request)["notify_url"].(string)
	if address == "" {
		address, _ = f.url.Get("")
	}
	resource := map[string]any{
		"transaction_id": h.Transaction, "order_id": id, "out_order_no": number, "success_time": say.Time(now),
		"receiver": map[string]any{"type": t.Type, "account": t.Account, "amount": amount, "description": description},
	}
	if h.Sub == "" {
		resource["mchid"] = f.ID
	} else {
		resource["sp_mchid"], resource["sub_mchid"] = f.ID, h.Sub
	}
	f.Post.Announce(address, event, resource)
}
