package bill

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/order"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/share"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/ledger"
	"github.com/wxpay-go/wxpay/sandbox/internal/sample"
)

// openingBalance is what an account holds before anything happens, fen.
const openingBalance = 100_000_000

// billRow is a row of a bill from the ledger. Rows are put in the order of time, and of their keys
// where the time is the same.
type billRow[T any] struct {
	row T
	at  time.Time
	key string
}

func sortRows[T any](rows []billRow[T]) {
	slices.SortFunc(rows, func(a, b billRow[T]) int {
		if by := a.at.Compare(b.at); by != 0 {
			return by
		}
		return strings.Compare(a.key, b.key)
	})
}

func (r billRow[T]) on(day time.Time) bool {
	return !r.at.Before(day) && r.at.Before(day.AddDate(0, 0, 1))
}

// ledgerTrades are the payments and the refunds of a day, in order. A refund counts on the day on
// which it was accepted, unless it is closed.
func (f *Flow) ledgerTrades(c *gate.Call, day time.Time, kind string, pick func(order.Order) bool) []trade {
	defer c.Begin().Commit()
	var rows []billRow[trade]
	add := func(at time.Time, t trade) {
		t.at = billTime(at)
		if r := (billRow[trade]{t, at, t.transaction + t.refundID}); r.on(day) {
			rows = append(rows, r)
		}
	}
	row := func(o order.Order) trade {
		request := book.ReadObject(o.Request)
		whole := f.orders.Whole(o)
		return trade{
			appid: cmp.Or(plainText(whole["appid"]), cmp.Or(plainText(whole["sp_appid"]), plainText(whole["combine_appid"]))), mchid: c.ID, sub: o.Sub,
			transaction: o.Transaction, number: plainText(o.Number), openid: plainText(o.OpenID),
			way: o.Way, goods: plainText(request["description"]), attach: plainText(request["attach"]), total: o.Total,
		}
	}
	only := c.Query.Get("sub_mchid")
	if kind == "ALL" || kind == "SUCCESS" {
		for _, o := range f.orders.All() {
			if o.Transaction != "" && (only == "" || o.Sub == only) && pick(o) {
				add(o.PaidAt, row(o))
				if kind == "ALL" && !o.Reversed.IsZero() {
					t := row(o)
					t.reversed, t.refundID, t.refundNumber, t.refund = true, "0", "0", o.Total
					add(o.Reversed, t)
				}
			}
		}
	}
	if kind == "ALL" || kind == "REFUND" {
		for _, r := range f.refunds.All() {
			if r.State == "CLOSED" || only != "" && r.Sub != only {
				continue
			}
			o, _ := f.orders.Get(ledger.Key(r.Sub, r.Trade))
			if !pick(o) {
				continue
			}
			t := row(o)
			t.refundID, t.refundNumber, t.refundState, t.refund, t.asked = r.ID, plainText(r.Number), billState(r.State), r.Amount, billTime(r.Since)
			if r.State == "SUCCESS" {
				t.refundedAt = billTime(r.Changed)
			}
			add(r.Since, t)
		}
	}
	sortRows(rows)
	list := make([]trade, len(rows))
	for i := range rows {
		list[i] = rows[i].row
	}
	return list
}

// billState is how a bill calls the state of a refund.
func billState(state string) string {
	if state == "ABNORMAL" {
		return "CHANGE"
	}
	return state
}

