package wxredis

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/middleware"
)

// leastMargin is how late a request may begin after its place at least, without losing it.
const leastMargin = 10 * time.Millisecond

// share is the part of a rate that one process keeps by itself.
type share struct {
	window time.Duration

	mu     sync.Mutex
	begun  []time.Time // begins of the last requests: a ring
	oldest int
}

// newShare divides rate by processes. Below one request a second, the window grows.
func newShare(rate, processes int) *share {
	window := time.Second + leastMargin
	if processes > rate {
		window = window * time.Duration(processes) / time.Duration(rate)
	}
	return &share{window: window, begun: make([]time.Time, max(1, rate/processes))}
}

// wait takes the next place and waits for it.
func (s *share) wait(ctx context.Context) (time.Time, error) {
	s.mu.Lock()
	now := time.Now()
	at := s.begun[s.oldest].Add(s.window)
	if at.Before(now) {
		at = now
	}
	if deadline, ok := ctx.Deadline(); ok && at.After(deadline) {
		s.mu.Unlock()
		return time.Time{}, fmt.Errorf("%w: the shared limit is unknown, and the next place of this process's share is %s away, past the deadline",
			middleware.ErrLimited, at.Sub(now).Round(time.Millisecond))
	}
	s.begun[s.oldest] = at
	s.oldest = (s.oldest + 1) % len(s.begun)
	s.mu.Unlock()
	if err := sleep(ctx, at.Sub(now)); err != nil {
		return time.Time{}, err
	}
	return time.Now(), nil
}

// sleep waits for d. Its error tells that ctx ended before.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", middleware.ErrLimited, context.Cause(ctx))
	}
}
