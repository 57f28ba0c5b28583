// Package abill 每天早上跑一次的对账小工具。
//
//	abill trade 2026-11-20
//	abill check 2026-11-20 orders.csv
//	abill keep 2026-11-20 /data/bills
//	abill fund 2026-11-20
package abill

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/wxbill"
)

var (
	client *wxpay.Client
	out    io.Writer = os.Stdout
)

// Main 入口，main.go 里只有一行 os.Exit(abill.Main(os.Args[1:]))
func Main(args []string) int {
	if len(args) < 1 {
		fmt.Fprintln(os.Stderr, "用法: abill trade|check|keep|fund [日期] ...")
		return 2
	}
	var err error
	client, err = wxpay.FromEnv()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Hour)
	defer cancel()

	day := time.Now().In(time.FixedZone("", 8*3600)).AddDate(0, 0, -1).Format("2006-01-02")
	if len(args) > 1 {
		day = args[1]
	}
	switch args[0] {
	case "trade":
		err = trade(ctx, day)
	case "check":
		if len(args) < 3 {
			err = errors.New("check 需要订单文件")
			break
		}
		err = check(ctx, day, args[2])
	case "keep":
		dir := "."
		if len(args) > 2 {
			dir = args[2]
		}
		err = keep(ctx, day, dir)
	case "fund":
		err = fund(ctx, day)
	default:
		err = fmt.Errorf("不认识 %s", args[0])
	}
	if errors.Is(err, wxpay.ErrNotReady) {
		fmt.Fprintln(os.Stderr, "账单还没出，10 点以后再跑")
		return 3
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

type line struct {
	No     string
	Pay    int64
	Refund int64
	Fee    int64
}

func load(ctx context.Context, day string) (map[string]*line, error) {
	b, err := client.Chain("v3/bill/tradebill").Query("bill_date", day).Query("bill_type", "ALL").Query("tar_type", "GZIP").
		Bill(ctx, wxpay.WaitAtMost(time.Hour))
	if err != nil {
		return nil, err
	}
	defer b.Close()
	m := map[string]*line{}
	for row, err := range b.Rows() {
		if err != nil {
			return nil, err
		}
		no := row.Get(wxbill.OutTradeNo)
		l := m[no]
		if l == nil {
			l = &line{No: no}
			m[no] = l
		}
		// 手续费可能不足一分，取四舍五入后的整数分
		fee, err := strconv.ParseFloat(row.Get(wxbill.Fee), 64)
		if err != nil {
			return nil, fmt.Errorf("第 %d 行手续费: %w", row.Line, err)
		}
		l.Fee += round(fee)
		switch row.Get(wxbill.TradeState) {
		case "SUCCESS":
			n, err := row.Fen(wxbill.Amount)
			if err != nil {
				return nil, err
			}
			l.Pay += n
		case "REFUND", "REVOKED":
			n, err := row.Fen(wxbill.Refund)
			if err != nil {
				return nil, err
			}
			l.Refund += n
		}
	}
	return m, nil
}

func round(yuan float64) int64 {
	if yuan < 0 {
		return -round(-yuan)
	}
	return int64(yuan*100 + 0.5)
}

func trade(ctx context.Context, day string) error {
	m, err := load(ctx, day)
	if err != nil {
		return err
	}
	var pay, refund, fee int64
	for _, l := range m {
		pay += l.Pay
		refund += l.Refund
		fee += l.Fee
	}
	fmt.Fprintf(out, "%s 共 %d 单，收款 %s，退款 %s，手续费约 %s\n", day, len(m), yuan(pay), yuan(refund), yuan(fee))
	return nil
}

func yuan(fen int64) string {
	sign := ""
	if fen < 0 {
		sign, fen = "-", -fen
	}
	return fmt.Sprintf("%s%d.%02d", sign, fen/100, fen%100)
}

// check 与订单系统导出的 csv（订单号,金额分,退款分）逐单核对
func check(ctx context.Context, day, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	ours := map[string]line{}
	r := csv.NewReader(f)
	r.FieldsPerRecord = 3
	for {
		rec, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		pay, err := strconv.ParseInt(rec[1], 10, 64)
		if err != nil {
			return err
		}
		refund, err := strconv.ParseInt(rec[2], 10, 64)
		if err != nil {
			return err
		}
		ours[rec[0]] = line{No: rec[0], Pay: pay, Refund: refund}
	}
	theirs, err := load(ctx, day)
	if err != nil {
		return err
	}
	type diff struct {
		No     string `json:"no"`
		Kind   string `json:"kind"`
		Ours   any    `json:"ours,omitempty"`
		Theirs any    `json:"theirs,omitempty"`
	}
	var diffs []diff
	for no, o := range ours {
		t, ok := theirs[no]
		switch {
		case !ok:
			diffs = append(diffs, diff{no, "微信没有", o.Pay, nil})
		case t.Pay != o.Pay:
			diffs = append(diffs, diff{no, "金额不同", o.Pay, t.Pay})
		case t.Refund != o.Refund:
			diffs = append(diffs, diff{no, "退款不同", o.Refund, t.Refund})
		}
	}
	for no, t := range theirs {
		if _, ok := ours[no]; !ok {
			diffs = append(diffs, diff{no, "我们没有", nil, t.Pay})
		}
	}
	sort.Slice(diffs, func(i, j int) bool { return diffs[i].No < diffs[j].No })
	enc := json.NewEncoder(out)
	for _, d := range diffs {
		enc.Encode(d)
	}
	if len(diffs) > 0 {
		return fmt.Errorf("%s 有 %d 处差异", day, len(diffs))
	}
	return nil
}

// keep 原样存档
func keep(ctx context.Context, day, dir string) error {
	for _, k := range []struct{ name, path string }{
		{"trade", "v3/bill/tradebill"},
		{"fund", "v3/bill/fundflowbill"},
	} {
		file := filepath.Join(dir, k.name+"-"+day+".csv")
		got, err := client.Chain(k.path).Query("bill_date", day).BillTo(ctx, wxpay.ToFile(file).Replace())
		if err != nil {
			return fmt.Errorf("%s: %w", k.name, err)
		}
		fmt.Fprintln(out, file, got.Size, "字节", "已校验:", got.Verified)
	}
	return nil
}

// fund 按业务类型汇总资金流水
func fund(ctx context.Context, day string) error {
	b, err := client.Chain("v3/bill/fundflowbill").Query("bill_date", day).Query("account_type", "BASIC").Bill(ctx)
	if err != nil {
		return err
	}
	defer b.Close()
	sum := map[string]int64{}
	for row, err := range b.Rows() {
		if err != nil {
			fmt.Fprintln(os.Stderr, "跳过坏行:", err)
			continue
		}
		n, err := row.Fen(wxbill.FundAmount)
		if err != nil {
			return err
		}
		if row.Get(wxbill.FundDirection) == "支出" {
			n = -n
		}
		sum[row.Get(wxbill.FundBusinessType)] += n
	}
	keys := make([]string, 0, len(sum))
	for k := range sum {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		fmt.Fprintf(out, "%-12s %12s\n", k, yuan(sum[k]))
	}
	rows, err := b.Summary()
	if err != nil {
		return err
	}
	for _, r := range rows {
		for _, c := range r.Columns() {
			fmt.Fprintln(out, c, r.Get(c))
		}
	}
	return nil
}
