package book

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// Clock moves the time of a book, and writes that down in it.
type Clock struct {
	*hands
	book    *Book
	clocks  Table[position] // one, under the empty key
	jumping sync.Mutex
}

// New returns a book without tables, and its clock. base is the time of the wire.
func New(base func() time.Time) (*Book, *Clock) {
	b := &Book{tables: make(map[string]map[string]keeper), hands: hands{base: base}}
	c := &Clock{hands: &b.hands, book: b, clocks: OpenTable[position](b, "", "clocks")}
	clocks := c.clocks
	b.note = func(p position) { clocks.Put("", p) }
	return b, c
}

// Jump moves the clock forward by d. All that is due by then happens in its order, each at its own
// time. idle waits until nothing is under way.
func (c *Clock) Jump(d time.Duration, idle func()) error {
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
	for last := false; !last; {
		idle()
		var err error
		if last, err = c.step(target); err != nil {
			return err
		}
	}
	idle()
	return nil
}

// step moves the clock to the next time at which something is due, or to the target if nothing is
// due before.
func (c *Clock) step(target time.Time) (last bool, err error) {
	b := c.book
	b.mu.Lock()
	defer b.mu.Unlock()
	at := b.next()
	if last = at.IsZero() || at.After(target) || b.closed; last {
		at = target
	}
	b.advance(at)
	if err = b.flush(); err == nil {
		b.ripenBy(at)
	}
	b.arm()
	return last, err
}

// Freeze makes the clock stand still. A second call does nothing.
func (c *Clock) Freeze() error { return c.change(c.freeze) }

// Unfreeze lets the clock run again, from what it shows. A clock that runs is left alone.
func (c *Clock) Unfreeze() error { return c.change(c.unfreeze) }

func (c *Clock) change(move func()) error {
	b := c.book
	b.mu.Lock()
	defer b.mu.Unlock()
	move()
	c.clocks.Put("", c.position())
	err := b.flush()
	b.disarm()
	b.arm()
	return err
}
