package wxpaytest

import (
	"sync"
	"time"
)

// Clock is a clock that moves only when the test says so. Its method Now fits wxpay.WithClock and
// webhook.WithClock. It moves signatures, front-end parameters and the validity of certificates; it
// moves no timeout and no pause between retries, which testing/synctest does.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that stands at now.
func NewClock(now time.Time) *Clock { return &Clock{now: now} }

// Now returns the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock by d, back if d is negative.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
