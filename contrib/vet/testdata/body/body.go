// Package body has bodies with mistakes and without.
package body

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/api"
)

type amount struct {
	Total    int64  `json:"total"`
	Currency string `json:"currency,omitempty"`
}

type order struct {
	Description string  `json:"description"`
	OutTradeNo  string  `json:"out_trade_no"`
	NotifyURL   string  `json:"notify_url"`
	Attach      string  `json:"attach,omitempty"`
	Amount      *amount `json:"amount"`
}

type short struct {
	Description string `json:"description"`
	OutTradeNo  string `json:"out_trade_no"`
	NotifyURL   string `json:"notify_url"`
}

type mistyped struct {
	order
	Amount struct {
		Total string `json:"total"`
	} `json:"amount"`
}

type custom struct{ order }

func (custom) MarshalJSON() ([]byte, error) { return nil, nil }

func money(total int64) wxpay.JSON { return wxpay.JSON{"total": total} }

func fill(into wxpay.JSON) { into["amount"] = money(1) }

func right(ctx context.Context, client *wxpay.Client, number string, total int64, anything any, raw json.RawMessage) {
	native := client.Chain("v3/pay/transactions/native")
	native.Post(ctx, wxpay.JSON{"description": "tea", "out_trade_no": number, "notify_url": "https://example.com", "amount": money(total), "time_expire": time.Now().Format(time.RFC3339)})
	native.Post(ctx, wxpay.JSON{"description": "tea", "out_trade_no": number, "notify_url": "https://example.com", "amount": money(total), "time_expire": time.Now().Format("2006-01-02T15:04:05-07:00")})
	native.Post(ctx, wxpay.JSON{"description": "tea", "out_trade_no": number, "notify_url": "https://example.com", "amount": money(total), "time_expire": time.Now()})
	native.Post(ctx, wxpay.JSON{"description": "tea", "out_trade_no": number, "notify_url": "https://example.com", "amount": money(total), "time_expire": time.Now().Format(number)})
	native.Post(ctx, wxpay.JSON{"description": "tea", "out_trade_no": number, "notify_url": "https://example.com", "amount": wxpay.JSON{"total": 1}})
	native.Post(ctx, map[string]any{"description": "tea", "out_trade_no": number, "notify_url": "https://example.com", "amount": money(total)})
	native.Post(ctx, order{OutTradeNo: number, Amount: &amount{Total: 1}})
	native.Post(ctx, custom{})
	native.Post(ctx, anything)
	native.Post(ctx, raw)
	native.Post(ctx, fmt.Sprintf(`{"description": %q}`, number))
	api.V3(client).Pay().Transactions().Native().Post(ctx, anything)
	body := wxpay.JSON{"description": "tea", "out_trade_no": number, "notify_url": "https://example.com"}
	body["amount"] = money(total)
	native.Post(ctx, body)
	elsewhere := wxpay.JSON{"description": "tea", "out_trade_no": number, "notify_url": "https://example.com"}
	fill(elsewhere)
	native.Post(ctx, elsewhere)
	var later order
	if err := json.Unmarshal(raw, &later); err != nil {
		return
	}
	native.Post(ctx, later)
	keyed := wxpay.JSON{number: "any"}
	native.Post(ctx, keyed)
	nested := wxpay.JSON{"description": "tea", "out_trade_no": number, "notify_url": "https://example.com", "amount": wxpay.JSON{}}
	nested["amount"].(wxpay.JSON)["total"] = total
	native.Post(ctx, nested)
}

