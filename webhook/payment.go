package webhook

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/strict"
)

// ErrNotPaid means that a notification's trade_state is not SUCCESS.
var ErrNotPaid = fault.New("the order is not paid")

// ErrNotPayment means that a notification does not report a payment: profit sharing, for example,
// arrives under the same event type.
var ErrNotPayment = fault.New("the notification is not about a payment")

// MismatchError means that a payment differs from the expected one. Do not deliver; investigate.
type MismatchError struct {
	// Field is the field of the resource that differs, such as amount.total.
	Field string
	// Want is the expected value and Got that of the notification, empty if it is absent or, for an
	// amount, no whole number.
	Want, Got string
}

func (e *MismatchError) Error() string {
	return "webhook: the payment's " + e.Field + " is not the expected one"
}

// Format prints the error's text, without values, under every verb.
func (e MismatchError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText returns the error's text.
func (e MismatchError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// Payment is the expected content of a payment notification, from the caller's own records.
type Payment struct {
	// MchID is the merchant number: mchid, or sp_mchid of a service provider. Required.
	MchID string
	// SubMchID is the sub-merchant's number. Required when the notification names one.
	SubMchID string
	// AppID is appid, sp_appid of a service provider, or combine_appid. Empty is not checked.
	AppID string
	// OutTradeNo is the merchant's order number. Required for an order of a combined payment, to
	// choose it among the others. Otherwise an empty one is not checked.
	OutTradeNo string
	// Total is the order's amount in the smallest unit (fen): amount.total, the price before
	// coupons, not payer_total, which the user paid. Required.
	Total int64
	// Currency is the order's currency. Empty means CNY.
	Currency string
}

// Check compares a payment notification with the expected payment: kind, state, merchant, appid,
// number, amount and currency. The error is ErrNotPayment, ErrNotPaid, a *[MismatchError], or that
// of a Payment without MchID or Total.
//
// In a combined payment it finds the order of OutTradeNo, whose merchant is MchID (or SubMchID
// under it).
func (p Payment) Check(e *Event) error {
	if p.MchID == "" || p.Total <= 0 {
		return errors.New("webhook: Payment needs MchID and a Total above zero to check anything")
	}
	if !strings.HasPrefix(e.Type, "TRANSACTION.") || foreign(e) {
		return fmt.Errorf("webhook: %w: it is %s of %s", ErrNotPayment, redact.Printable(e.Type), redact.Printable(e.OriginalType))
	}
	if orders := e.Get("sub_orders"); orders.IsArray() {
		return p.checkCombined(e)
	}
	merchant, appid := "mchid", "appid"
	if e.Get("sp_mchid").Exists() {
		merchant = "sp_mchid"
		if e.Get("sp_appid").Exists() {
			appid = "sp_appid"
		}
	}
	total, err := e.Fen("amount.total")
	return p.check(e.Get("trade_state").String(), []comparison{
		{merchant, p.MchID, e.Get(merchant).String(), true},
		{"sub_mchid", p.SubMchID, e.Get("sub_mchid").String(), e.Get("sub_mchid").Exists()},
		{appid, p.AppID, e.Get(appid).String(), false},
		{"out_trade_no", p.OutTradeNo, e.Get("out_trade_no").String(), false},
		{"amount.total", p.total(), fen(total, err), true},
		{"amount.currency", p.currency(), orCNY(e.Get("amount.currency").String()), true},
	})
}

func (p Payment) checkCombined(e *Event) error {
	if p.OutTradeNo == "" {
		return errors.New("webhook: several orders were paid together: Payment needs OutTradeNo to tell which one is meant")
	}
	var first error = &MismatchError{Field: "sub_orders.out_trade_no", Want: p.OutTradeNo}
	found := false
	for _, order := range e.Get("sub_orders").Array() {
		if order.Get("out_trade_no").String() != p.OutTradeNo {
			continue
		}
		total, err := strict.Fen(order.Get("amount.total_amount"))
		err = p.check(order.Get("trade_state").String(), []comparison{
			{"sub_orders.mchid", p.MchID, order.Get("mchid").String(), true},
			{"sub_orders.sub_mchid", p.SubMchID, order.Get("sub_mchid").String(), order.Get("sub_mchid").Exists()},
			{"combine_appid", p.AppID, e.Get("combine_appid").String(), false},
			{"sub_orders.amount.total_amount", p.total(), fen(total, err), true},
			{"sub_orders.amount.currency", p.currency(), orCNY(order.Get("amount.currency").String()), true},
		})
		if err == nil {
			return nil
		}
		// Numbers are unique within a merchant only: another one's order may have the same.
		if !found {
			first, found = err, true
		}
	}
	return first
}

// comparison is one field to compare; an optional one only if a value is expected.
type comparison struct {
	field, want, got string
	required         bool
}

func (p Payment) check(state string, comparisons []comparison) error {
	if state != "SUCCESS" {
		return fmt.Errorf("webhook: %w: its trade_state is %s", ErrNotPaid, redact.Printable(state))
	}
	for _, c := range comparisons {
		if (c.required || c.want != "") && c.want != c.got {
			return &MismatchError{Field: c.field, Want: c.want, Got: c.got}
		}
	}
	return nil
}

func (p Payment) total() string { return fen(p.Total, nil) }

// fen is an amount as a text; empty if there is none.
func fen(amount int64, err error) string {
	if err != nil {
		return ""
	}
	return strconv.FormatInt(amount, 10)
}

func (p Payment) currency() string { return orCNY(p.Currency) }

func orCNY(currency string) string {
	if currency == "" {
		return "CNY"
	}
	return currency
}
