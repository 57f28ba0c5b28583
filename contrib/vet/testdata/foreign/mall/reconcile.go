package mall

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay"
)

// Difference is one line of the bill that does not match the shop's records.
type Difference struct {
	Number string
	What   string
	Ours   int64
	Theirs int64
}

// Reconcile compares the bill of a day with the orders of the shop.
func (s *Shop) Reconcile(ctx context.Context, day time.Time) ([]Difference, error) {
	bill, err := s.Client.Chain("v3/bill/tradebill").
		Query("bill_date", day.Format("2006-01-02")).
		Query("bill_type", "ALL").
		Query("tar_type", "GZIP").
		Bill(ctx)
	if wxpay.IsCode(err, "NO_STATEMENT_EXIST") || wxpay.IsCode(err, "STATEMENT_CREATING") {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer bill.Close()
	var found []Difference
	for row, err := range bill.Rows() {
		if err != nil {
			return nil, err
		}
		number := strings.TrimPrefix(row.Get("商户订单号"), "`")
		order, err := s.Store.Order(ctx, number)
		if errors.Is(err, ErrNoOrder) {
			found = append(found, Difference{Number: number, What: "unknown order"})
			continue
		}
		if err != nil {
			return nil, err
		}
		switch state := row.Get("交易状态"); state {
		case "SUCCESS":
			total, err := row.Fen("订单金额")
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", row.Line, err)
			}
			if total != order.Total() {
				found = append(found, Difference{number, "amount", order.Total(), total})
			}
			if order.State == OrderPaying || order.State == OrderCreated {
				found = append(found, Difference{number, "paid there only", 0, total})
			}
		case "REFUND":
			amount, err := row.Fen("申请退款金额")
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", row.Line, err)
			}
			refund, err := s.Store.Refund(ctx, row.Get("商户退款单号"))
			switch {
			case errors.Is(err, ErrNoRefund):
				found = append(found, Difference{number, "unknown refund", 0, amount})
			case err != nil:
				return nil, err
			case refund.Amount != amount:
				found = append(found, Difference{refund.Number, "refund", refund.Amount, amount})
			}
		}
	}
	return found, nil
}

// KeepBills stores the bills of a day as files.
func (s *Shop) KeepBills(ctx context.Context, dir string, day time.Time) error {
	date := day.Format(time.DateOnly)
	for name, chain := range map[string]wxpay.Chain{
		"trade":     s.Client.Chain("v3/bill/tradebill").Query("bill_date", date),
		"basic":     s.Client.Chain("v3/bill/fundflowbill").Query("bill_date", date).Query("account_type", "BASIC"),
		"operation": s.Client.Chain("v3/bill/fundflowbill").Query("bill_date", date).Query("account_type", "OPERATION"),
		"fees":      s.Client.Chain("v3/bill/fundflowbill").Query("bill_date", date).Query("account_type", "FEES"),
	} {
		file, err := os.Create(filepath.Join(dir, date+"-"+name+".csv"))
		if err != nil {
			return err
		}
		_, err = chain.BillTo(ctx, file)
		if closed := file.Close(); err == nil {
			err = closed
		}
		if err != nil && !wxpay.IsCode(err, "NO_STATEMENT_EXIST") {
			return fmt.Errorf("bill %s of %s: %w", name, date, err)
		}
	}
	return nil
}

// Nightly does the work of a night.
func (s *Shop) Nightly(ctx context.Context, dir string) {
	yesterday := time.Now().AddDate(0, 0, -1)
	if err := s.KeepBills(ctx, dir, yesterday); err != nil {
		s.Log.Error("bills", "err", err)
	}
	differences, err := s.Reconcile(ctx, yesterday)
	if err != nil {
		s.Log.Error("reconcile", "err", err)
		return
	}
	for _, d := range differences {
		s.Log.Warn("difference", "number", d.Number, "what", d.What, "ours", d.Ours, "theirs", d.Theirs)
	}
}
