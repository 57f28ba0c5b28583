package arider

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/webhook"
)

// Settler 骑手结算服务。
type Settler struct {
	riders   Riders
	ledger   Ledger
	transfer Transferer
	log      *slog.Logger
}

func NewSettler(riders Riders, ledger Ledger, transfer Transferer, log *slog.Logger) *Settler {
	return &Settler{riders: riders, ledger: ledger, transfer: transfer, log: log}
}

// Earning 骑手某日收入，由配送系统推送。
type Earning struct {
	RiderID    int64  `json:"rider_id"`
	Day        string `json:"day"`
	Deliveries int    `json:"deliveries"`
	Base       int64  `json:"base"`
	Bonus      int64  `json:"bonus"`
	Fine       int64  `json:"fine"`
}

func (e Earning) Net() int64 { return e.Base + e.Bonus - e.Fine }

// billNo 单号由业务主键推导，重跑任务不会产生第二笔转账。只能是字母和数字。
func billNo(e Earning) string {
	return fmt.Sprintf("RD%s%010d", strings.ReplaceAll(e.Day, "-", ""), e.RiderID)
}

// Settle 结算一名骑手一天的收入。
func (s *Settler) Settle(ctx context.Context, e Earning) (*Payout, error) {
	rider, err := s.riders.Rider(ctx, e.RiderID)
	if err != nil {
		return nil, err
	}
	if rider.Blocked {
		return nil, ErrBlocked
	}
	if e.Net() < MinAmount {
		return nil, fmt.Errorf("%w: %d 分", ErrTooSmall, e.Net())
	}
	p, err := s.ledger.Open(ctx, &Payout{
		BillNo: billNo(e), RiderID: e.RiderID, Day: e.Day, Deliveries: e.Deliveries, Amount: e.Net(), State: TransferNew,
	})
	if err != nil {
		return nil, err
	}
	if p.State != TransferNew {
		return p, nil
	}
	return s.send(ctx, p, rider)
}

func (s *Settler) send(ctx context.Context, p *Payout, rider *Rider) (*Payout, error) {
	t, err := s.transfer.Transfer(ctx, p, rider)
	if err != nil {
		switch wxpay.OutcomeOf(err) {
		case wxpay.Rejected:
			s.log.ErrorContext(ctx, "转账被拒绝", "bill", p.BillNo, "err", err)
			return nil, errors.Join(err, s.apply(ctx, p.BillNo, &Transfer{State: TransferFail, FailReason: err.Error()}))
		default:
			// 未知：保持 NEW，下一轮以同一单号继续
			return nil, err
		}
	}
	if err := s.apply(ctx, p.BillNo, t); err != nil {
		return nil, err
	}
	return s.ledger.Get(ctx, p.BillNo)
}

func (s *Settler) apply(ctx context.Context, no string, t *Transfer) error {
	return s.ledger.Update(ctx, no, func(p *Payout) error {
		if p.State.Done() {
			return nil
		}
		p.State, p.FailReason = t.State, t.FailReason
		if t.TransferNo != "" {
			p.TransferNo = t.TransferNo
		}
		if t.PackageInfo != "" {
			p.PackageInfo = t.PackageInfo
		}
		p.UpdatedAt = time.Now()
		return nil
	})
}

// Summary 批量结算的结果。
type Summary struct {
	Sent, Skipped, Failed int
	Amount                int64
	Errors                map[int64]error
}

// SettleAll 并发结算，workers 控制并发度。
func (s *Settler) SettleAll(ctx context.Context, earnings []Earning, workers int) Summary {
	sum := Summary{Errors: map[int64]error{}}
	var (
		mu sync.Mutex
		wg sync.WaitGroup
	)
	queue := make(chan Earning)
	for range workers {
		wg.Go(func() {
			for e := range queue {
				p, err := s.Settle(ctx, e)
				mu.Lock()
				switch {
				case errors.Is(err, ErrTooSmall), errors.Is(err, ErrBlocked):
					sum.Skipped++
				case err != nil:
					sum.Failed++
					sum.Errors[e.RiderID] = err
				default:
					sum.Sent++
					sum.Amount += p.Amount
				}
				mu.Unlock()
			}
		})
	}
feed:
	for _, e := range earnings {
		select {
		case queue <- e:
		case <-ctx.Done():
			break feed
		}
	}
	close(queue)
	wg.Wait()
	return sum
}

// Confirmation 返回骑手端小程序拉起确认收款的参数。
func (s *Settler) Confirmation(ctx context.Context, no string) (any, error) {
	p, err := s.ledger.Get(ctx, no)
	if err != nil {
		return nil, err
	}
	if p.State != TransferWaitConfirm || p.PackageInfo == "" {
		return nil, fmt.Errorf("结算单 %s 不在待确认状态: %s", no, p.State)
	}
	return s.transfer.Confirmation(p.PackageInfo)
}

// Poll 轮询未完结的转账；超过 20 小时未确认的主动撤销，次日重新结算。
func (s *Settler) Poll(ctx context.Context) error {
	list, err := s.ledger.Pending(ctx, 200)
	if err != nil {
		return err
	}
	var errs []error
	for _, p := range list {
		if err := s.poll(ctx, p); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", p.BillNo, err))
		}
	}
	return errors.Join(errs...)
}

func (s *Settler) poll(ctx context.Context, p *Payout) error {
	if p.State == TransferNew {
		rider, err := s.riders.Rider(ctx, p.RiderID)
		if err != nil {
			return err
		}
		_, err = s.send(ctx, p, rider)
		return err
	}
	if p.State == TransferWaitConfirm && time.Since(p.UpdatedAt) > 20*time.Hour {
		if err := s.transfer.Cancel(ctx, p.BillNo); err != nil && !errors.Is(err, ErrNotCancel) {
			return err
		}
	}
	t, err := s.transfer.Query(ctx, p.BillNo)
	if err != nil {
		return err
	}
	return s.apply(ctx, p.BillNo, t)
}

// Subscribe 注册转账终态回调。
func (s *Settler) Subscribe(h *webhook.Handler) {
	h.On(webhook.MchTransferBillFinished, func(ctx context.Context, e *webhook.Event) error {
		if err := e.Need("out_bill_no", "state", "transfer_amount"); err != nil {
			return err
		}
		no := e.Get("out_bill_no").String()
		amount, err := e.Fen("transfer_amount")
		if err != nil {
			return err
		}
		p, err := s.ledger.Get(ctx, no)
		if err != nil {
			return err
		}
		if p.Amount != amount {
			return fmt.Errorf("转账回调 %s 金额不符", no)
		}
		state := TransferState(e.Get("state").String())
		s.log.InfoContext(ctx, "转账完结", "bill", no, "state", state)
		return s.apply(ctx, no, &Transfer{
			State:      state,
			TransferNo: e.Get("transfer_bill_no").String(),
			FailReason: e.Get("fail_reason").String(),
		})
	})
}
