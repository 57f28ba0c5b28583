// Package cledger 是运维脚本集合：下载账单、入账、核对，再加几个手工小命令。
package cledger

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/wxbill"
)

var cst = time.FixedZone("CST", 8*3600)

// 科目
const (
	accCash    = "1002.wechat"   // 银行存款-微信
	accSales   = "6001.sales"    // 主营业务收入
	accRefund  = "6001.refund"   // 销售退回
	accFee     = "6603.fee"      // 手续费
	accSuspend = "1221.suspense" // 待查
)

// Entry 一条分录，金额单位分，正借负贷
type Entry struct {
	Day     string
	Ref     string
	Account string
	Fen     int64
	Memo    string
}

// Ledger 内存总账
type Ledger struct {
	entries []Entry
	seen    map[string]bool
}

func NewLedger() *Ledger { return &Ledger{seen: map[string]bool{}} }

// Post 记一组必须平衡的分录，ref 重复则忽略
func (l *Ledger) Post(ref string, es ...Entry) error {
	if l.seen[ref] {
		return nil
	}
	var sum int64
	for _, e := range es {
		sum += e.Fen
	}
	if sum != 0 {
		return fmt.Errorf("分录不平 %s: 差 %d 分", ref, sum)
	}
	l.seen[ref] = true
	for _, e := range es {
		e.Ref = ref
		l.entries = append(l.entries, e)
	}
	return nil
}

// Balance 按科目汇总
func (l *Ledger) Balance() map[string]int64 {
	m := map[string]int64{}
	for _, e := range l.entries {
		m[e.Account] += e.Fen
	}
	return m
}

// Dump 写 CSV
func (l *Ledger) Dump(w io.Writer) error {
	cw := csv.NewWriter(w)
	_ = cw.Write([]string{"日期", "凭证", "科目", "金额", "摘要"})
	for _, e := range l.entries {
		if err := cw.Write([]string{e.Day, e.Ref, e.Account, yuan(e.Fen), e.Memo}); err != nil {
			return err
		}
	}
	cw.Flush()
	return cw.Error()
}

func yuan(fen int64) string {
	sign := ""
	if fen < 0 {
		sign, fen = "-", -fen
	}
	return fmt.Sprintf("%s%d.%02d", sign, fen/100, fen%100)
}

// 账单单元格前面有反引号时库已处理；这里只去空白
func cell(r wxpay.Row, col string) string { return strings.TrimSpace(r.Get(col)) }

// feeFen 手续费有五位小数（如 0.00600），四舍五入到分
func feeFen(s string) (int64, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return 0, nil
	}
	if fen, err := wxpay.ParseYuan(s); err == nil {
		return fen, nil
	}
	neg := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	whole, frac, _ := strings.Cut(s, ".")
	frac = (frac + "00000")[:5]
	w, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("手续费 %q: %w", s, err)
	}
	f, err := strconv.ParseInt(frac, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("手续费 %q: %w", s, err)
	}
	n := (w*100000 + f + 500) / 1000
	if neg {
		n = -n
	}
	return n, nil
}

// ImportTrades 把一天的交易账单入账
func ImportTrades(ctx context.Context, c *wxpay.Client, l *Ledger, day string) (rows int, err error) {
	bill, err := c.Chain("v3/bill/tradebill").
		Query("bill_date", day).
		Query("bill_type", "ALL").
		Query("tar_type", "GZIP").
		Bill(ctx, wxpay.WaitAtMost(30*time.Minute))
	if errors.Is(err, wxpay.ErrNotReady) {
		return 0, fmt.Errorf("%s 的账单还没生成: %w", day, err)
	}
	if err != nil {
		return 0, fmt.Errorf("交易账单 %s: %w", day, err)
	}
	defer bill.Close()
	if bill.Empty {
		return 0, nil
	}
	for row, err := range bill.Rows() {
		if err != nil {
			return rows, err
		}
		if err := postTrade(l, day, row); err != nil {
			return rows, fmt.Errorf("第 %d 行: %w", row.Line, err)
		}
		rows++
	}
	return rows, nil
}

func postTrade(l *Ledger, day string, row wxpay.Row) error {
	fee, err := feeFen(row.Get(wxbill.Fee))
	if err != nil {
		return err
	}
	no := cell(row, wxbill.OutTradeNo)
	switch state := cell(row, wxbill.TradeState); state {
	case "SUCCESS":
		fen, err := row.Fen(wxbill.Settlement)
		if err != nil {
			return err
		}
		return l.Post("T"+no,
			Entry{Day: day, Account: accCash, Fen: fen - fee, Memo: cell(row, wxbill.Goods)},
			Entry{Day: day, Account: accFee, Fen: fee, Memo: "手续费"},
			Entry{Day: day, Account: accSales, Fen: -fen, Memo: no})
	case "REFUND", "REVOKED":
		fen, err := row.Fen(wxbill.Refund)
		if err != nil {
			return err
		}
		ref := cell(row, wxbill.OutRefundNo)
		if ref == "" || ref == "0" {
			ref = no
		}
		// 退款时手续费为负：退还
		return l.Post("R"+ref,
			Entry{Day: day, Account: accCash, Fen: -fen - fee, Memo: "退款"},
			Entry{Day: day, Account: accFee, Fen: fee, Memo: "手续费退还"},
			Entry{Day: day, Account: accRefund, Fen: fen, Memo: no})
	default:
		return fmt.Errorf("未知交易状态 %q", state)
	}
}

