// Package bbill fetches yesterday's bills and compares them with our books.
package bbill

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/wxbill"
)

var beijing = time.FixedZone("CST", 8*3600)

// Day is a day of bills.
func Day(t time.Time) string { return t.In(beijing).Format(time.DateOnly) }

// Yesterday is the newest day with a bill.
func Yesterday() string { return Day(time.Now().AddDate(0, 0, -1)) }

// kinds of bills: path and query.
var kinds = map[string]struct {
	path  string
	query map[string]string
}{
	"trade":     {"v3/bill/tradebill", map[string]string{"bill_type": "ALL"}},
	"refund":    {"v3/bill/tradebill", map[string]string{"bill_type": "REFUND"}},
	"fund":      {"v3/bill/fundflowbill", map[string]string{"account_type": "BASIC"}},
	"fees":      {"v3/bill/fundflowbill", map[string]string{"account_type": "FEES"}},
	"share":     {"v3/profitsharing/bills", nil},
	"ecommerce": {"v3/ecommerce/bill/fundflowbill", map[string]string{"account_type": "ALL", "algorithm": "AEAD_AES_256_GCM"}},
}

func chain(c *wxpay.Client, kind, day string) (wxpay.Chain, error) {
	k, ok := kinds[kind]
	if !ok {
		return wxpay.Chain{}, fmt.Errorf("no bill is called %q", kind)
	}
	ch := c.Chain(k.path).Query("bill_date", day).Query("tar_type", "GZIP")
	for name, v := range k.query {
		ch = ch.Query(name, v)
	}
	return ch, nil
}

// Save keeps a bill as a file.
func Save(ctx context.Context, c *wxpay.Client, kind, day, dir string) (string, error) {
	ch, err := chain(c, kind, day)
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, kind+"-"+day+".csv")
	got, err := ch.BillTo(ctx, wxpay.ToFile(name).Replace(), wxpay.WaitAtMost(time.Hour))
	if err != nil {
		return "", fmt.Errorf("bill %s of %s: %w", kind, day, err)
	}
	if got.Empty {
		return "", nil
	}
	return name, nil
}

// SubFund sums the fund bill of one sub-merchant by business.
func SubFund(ctx context.Context, c *wxpay.Client, sub, day string) (map[string]int64, error) {
	bill, err := c.Chain("v3/bill/sub-merchant-fundflowbill").
		Query("sub_mchid", sub).Query("bill_date", day).Query("account_type", "BASIC").
		Query("algorithm", "AEAD_AES_256_GCM").Bill(ctx)
	if err != nil {
		return nil, err
	}
	defer bill.Close()
	sums := map[string]int64{}
	for row, err := range bill.Rows() {
		if err != nil {
			return nil, err
		}
		fen, err := row.Fen(wxbill.FundAmount)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", row.Line, err)
		}
		if row.Get(wxbill.FundDirection) == "支出" {
			fen = -fen
		}
		sums[row.Get(wxbill.FundBusiness)] += fen
	}
	return sums, nil
}

// Item is a payment or a refund, in the bill or in our books.
type Item struct {
	Key string // order number, or order number + "/" + refund number
	Sub string
	Fen int64 // negative for a refund
}

// read makes items of a trade bill.
func read(ctx context.Context, c *wxpay.Client, day string) (map[string]Item, error) {
	ch, err := chain(c, "trade", day)
	if err != nil {
		return nil, err
	}
	bill, err := ch.Bill(ctx)
	if errors.Is(err, wxpay.ErrNotReady) {
		return nil, fmt.Errorf("come back after 10:00: %w", err)
	}
	if err != nil {
		return nil, err
	}
	defer bill.Close()
	items := map[string]Item{}
	if bill.Empty {
		return items, nil
	}
	for row, err := range bill.Rows() {
		if err != nil {
			return nil, err
		}
		it, err := item(row)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", row.Line, err)
		}
		items[it.Key] = it
	}
	return items, nil
}

func item(row wxpay.Row) (Item, error) {
	it := Item{Key: row.Get(wxbill.OutTradeNo), Sub: row.Get(wxbill.SubMchID)}
	column, sign := wxbill.Amount, int64(1)
	if row.Get(wxbill.TradeState) == "REFUND" {
		it.Key += "/" + row.Get(wxbill.OutRefundNo)
		column, sign = wxbill.RefundRequested, -1
	}
	fen, err := row.Fen(column)
	it.Fen = sign * fen
	return it, err
}

// Fees sums the fee of each sub-merchant, in hundred-thousandths of a yuan.
func Fees(bill *wxpay.Bill) (map[string]int64, error) {
	out := map[string]int64{}
	for row, err := range bill.Rows() {
		if err != nil {
			return nil, err
		}
		n, err := micro(row.Get(wxbill.Fee))
		if err != nil {
			return nil, err
		}
		out[row.Get(wxbill.SubMchID)] += n
	}
	return out, nil
}

// micro reads a fee like 0.00600, which is no whole number of fen.
func micro(s string) (int64, error) {
	var whole, frac int64
	neg := len(s) > 0 && s[0] == '-'
	if neg {
		s = s[1:]
	}
	point, digits := false, 0
	for _, r := range s {
		switch {
		case r == '.' && !point:
			point = true
		case r < '0' || r > '9':
			return 0, fmt.Errorf("fee %q is no number", s)
		case !point:
			whole = whole*10 + int64(r-'0')
		case digits < 5:
			frac = frac*10 + int64(r-'0')
			digits++
		}
	}
	for ; digits < 5; digits++ {
		frac *= 10
	}
	n := whole*100000 + frac
	if neg {
		n = -n
	}
	return n, nil
}
