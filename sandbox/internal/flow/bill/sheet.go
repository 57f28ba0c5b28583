package bill

import (
	"cmp"
	"crypto/sha1"
	"encoding/hex"
	"io"
	"strconv"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/sample"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// sheet is the text of a bill: a line of titles, rows, a line of titles of sums, and the sums. It
// is written row by row, so that a bill of any size needs no memory.
type sheet struct {
	titles, sums string
	rows         int64
	row          func(b []byte, i int64, t *tally) []byte
	total        func(b []byte, t tally) []byte
}

// tally is what the rows so far add up to.
type tally struct{ count, paid, refunded, fee, income, incomes, expenses, outgo int64 }

// section is some of a sheet's rows. The first has the titles, the last the sums.
type section struct {
	*sheet
	from, to int64
	before   tally // of the rows before
	size     int64
	sha1     string
}

// sections divides the sheet into parts of at most most rows, and reads all for their digests.
func (s *sheet) sections(parts, most int64) []section {
	parts = min(max(parts, (s.rows+most-1)/most), max(s.rows, 1))
	list := make([]section, 0, parts)
	var sum tally
	for k := range parts {
		c := section{sheet: s, from: s.rows * k / parts, to: s.rows * (k + 1) / parts, before: sum}
		reader, digest := c.reader(), sha1.New()
		c.size, _ = io.Copy(digest, reader)
		c.sha1 = hex.EncodeToString(digest.Sum(nil))
		sum = reader.sum
		list = append(list, c)
	}
	return list
}

// sectionReader writes a section while it is read.
type sectionReader struct {
	section
	next int64 // row
	sum  tally
	rest []byte // written, not read
	room []byte
	done bool
}

func (c section) reader() *sectionReader {
	r := &sectionReader{section: c, next: c.from, sum: c.before}
	if c.from == 0 {
		r.room = append(r.room, "\xEF\xBB\xBF"+c.titles+"\r\n"...)
		r.rest = r.room
	}
	return r
}

// sheetPiece is about how many bytes are written at a time.
const sheetPiece = 32 << 10

func (r *sectionReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 && !r.fill() {
		return 0, io.EOF
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (r *sectionReader) fill() bool {
	if r.done {
		return false
	}
	b := r.room[:0]
	for ; r.next < r.to && len(b) < sheetPiece; r.next++ {
		b = append(r.row(b, r.next, &r.sum), '\r', '\n')
	}
	if r.next == r.to {
		r.done = true
		if r.to == r.rows {
			b = append(append(b, r.sums...), '\r', '\n')
			b = append(r.total(b, r.sum), '\r', '\n')
		}
	}
	r.room, r.rest = b, b
	return len(b) > 0
}

// cells writes the fields of a row, each behind a back-tick.
func cells(b []byte, values ...string) []byte {
	for i, value := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, '`'), value...)
	}
	return b
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// fee writes fen as bills write fees: yuan with five decimals.
func fee(fen int64) string { return sample.Yuan(fen) + "000" }

// feeOf is the merchant's fee on an amount, 0.60 %, rounded to the fen.
func feeOf(fen int64) int64 { return (fen*6 + 500) / 1000 }

// billTime is how bills write times.
func billTime(t time.Time) string { return t.In(say.Beijing).Format(time.DateTime) }

// plainText keeps a value from ending its cell or row.
func plainText(value any) string {
	s, _ := value.(string)
	b := []byte(s)
	for i, c := range b {
		if c == ',' || c == '`' || c < ' ' {
			b[i] = ' '
		}
	}
	return string(b)
}

// trade is a row of a trade bill: a payment, or a refund if it has a number of one.
type trade struct {
	at, appid, mchid, sub, transaction, number, openid, way, goods, attach string
	total                                                                  int64 // of the order, fen
	refundID, refundNumber, refundState, asked, refundedAt                 string
	refund                                                                 int64
	reversed                                                               bool
}

// Columns of trade bills, which differ by bill_type.
const (
	tradeHead  = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,"
	refundHead = "微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,"
	tradeTail  = "商品名称,商户数据包,手续费,费率,订单金额,"
	tradeSums  = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"
)

// tradeSheet is a trade bill of a kind: ALL, SUCCESS or REFUND.
func tradeSheet(kind string, rows int64, row func(i int64) trade) *sheet {
	s := &sheet{sums: tradeSums, rows: rows, total: func(b []byte, t tally) []byte {
		return cells(b, decimal(t.count), sample.Yuan(t.paid), sample.Yuan(t.refunded), "0.00", fee(t.fee), sample.Yuan(t.paid), sample.Yuan(t.refunded))
	}}
	switch kind {
	case "SUCCESS":
		s.titles = tradeHead + tradeTail + "费率备注"
	case "REFUND":
		s.titles = tradeHead + "退款申请时间,退款成功时间," + refundHead + tradeTail + "申请退款金额,费率备注"
	default:
		s.titles = tradeHead + refundHead + tradeTail + "申请退款金额,费率备注"
	}
	s.row = func(b []byte, i int64, t *tally) []byte {
		r := row(i)
		state, paid, cost := "SUCCESS", r.total, feeOf(r.total)
		if r.refundNumber != "" {
			state, paid, cost = "REFUND", 0, -feeOf(r.refund)
		}
		if r.reversed {
			state = "REVOKED"
		}
		t.count, t.paid, t.refunded, t.fee = t.count+1, t.paid+paid, t.refunded+r.refund, t.fee+cost
		b = cells(b, r.at, r.appid, r.mchid, cmp.Or(r.sub, "0"), "", r.transaction, r.number, r.openid, r.way, state, "OTHERS", "CNY", sample.Yuan(paid), "0.00")
		if kind == "REFUND" {
			b = cells(append(b, ','), r.asked, r.refundedAt)
		}
		switch {
		case kind == "SUCCESS":
		case r.refundNumber == "":
			b = cells(append(b, ','), "0", "0", "0.00", "0.00", "", "")
		default:
			b = cells(append(b, ','), r.refundID, r.refundNumber, sample.Yuan(r.refund), "0.00", "ORIGINAL", r.refundState)
		}
		b = cells(append(b, ','), r.goods, r.attach, fee(cost), "0.60%", sample.Yuan(paid))
		if kind != "SUCCESS" {
			b = cells(append(b, ','), sample.Yuan(r.refund))
		}
		return cells(append(b, ','), "")
	}
	return s
}

// movement is a row of a fund bill.
type movement struct {
	at, business, serial, name, kind, by, note, voucher string
	amount                                              int64 // fen; negative for what goes out
	balance                                             int64
}

func flowSheet(rows int64, row func(i int64) movement) *sheet {
	return &sheet{
		titles: "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号",
		sums:   "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额",
		rows:   rows,
		row: func(b []byte, i int64, t *tally) []byte {
			r := row(i)
			way, amount := "收入", r.amount
			t.count++
			if amount < 0 {
				way, amount = "支出", -amount
				t.expenses, t.outgo = t.expenses+1, t.outgo+amount
			} else {
				t.incomes, t.income = t.incomes+1, t.income+amount
			}
			return cells(b, r.at, r.business, r.serial, r.name, r.kind, way, sample.Yuan(amount), sample.Yuan(r.balance), r.by, r.note, r.voucher)
		},
		total: func(b []byte, t tally) []byte {
			return cells(b, decimal(t.count), decimal(t.incomes), sample.Yuan(t.income), decimal(t.expenses), sample.Yuan(t.outgo))
		},
	}
}

// shareRow is a row of a profit-sharing bill.
type shareRow struct {
	at, by, payer, transaction, order, detail, number, receiver, kind, state, description string
	total, amount                                                                         int64
}

// shareSheet is a profit-sharing bill. Its columns are those that the documentation names; their
// exact titles are the sandbox's own.
func shareSheet(rows int64, row func(i int64) shareRow) *sheet {
	return &sheet{
		titles: "分账时间,分账发起方,分账方,微信订单号,微信分账/回退单号,分账明细单号,商户分账/回退单号,订单金额,分账接收方,分账金额,业务类型,处理状态,分账描述,备注",
		sums:   "分账总笔数,分账总金额",
		rows:   rows,
		row: func(b []byte, i int64, t *tally) []byte {
			r := row(i)
			t.count, t.paid = t.count+1, t.paid+r.amount
			return cells(b, r.at, r.by, r.payer, r.transaction, r.order, r.detail, r.number, sample.Yuan(r.total), r.receiver, sample.Yuan(r.amount), r.kind, r.state, r.description, "")
		},
		total: func(b []byte, t tally) []byte { return cells(b, decimal(t.count), sample.Yuan(t.paid)) },
	}
}

// withdrawal is a row of the bill of withdrawals that failed.
type withdrawal struct {
	at, id, number, reason string
	amount                 int64
}

// withdrawSheet is the bill of withdrawals that failed. Its titles are the sandbox's own.
func withdrawSheet(rows int64, row func(i int64) withdrawal) *sheet {
	return &sheet{
		titles: "提现时间,微信支付提现单号,商户提现单号,提现金额,提现状态,失败原因",
		sums:   "提现总笔数,提现总金额",
		rows:   rows,
		row: func(b []byte, i int64, t *tally) []byte {
			r := row(i)
			t.count, t.paid = t.count+1, t.paid+r.amount
			return cells(b, r.at, r.id, r.number, sample.Yuan(r.amount), "FAIL", r.reason)
		},
		total: func(b []byte, t tally) []byte { return cells(b, decimal(t.count), sample.Yuan(t.paid)) },
	}
}