func wrong(ctx context.Context, client *wxpay.Client, number string, total float64) {
	native := client.Chain("v3/pay/transactions/native")
	native.Post(ctx, wxpay.JSON{ // want `lacks the required field amount \(订单金额\)`
		"description":  "tea",
		"out_trade_no": number,
		"notify_url":   "https://example.com",
	})
	native.Post(ctx, wxpay.JSON{"description": "tea", "out_trade_no": number, "notify_url": "https://example.com"}) // want `lacks the required field amount`
	native.Post(ctx, &order{OutTradeNo: number})                                                                    // want `lacks the required field amount`
	native.Post(ctx, short{})                                                                                       // want `lacks the required field amount`
	native.Post(ctx, nil)                                                                                           // want `lacks the required fields description` `lacks the required field notify_url`
	native.Post(ctx, mistyped{})                                                                                    // want `amount.total is a string and documented as integer`
	native.Post(ctx, "{")                                                                                           // want `the body is not JSON`
	native.Post(ctx, `{"description": "tea", "out_trade_no": "number-1", "notify_url": "https://example.com"}`)     // want `lacks the required field amount`
	native.Post(ctx, []wxpay.JSON{})                                                                                // want `the body is an array, not an object`
	native.Post(ctx, wxpay.JSON{
		"description":  "tea",
		"descripton":   "tea",                           // want `no documented field descripton \(hint\)`
		"time_expire":  "20180608103456",                // want `time_expire is documented in the form 2018-06-08T10:34:56\+08:00, and is written like "20180608103456": use time.RFC3339 \(hint\)`
		"attach":       "tea 🍵",                         // want `leave emoji out`
		"out_trade_no": 1217752501,                      // want `out_trade_no is a number and documented as string`
		"notify_url":   []string{"https://example.com"}, // want `notify_url is an array and documented as string`
		"amount": wxpay.JSON{
			"total": 88.5, // want `amount.total is documented as integer.*has a fraction`
		},
	})
	client.Chain("v3/refund/domestic/refunds").Ensure(ctx, wxpay.JSON{
		"out_trade_no": number, "out_refund_no": number, "attch": number, "notify_ur": "https://example.com", // want `no documented field attch ` `no documented field notify_ur; did you mean notify_url\?`
		"amount": wxpay.JSON{"refund": 1, "total": "2", "currency": "CNY"}, // want `amount.total is a string and documented as integer`
	})
	body := wxpay.JSON{"description": "tea", "out_trade_no": number, "notify_url": "https://example.com"}
	body["amount"] = wxpay.JSON{"total": total * 100} // want `amount.total is documented as integer.*floating-point`
	native.Post(ctx, body)
	text := wxpay.JSON{"description": "tea", "out_trade_no": number, "notify_url": "https://example.com", "amount": wxpay.JSON{"total": "100"}} // want `amount.total is a string and documented as integer`
	native.Ensure(ctx, text)
	client.Chain("v3/fund-app/mch-transfer/transfer-bills").Ensure(ctx, wxpay.JSON{
		"appid": "wxd678efh567hg6787", "out_bill_no": number, "openid": number, "transfer_remark": "gift",
		"transfer_amount": 0.1, // want `transfer_amount is documented as number \(fen\), and has a fraction`
	})
	client.Chain("v3/apply4subject/applyment").Post(ctx, wxpay.JSON{number: 1, "contact_info": wxpay.JSON{number: 1, "contact_period_begin": "20190606"}}) // want `contact_info.contact_period_begin is documented in the form 2018-06-08, and is written like "20190606": use time.DateOnly`
	until := time.Now().Format("2006-01-02 15:04:05")
	native.Post(ctx, wxpay.JSON{"description": "tea", "out_trade_no": number, "notify_url": "https://example.com", "amount": money(1), "time_expire": until}) // want `time_expire is documented in the form .*, and is written like "2018-06-08 10:34:56": use time.RFC3339`
	api.V3(client).Pay().Transactions().Native().Post(ctx, wxpay.JSON{"description": "tea", "out_trade_no": number, "notify_url": "x"})                       // want `lacks the required field amount`
}

// Which keys a map has lost is not followed.
func lost(ctx context.Context, client *wxpay.Client, number string) {
	body := wxpay.JSON{"description": "tea", "out_trade_no": number, "notify_url": "https://example.com", "payer": wxpay.JSON{"openid": number}}
	delete(body, "payer")
	client.Chain("v3/pay/transactions/native").Post(ctx, body)
}
