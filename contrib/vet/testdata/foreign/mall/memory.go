package mall

import (
	"context"
	"sort"
	"sync"
	"time"
)

// Memory is a Store for tests and demonstrations.
type Memory struct {
	mu      sync.Mutex
	orders  map[string]Order
	refunds map[string]Refund
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{orders: map[string]Order{}, refunds: map[string]Refund{}}
}

// Order returns a copy of an order.
func (m *Memory) Order(_ context.Context, number string) (*Order, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.orders[number]
	if !ok {
		return nil, ErrNoOrder
	}
	return &o, nil
}

// SaveOrder stores a copy of an order.
func (m *Memory) SaveOrder(_ context.Context, o *Order) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.orders[o.Number] = *o
	return nil
}

// MovedOrder changes the state of an order if it is from.
func (m *Memory) MovedOrder(_ context.Context, number string, from, to OrderState) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o, ok := m.orders[number]
	if !ok {
		return false, ErrNoOrder
	}
	if o.State != from {
		return false, nil
	}
	o.State = to
	m.orders[number] = o
	return true, nil
}

// Refund returns a copy of a refund.
func (m *Memory) Refund(_ context.Context, number string) (*Refund, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.refunds[number]
	if !ok {
		return nil, ErrNoRefund
	}
	return &r, nil
}

// RefundsOf returns the refunds of an order, the oldest first.
func (m *Memory) RefundsOf(_ context.Context, order string) ([]*Refund, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []*Refund
	for _, r := range m.refunds {
		if r.OrderNumber == order {
			copied := r
			found = append(found, &copied)
		}
	}
	sort.Slice(found, func(i, j int) bool { return found[i].RequestedAt.Before(found[j].RequestedAt) })
	return found, nil
}

// SaveRefund stores a copy of a refund.
func (m *Memory) SaveRefund(_ context.Context, r *Refund) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refunds[r.Number] = *r
	return nil
}

// Unpaid returns orders that wait for their payment.
func (m *Memory) Unpaid(_ context.Context, before time.Time, most int) ([]*Order, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []*Order
	for _, o := range m.orders {
		if o.State == OrderPaying && o.CreatedAt.Before(before) && len(found) < most {
			copied := o
			found = append(found, &copied)
		}
	}
	return found, nil
}

// Unsettled returns refunds whose end is not known.
func (m *Memory) Unsettled(_ context.Context, before time.Time, most int) ([]*Refund, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []*Refund
	for _, r := range m.refunds {
		if (r.State == "UNKNOWN" || r.State == "PROCESSING") && r.RequestedAt.Before(before) && len(found) < most {
			copied := r
			found = append(found, &copied)
		}
	}
	return found, nil
}
