package sandbox

import (
	"slices"
	"strings"
	"time"
)

// openingBalance is what an account holds before anything happens, fen.
const openingBalance = 100_000_000

// billRow is a row of a bill from the ledger. Rows are put in the order of time, and of their keys where the time is the same.
type billRow[T any] struct {
	row T
	at  time.Time
	key string
}

func sortRows[T any](rows []billRow[T]) {
	slices.SortFunc(rows, func(a, b billRow[T]) int {
		if order := a.at.Compare(b.at); order != 0 {
			return order
		}
		return strings.Compare(a.key, b.key)
	})
}

func (r billRow[T]) on(day time.Time) bool {
	return !r.at.Before(day) && r.at.Before(day.AddDate(0, 0, 1))
}

// ledgerTrades are the payments and the refunds of a day, in order. A refund counts on the day on which it was accepted,
// unless it is closed.
func (c *call) ledgerTrades(day time.Time, kind string) []trade {
	s := c.begin()
	defer s.commit()
	var rows []billRow[trade]
	add := func(at time.Time, t trade) {
		t.at = billTime(at)
		if r := (billRow[trade]{t, at, t.transaction + t.refundID}); r.on(day) {
			rows = append(rows, r)
		}
	}
	row := func(o order) trade {
		request := readRequest(o.Request)
		return trade{
			appid: plainText(request["appid"]), mchid: c.merchant.ID, transaction: o.Transaction, number: plainText(o.Number), openid: plainText(o.OpenID),
			way: o.Way, goods: plainText(request["description"]), attach: plainText(request["attach"]), total: o.Total,
		}
	}
	if kind == "ALL" || kind == "SUCCESS" {
		for _, o := range s.orders.rows {
			if o.Transaction != "" {
				add(o.PaidAt, row(o))
			}
		}
	}
	if kind == "ALL" || kind == "REFUND" {
		for _, r := range s.refunds.rows {
			o, _ := s.orders.get(r.Trade)
			if r.State == "CLOSED" {
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

// ledgerFlows are the movements of an account on a day. The account BASIC takes payments and pays fees and refunds, transfer
// bills are paid from OPERATION, and nothing happens in others.
func (c *call) ledgerFlows(day time.Time, account string) []flow {
	s := c.begin()
	defer s.commit()
	var rows []billRow[flow]
	add := func(at time.Time, f flow) {
		f.at = billTime(at)
		rows = append(rows, billRow[flow]{f, at, f.business + f.serial})
	}
	switch account {
	case "BASIC", "ALL":
		for _, o := range s.orders.rows {
			if o.Transaction == "" {
				continue
			}
			number := plainText(o.Number)
			add(o.PaidAt, flow{business: o.Transaction, serial: "1" + o.Transaction, name: "交易", kind: "交易", by: "system", voucher: number, amount: o.Total})
			if cost := feeOf(o.Total); cost > 0 {
				add(o.PaidAt, flow{business: o.Transaction, serial: "2" + o.Transaction, name: "交易", kind: "扣除交易手续费", by: "system", voucher: number, amount: -cost})
			}
		}
		for _, r := range s.refunds.rows {
			if r.State == "CLOSED" {
				continue
			}
			cost := feeOf(r.Amount)
			add(r.Since, flow{
				business: r.ID, serial: "3" + r.ID, name: "退款", kind: "退款", by: c.merchant.ID + "API",
				note: "退款总金额" + yuan(r.Amount) + "元;含手续费" + yuan(cost) + "元", voucher: plainText(r.Number), amount: cost - r.Amount,
			})
		}
	case "OPERATION":
		for _, t := range s.transfers.rows {
			if t.State == "SUCCESS" {
				add(t.Changed, flow{business: t.ID, serial: "4" + t.ID, name: "商家转账", kind: "商家转账", by: c.merchant.ID + "API", voucher: t.Number, amount: -t.Amount})
			}
		}
	}
	sortRows(rows)
	balance := int64(openingBalance)
	var list []flow
	for _, r := range rows {
		balance += r.row.amount
		if r.on(day) {
			r.row.balance = balance
			list = append(list, r.row)
		}
	}
	return list
}
