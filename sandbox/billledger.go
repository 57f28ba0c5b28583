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
func (c *call) ledgerTrades(day time.Time, kind string, pick func(order) bool) []trade {
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
		whole := request
		if m, combined := s.combined.get(o.Combine); combined {
			whole = readRequest(m.Request)
		}
		return trade{
			appid: or(plainText(whole["appid"]), or(plainText(whole["sp_appid"]), plainText(whole["combine_appid"]))), mchid: c.merchant.ID, sub: o.Sub,
			transaction: o.Transaction, number: plainText(o.Number), openid: plainText(o.OpenID),
			way: o.Way, goods: plainText(request["description"]), attach: plainText(request["attach"]), total: o.Total,
		}
	}
	only := c.query.Get("sub_mchid")
	if kind == "ALL" || kind == "SUCCESS" {
		for _, o := range s.orders.rows {
			if o.Transaction != "" && (only == "" || o.Sub == only) && pick(o) {
				add(o.PaidAt, row(o))
			}
		}
	}
	if kind == "ALL" || kind == "REFUND" {
		for _, r := range s.refunds.rows {
			if r.State == "CLOSED" || only != "" && r.Sub != only {
				continue
			}
			o, _ := s.orders.get(orderKey(r.Sub, r.Trade))
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

// ledgerFlows are the movements of an account on a day. The account BASIC takes payments and pays fees, refunds and shares,
// transfer bills are paid from OPERATION, and nothing happens in others. of says whose account it is, by sub_mchid.
func (c *call) ledgerFlows(day time.Time, account string, of func(sub string) bool) []flow {
	s := c.begin()
	defer s.commit()
	var rows []billRow[flow]
	add := func(at time.Time, f flow) {
		f.at = billTime(at)
		rows = append(rows, billRow[flow]{f, at, f.business + f.serial})
	}
	by := c.merchant.ID + "API"
	switch account {
	case "BASIC", "ALL":
		for _, o := range s.orders.rows {
			if o.Transaction == "" || !of(o.Sub) {
				continue
			}
			number := plainText(o.Number)
			add(o.PaidAt, flow{business: o.Transaction, serial: "1" + o.Transaction, name: "交易", kind: "交易", by: "system", voucher: number, amount: o.Total})
			if cost := feeOf(o.Total); cost > 0 {
				add(o.PaidAt, flow{business: o.Transaction, serial: "2" + o.Transaction, name: "交易", kind: "扣除交易手续费", by: "system", voucher: number, amount: -cost})
			}
		}
		for _, r := range s.refunds.rows {
			if r.State == "CLOSED" || !of(r.Sub) {
				continue
			}
			cost := feeOf(r.Amount)
			add(r.Since, flow{
				business: r.ID, serial: "3" + r.ID, name: "退款", kind: "退款", by: by,
				note: "退款总金额" + yuan(r.Amount) + "元;含手续费" + yuan(cost) + "元", voucher: plainText(r.Number), amount: cost - r.Amount,
			})
		}
		for _, h := range s.shares.rows {
			for _, t := range h.To {
				if t.Result == "SUCCESS" && !t.Rest && of(h.Sub) {
					add(t.Finished, flow{business: h.ID, serial: t.Detail, name: "分账", kind: "分账", by: by, voucher: plainText(h.Number), amount: -t.Amount})
				}
			}
		}
		for _, r := range s.returns.rows {
			if r.State == "SUCCESS" && of(r.Sub) {
				add(r.Changed, flow{business: r.ID, serial: "5" + r.ID, name: "分账回退", kind: "分账回退", by: by, voucher: plainText(r.Number), amount: r.Amount})
			}
		}
	case "OPERATION":
		for _, t := range s.transfers.rows {
			if t.State == "SUCCESS" && of("") {
				add(t.Changed, flow{business: t.ID, serial: "4" + t.ID, name: "商家转账", kind: "商家转账", by: by, voucher: t.Number, amount: -t.Amount})
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

// ledgerShares are the results of shares and returns of a day.
func (c *call) ledgerShares(day time.Time) []share {
	s := c.begin()
	defer s.commit()
	only := c.query.Get("sub_mchid")
	var rows []billRow[share]
	add := func(at time.Time, h shared, row share) {
		o, _ := s.orders.get(h.Order)
		row.at, row.by, row.payer, row.transaction, row.total = billTime(at), c.merchant.ID, or(h.Sub, c.merchant.ID), h.Transaction, o.Total
		if r := (billRow[share]{row, at, row.order + row.detail}); r.on(day) && (only == "" || h.Sub == only) {
			rows = append(rows, r)
		}
	}
	for _, h := range s.shares.rows {
		for _, t := range h.To {
			state := "处理成功"
			if t.Result == "CLOSED" {
				state = "已关闭"
			}
			if t.Result != "PENDING" {
				add(t.Finished, h, share{
					order: h.ID, detail: t.Detail, number: plainText(h.Number), receiver: plainText(t.Account), amount: t.Amount, kind: "分账", state: state, description: plainText(t.Description),
				})
			}
		}
	}
	for _, r := range s.returns.rows {
		if h, _ := s.shares.get(r.Share); r.State == "SUCCESS" {
			add(r.Changed, h, share{order: r.ID, number: plainText(r.Number), receiver: r.Mchid, amount: r.Amount, kind: "分账回退", state: "处理成功", description: plainText(r.Description)})
		}
	}
	sortRows(rows)
	list := make([]share, len(rows))
	for i := range rows {
		list[i] = rows[i].row
	}
	return list
}