// ledgerFlows are the movements of an account on a day. The account BASIC takes payments and pays
// fees, refunds and shares, transfer bills are paid from OPERATION, and nothing happens in others.
// of says whose account it is, by sub_mchid.
func (f *Flow) ledgerFlows(c *gate.Call, day time.Time, account string, of func(sub string) bool) []movement {
	defer c.Begin().Commit()
	var rows []billRow[movement]
	add := func(at time.Time, f movement) {
		f.at = billTime(at)
		rows = append(rows, billRow[movement]{f, at, f.business + f.serial})
	}
	by := c.ID + "API"
	switch account {
	case "BASIC", "ALL":
		for _, o := range f.orders.All() {
			if o.Transaction == "" || !of(o.Sub) {
				continue
			}
			number := plainText(o.Number)
			add(o.PaidAt, movement{business: o.Transaction, serial: "1" + o.Transaction, name: "交易", kind: "交易", by: "system", voucher: number, amount: o.Total})
			if cost := feeOf(o.Total); cost > 0 {
				add(o.PaidAt, movement{business: o.Transaction, serial: "2" + o.Transaction, name: "交易", kind: "扣除交易手续费", by: "system", voucher: number, amount: -cost})
			}
			if !o.Reversed.IsZero() {
				add(o.Reversed, movement{
					business: o.Transaction, serial: "6" + o.Transaction, name: "退款", kind: "退款", by: by,
					note: "付款码支付撤销", voucher: number, amount: feeOf(o.Total) - o.Total,
				})
			}
		}
		for _, r := range f.refunds.All() {
			if r.State == "CLOSED" || !of(r.Sub) {
				continue
			}
			cost := feeOf(r.Amount)
			add(r.Since, movement{
				business: r.ID, serial: "3" + r.ID, name: "退款", kind: "退款", by: by,
				note: "退款总金额" + sample.Yuan(r.Amount) + "元;含手续费" + sample.Yuan(cost) + "元", voucher: plainText(r.Number), amount: cost - r.Amount,
			})
		}
		for _, h := range f.shares.All() {
			for _, t := range h.To {
				if t.Result == "SUCCESS" && !t.Rest && of(h.Sub) {
					add(t.Finished, movement{business: h.ID, serial: t.Detail, name: "分账", kind: "分账", by: by, voucher: plainText(h.Number), amount: -t.Amount})
				}
			}
		}
		for _, r := range f.shares.Returns() {
			if r.State == "SUCCESS" && of(r.Sub) {
				add(r.Changed, movement{business: r.ID, serial: "5" + r.ID, name: "分账回退", kind: "分账回退", by: by, voucher: plainText(r.Number), amount: r.Amount})
			}
		}
	case "OPERATION":
		for _, t := range f.transfers.All() {
			if t.State == "SUCCESS" && of("") {
				add(t.Changed, movement{business: t.ID, serial: "4" + t.ID, name: "商家转账", kind: "商家转账", by: by, voucher: t.Number, amount: -t.Amount})
			}
		}
	}
	sortRows(rows)
	balance := int64(openingBalance)
	var list []movement
	for _, r := range rows {
		balance += r.row.amount
		if r.on(day) {
			r.row.balance = balance
			list = append(list, r.row)
		}
	}
	return list
}

// ledgerShares are the results of shares and returns of a day.
func (f *Flow) ledgerShares(c *gate.Call, day time.Time) []shareRow {
	defer c.Begin().Commit()
	only := c.Query.Get("sub_mchid")
	var rows []billRow[shareRow]
	add := func(at time.Time, h share.Share, row shareRow) {
		o, _ := f.orders.Get(h.Order)
		row.at, row.by, row.payer, row.transaction, row.total = billTime(at), c.ID, cmp.Or(h.Sub, c.ID), h.Transaction, o.Total
		if r := (billRow[shareRow]{row, at, row.order + row.detail}); r.on(day) && (only == "" || h.Sub == only) {
			rows = append(rows, r)
		}
	}
	for _, h := range f.shares.All() {
		for _, t := range h.To {
			state := "处理成功"
			if t.Result == "CLOSED" {
				state = "已关闭"
			}
			if t.Result != "PENDING" {
				add(t.Finished, h, shareRow{
					order: h.ID, detail: t.Detail, number: plainText(h.Number), receiver: plainText(t.Account), amount: t.Amount, kind: "分账", state: state, description: plainText(t.Description),
				})
			}
		}
	}
	for _, r := range f.shares.Returns() {
		if h := f.shares.Returned(r); r.State == "SUCCESS" {
			add(r.Changed, h, shareRow{order: r.ID, number: plainText(r.Number), receiver: r.Mchid, amount: r.Amount, kind: "分账回退", state: "处理成功", description: plainText(r.Description)})
		}
	}
	sortRows(rows)
	list := make([]shareRow, len(rows))
	for i := range rows {
		list[i] = rows[i].row
	}
	return list
}