// Flow 资金账单的一天汇总
type Flow struct {
	In, Out int64
	ByKind  map[string]int64
	Last    int64 // 当天最后一笔后的结余
}

// SumFlows 汇总资金账单
func SumFlows(ctx context.Context, c *wxpay.Client, day, account string) (Flow, error) {
	f := Flow{ByKind: map[string]int64{}}
	bill, err := c.Chain("v3/bill/fundflowbill").Queries(map[string]string{
		"bill_date": day, "account_type": account, "tar_type": "GZIP",
	}).Bill(ctx)
	if err != nil {
		return f, err
	}
	defer func() { _ = bill.Close() }()
	for row, err := range bill.Rows() {
		if err != nil {
			return f, err
		}
		fen, err := row.Fen(wxbill.FundAmount)
		if err != nil {
			return f, fmt.Errorf("第 %d 行: %w", row.Line, err)
		}
		switch row.Get(wxbill.FundDirection) {
		case "收入":
			f.In += fen
		case "支出":
			f.Out += fen
			fen = -fen
		default:
			return f, fmt.Errorf("第 %d 行: 收支类型 %q", row.Line, row.Get(wxbill.FundDirection))
		}
		f.ByKind[row.Get(wxbill.FundBusiness)] += fen
		if f.Last, err = row.Fen(wxbill.FundBalance); err != nil {
			return f, err
		}
	}
	return f, nil
}

// Save 把原始账单存档，已有的不覆盖
func Save(ctx context.Context, c *wxpay.Client, dir, day string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var errs []error
	for name, path := range map[string]string{
		"trade": "v3/bill/tradebill",
		"fund":  "v3/bill/fundflowbill",
		"share": "v3/profitsharing/bills",
	} {
		to := filepath.Join(dir, name+"-"+day+".csv")
		if _, err := os.Stat(to); err == nil {
			continue
		}
		got, err := c.Chain(path).Query("bill_date", day).BillTo(ctx, wxpay.ToFile(to))
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
			continue
		}
		if !got.Verified {
			errs = append(errs, fmt.Errorf("%s: 没有摘要", name))
		}
	}
	return errors.Join(errs...)
}

// Diff 本地订单和账单的差异
type Diff struct {
	OnlyLocal []string
	OnlyBill  []string
	Amount    map[string][2]int64 // 本地, 账单
}

func (d Diff) Empty() bool { return len(d.OnlyLocal)+len(d.OnlyBill)+len(d.Amount) == 0 }

// Compare 核对，local 是单号到分
func Compare(ctx context.Context, c *wxpay.Client, day time.Time, local map[string]int64) (Diff, error) {
	d := Diff{Amount: map[string][2]int64{}}
	bill, err := c.Chain("v3/bill/tradebill").Query("bill_date", day.In(cst).Format(time.DateOnly)).Query("bill_type", "SUCCESS").Bill(ctx)
	if err != nil {
		return d, err
	}
	defer bill.Close()
	seen := map[string]bool{}
	for row, err := range bill.Rows() {
		if err != nil {
			return d, err
		}
		no := row.Get(wxbill.OutTradeNo)
		fen, err := row.Fen(wxbill.Amount)
		if err != nil {
			return d, err
		}
		seen[no] = true
		if mine, ok := local[no]; !ok {
			d.OnlyBill = append(d.OnlyBill, no)
		} else if mine != fen {
			d.Amount[no] = [2]int64{mine, fen}
		}
	}
	for no := range local {
		if !seen[no] {
			d.OnlyLocal = append(d.OnlyLocal, no)
		}
	}
	sort.Strings(d.OnlyLocal)
	sort.Strings(d.OnlyBill)
	return d, nil
}

// ReadLocal 读 "单号,元" 的文本
func ReadLocal(r io.Reader) (map[string]int64, error) {
	m := map[string]int64{}
	sc := bufio.NewScanner(r)
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimSpace(sc.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		no, amount, ok := strings.Cut(line, ",")
		if !ok {
			return nil, fmt.Errorf("第 %d 行格式不对", n)
		}
		fen, err := wxpay.ParseYuan(strings.TrimSpace(amount))
		if err != nil {
			return nil, fmt.Errorf("第 %d 行: %w", n, err)
		}
		m[no] = fen
	}
	return m, sc.Err()
}
