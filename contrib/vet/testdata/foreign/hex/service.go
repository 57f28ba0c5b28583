package hex

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Ledger stores what the service knows.
type Ledger interface {
	Put(ctx context.Context, key string, value any) error
	Get(ctx context.Context, key string, value any) (bool, error)
}

// Service sells things.
type Service struct {
	payments PaymentPort
	refunds  RefundPort
	ledger   Ledger
	mu       sync.Mutex
	locks    map[Number]*sync.Mutex
}

// NewService returns a service over ports.
func NewService(payments PaymentPort, refunds RefundPort, ledger Ledger) *Service {
	return &Service{payments: payments, refunds: refunds, ledger: ledger, locks: map[Number]*sync.Mutex{}}
}

func (s *Service) lock(n Number) func() {
	s.mu.Lock()
	one := s.locks[n]
	if one == nil {
		one = new(sync.Mutex)
		s.locks[n] = one
	}
	s.mu.Unlock()
	one.Lock()
	return one.Unlock
}

// Sell starts a purchase.
func (s *Service) Sell(ctx context.Context, p Purchase) (Prepaid, error) {
	defer s.lock(p.Number)()
	var before Prepaid
	if ok, err := s.ledger.Get(ctx, "prepaid/"+string(p.Number), &before); err != nil || ok {
		return before, err
	}
	if p.Price <= 0 {
		return Prepaid{}, fmt.Errorf("purchase %s costs %d fen", p.Number, p.Price)
	}
	if p.Until.IsZero() {
		p.Until = time.Now().Add(time.Hour)
	}
	made, err := s.payments.Prepay(ctx, p)
	if err != nil {
		return Prepaid{}, err
	}
	return made, s.ledger.Put(ctx, "prepaid/"+string(p.Number), made)
}

// Confirm looks at a purchase, and compares what was paid.
func (s *Service) Confirm(ctx context.Context, p Purchase) (Status, error) {
	defer s.lock(p.Number)()
	looked, err := s.payments.Look(ctx, p.Number)
	if err != nil {
		return Unclear, err
	}
	if looked.Status == Done && looked.Paid > p.Price {
		return Unclear, fmt.Errorf("purchase %s: paid %d, costs %d", p.Number, looked.Paid, p.Price)
	}
	return looked.Status, s.ledger.Put(ctx, "status/"+string(p.Number), looked)
}

// GiveBack refunds a purchase.
func (s *Service) GiveBack(ctx context.Context, r Return) (Status, error) {
	defer s.lock(r.Purchase)()
	if r.Amount > r.Price {
		return Refused, fmt.Errorf("refund %s: %d of %d", r.Number, r.Amount, r.Price)
	}
	if err := s.ledger.Put(ctx, "refund/"+string(r.Number), r); err != nil {
		return Unclear, err
	}
	status, err := s.refunds.Refund(ctx, r)
	if errors.Is(err, errUnclear) {
		return s.later(ctx, r)
	}
	return status, err
}

// later asks again until the outcome of a refund is known.
func (s *Service) later(ctx context.Context, r Return) (Status, error) {
	for wait := time.Second; wait < time.Minute; wait *= 2 {
		select {
		case <-ctx.Done():
			return Unclear, ctx.Err()
		case <-time.After(wait):
		}
		status, back, err := s.refunds.LookRefund(ctx, r.Number)
		if err == nil && back != r.Amount {
			return Unclear, fmt.Errorf("refund %s: %d in place of %d", r.Number, back, r.Amount)
		}
		if err == nil {
			return status, nil
		}
	}
	return Unclear, errUnclear
}
