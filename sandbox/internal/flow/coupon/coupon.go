// Package coupon is cash coupons: stocks of them, and those that users have.
package coupon

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// stock is what coupons are sent from. Its states are unactivated, running, paused and stoped, as
// the platform spells it.
type stock struct {
	Request string    `json:"request"` // in canonical JSON
	ID      string    `json:"id"`      // stock_id
	Number  string    `json:"number"`  // out_request_no
	State   string    `json:"state"`
	Since   time.Time `json:"since"`
	Changed time.Time `json:"changed"`          // when the state began
	Started time.Time `json:"started,omitzero"` // when it was activated
	Begin   time.Time `json:"begin"`
	End     time.Time `json:"end"`
	Face    int64     `json:"face,omitempty"`    // of a coupon, fen
	Minimum int64     `json:"minimum,omitempty"` // total of an order from which a coupon can be used, fen
	Sent    int64     `json:"sent,omitempty"`    // coupons
	Amount  int64     `json:"amount,omitempty"`  // of the coupons that were sent, fen
}

// Due is when a stock ends by itself.
func (s stock) Due() time.Time {
	if s.State == "stoped" {
		return time.Time{}
	}
	return s.End
}

// coupon is one that a user has. Its states are SENDED, USED and EXPIRED.
type coupon struct {
	Request     string    `json:"request"` // in canonical JSON
	ID          string    `json:"id"`      // coupon_id
	Number      string    `json:"number"`  // out_request_no
	Stock       string    `json:"stock"`   // stock_id
	OpenID      string    `json:"openid"`
	AppID       string    `json:"appid"`
	State       string    `json:"state"`
	Since       time.Time `json:"since"`
	Begin       time.Time `json:"begin"`
	End         time.Time `json:"end"`
	Face        int64     `json:"face,omitempty"`
	Minimum     int64     `json:"minimum,omitempty"`
	UsedAt      time.Time `json:"used_at,omitzero"`
	UsedBy      string    `json:"used_by,omitempty"`     // the merchant of the order
	Transaction string    `json:"transaction,omitempty"` // of the order
	Amount      int64     `json:"amount,omitempty"`      // what it paid of the order, fen
}

// Due is when a coupon that nobody used expires.
func (p coupon) Due() time.Time {
	if p.State != "SENDED" {
		return time.Time{}
	}
	return p.End
}

// callback is where a merchant is told of coupons that were used.
type callback struct {
	URL string `json:"url"`
	Off bool   `json:"off,omitempty"`
}

// Flow is the coupons of one merchant.
type Flow struct {
	*gate.Merchant
	orders    *order.Flow
	stocks    book.Table[stock]    // by stock_id
	coupons   book.Table[coupon]   // by out_request_no
	callbacks book.Table[callback] // by mchid
}

var notExist = &say.Rejection{
	Status: http.StatusNotFound, Code: "RESOURCE_NOT_EXISTS", Number: say.NumberUndocumented,
	Message: say.Both("查询的资源不存在", "the resource does not exist"), Reason: "there is nothing under this number",
}

// integer reads a number of a request; 0 if it is not there.
func integer(object map[string]any, name string) int64 {
	number, _ := object[name].(json.Number)
	n, _ := number.Int64()
	return n
}

func objectOf(object map[string]any, name string) map[string]any {
	inner, _ := object[name].(map[string]any)
	return inner
}

func listOf(object map[string]any, name string) []any {
	list, _ := object[name].([]any)
	return list
}

// describe is what a stock says of its coupons, too.
func describe(request map[string]any) map[string]any {
	description, _ := objectOf(request, "pattern_info")["description"].(string)
	return map[string]any{
		"description": description, "no_cash": request["no_cash"], "singleitem": len(listOf(objectOf(request, "coupon_use_rule"), "available_items")) > 0,
	}
}
