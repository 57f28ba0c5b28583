package sandbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/internal/redact"
)

// Clock is the time by which a sandbox goes about its business: when orders expire and fates are met, when notifications are
// repeated, the time that answers and notifications tell in their bodies, the validity of certificates. It can be moved forward
// and made to stand still. What is on the wire is not moved: the window in which a signed request is accepted, and the
// timestamps of signatures, keep to the time of [WithClock], so that clients need not know that the business is ahead.
//
// Waits pass as package time tells, also in a testing/synctest bubble. While the clock of WithClock stands still, what is waited
// for moves the time to when it was due. A Clock is safe for concurrent use.
type Clock struct {
	base    func() time.Time // of the wire
	records *records
	courier *courier
	jumping sync.Mutex

	mu     sync.Mutex
	offset time.Duration // of the business to the wire
	frozen time.Time     // what the clock shows while it stands still; zero while it runs
}

// Clock returns the clock of the sandbox, which all its merchants share.
func (s *Sandbox) Clock() *Clock { return s.time }

// String returns what the clock shows.
func (c *Clock) String() string { return c.Now().Format(time.RFC3339Nano) }

// Format prints what String returns under every verb, and nothing of the sandbox behind the clock.
func (c *Clock) Format(s fmt.State, verb rune) { redact.Format(s, verb, c.String()) }

// MarshalText gives encodings what String returns.
func (c *Clock) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// clock is the time of the business.
func (g *gateway) clock() time.Time { return g.time.Now() }

// wire is the time of signatures.
func (g *gateway) wire() time.Time { return g.time.base() }

// Now returns what the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

// now is Now; c.mu is held.
func (c *Clock) now() time.Time {
	if !c.frozen.IsZero() {
		return c.frozen
	}
	return c.base().Add(c.offset)
}

// advance moves the clock to a time, unless it shows a later one. The records are locked.
func (c *Clock) advance(to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	ahead := to.Sub(c.now())
	if ahead <= 0 {
		return
	}
	if c.offset += ahead; !c.frozen.IsZero() {
		c.frozen = to
	}
	c.keep()
}

// to makes the clock show a time, be it past or to come.
func (c *Clock) to(at time.Time, frozen bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset, c.frozen = at.Sub(c.base()), time.Time{}
	if frozen {
		c.frozen = at
	}
	c.records.clocks.set("", clockRecord{c.offset, c.frozen})
}

// furthest is how far the business can be from the wire. Beyond some 290 years durations would end.
const furthest = 100 * 365 * 24 * time.Hour

// reaches reports whether the clock can show that time.
func (c *Clock) reaches(at time.Time) bool { return at.Sub(c.base()).Abs() <= furthest }

// clockRecord is how far the business is from the wire.
type clockRecord struct {
	Offset time.Duration `json:"offset"`
	Frozen time.Time     `json:"frozen,omitzero"`
}

// keep writes the clock down. The records are locked.
func (c *Clock) keep() { c.records.clocks.put("", clockRecord{c.offset, c.frozen}) }

// Jump moves the clock forward by d, whether it runs or stands still. All that is due by then happens in its order, each at its
// own time: fates are met, orders expire, notifications are sent and repeated. Jump waits for the answers to those, so that what
// follows from them is done as well when it returns; so a receiver must not call it. A clock cannot go back: a negative d is an
// error, and so is a Jump during another, or to more than a hundred years ahead of the wire.
func (c *Clock) Jump(d time.Duration) error {
	if d < 0 {
		return fmt.Errorf("sandbox: the clock cannot go back by %s; start another sandbox, or restore a snapshot", -d)
	}
	if !c.jumping.TryLock() {
		return errors.New("sandbox: the clock is jumping already")
	}
	defer c.jumping.Unlock()
	target := c.Now().Add(d)
	if !c.reaches(target) {
		return fmt.Errorf("sandbox: the clock cannot jump to %s: it is a hundred years ahead of the wire at most", target.Format(time.DateOnly))
	}
	r := c.records
	for {
		c.courier.idle(r)
		r.mu.Lock()
		at := r.next()
		last := at.IsZero() || at.After(target) || r.closed
		if last {
			at = target
		}
		c.advance(at)
		err := r.flush()
		if err == nil {
			r.ripenBy(at)
		}
		r.arm()
		r.mu.Unlock()
		if err != nil {
			return err
		}
		if last {
			c.courier.idle(r)
			return nil
		}
	}
}

// Freeze makes the clock stand still. A second call does nothing.
func (c *Clock) Freeze() error {
	return c.set(func() {
		if c.frozen.IsZero() {
			c.frozen = c.now()
		}
	})
}

// Unfreeze lets the clock run again, from what it shows. A clock that runs is left alone.
func (c *Clock) Unfreeze() error {
	return c.set(func() {
		if !c.frozen.IsZero() {
			c.offset = c.frozen.Sub(c.base())
			c.frozen = time.Time{}
		}
	})
}

// Frozen reports whether the clock stands still.
func (c *Clock) Frozen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.frozen.IsZero()
}

func (c *Clock) set(change func()) error {
	r := c.records
	r.mu.Lock()
	defer r.mu.Unlock()
	c.mu.Lock()
	change()
	c.keep()
	c.mu.Unlock()
	err := r.flush()
	r.disarm()
	r.arm()
	return err
}

// idle waits until no notification is under way.
func (c *courier) idle(r *records) {
	for {
		r.mu.Lock()
		none, news := len(c.underway) == 0, c.news
		r.mu.Unlock()
		if none || !c.wait(context.Background(), news) {
			return
		}
	}
}
