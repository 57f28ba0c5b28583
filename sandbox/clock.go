package sandbox

import (
	"fmt"
	"time"

	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/post"
)

// Clock is the time by which a sandbox goes about its business. It decides when orders expire,
// records reach their ends and notifications are repeated, what time the bodies of responses and
// notifications tell, and which certificates are valid. It can be moved forward and made to stand
// still. The wire is not moved. The window in which a signed request is accepted, and the
// timestamps of signatures, keep to the time of [WithClock], so that clients need not know that the
// business is ahead.
//
// Waits pass as package time tells, also in a testing/synctest bubble. While the clock of WithClock
// stands still, a wait moves the time to its end. A Clock is safe for concurrent use.
type Clock struct {
	clock  *book.Clock
	office *post.Office
}

// Now returns what the clock shows.
func (c *Clock) Now() time.Time { return c.clock.Now() }

// Frozen reports whether the clock stands still.
func (c *Clock) Frozen() bool { return c.clock.Frozen() }

// Jump moves the clock forward by d, whether it runs or stands still. All that is due by then
// happens in its order, each at its own time: records reach their ends, orders expire,
// notifications are sent and repeated. Jump waits for the responses to those, so that everything
// that follows from them is done when it returns; so a receiver must not call it. A clock cannot go
// back: a negative d is an error, and so is a Jump during another, or to more than a hundred years
// ahead of the wire.
func (c *Clock) Jump(d time.Duration) error { return c.clock.Jump(d, c.office.Idle) }

// Freeze makes the clock stand still. A second call does nothing.
func (c *Clock) Freeze() error { return c.clock.Freeze() }

// Unfreeze lets the clock run again, from what it shows. A clock that runs is left alone.
func (c *Clock) Unfreeze() error { return c.clock.Unfreeze() }

// String returns what the clock shows.
func (c *Clock) String() string { return c.Now().Format(time.RFC3339Nano) }

// Format prints what String returns under every verb, and nothing of the sandbox behind the clock.
func (c *Clock) Format(s fmt.State, verb rune) { redact.Format(s, verb, c.String()) }

// MarshalText gives encodings what String returns.
func (c *Clock) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
