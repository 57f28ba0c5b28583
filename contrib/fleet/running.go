package fleet

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/wxcode"
)

// running is one Run.
type running struct {
	Worker
	*Queue
	wide map[wxcode.Code]bool // codes that concern the merchant

	paused   atomic.Pointer[Pause]
	lost     atomic.Pointer[Pause] // because records are missing
	aside    aside
	id       string                  // of this Run
	began    time.Time               // this Run
	failures atomic.Int64            // jobs that ended without a usable answer, since the last that had one
	unsigned atomic.Int64            // jobs that ended with a rejection that nobody signed, since the last usable response
	unread   brake                   // for jobs that this process cannot read
	silent   brake                   // for jobs that get no response
	stopping context.Context         // ends when no more is to be begun
	end      context.CancelCauseFunc // has Run end with an error
	leases   *leases
}

var errStopped = errors.New("fleet: the worker was stopped")

func (r *running) observe(end ending) {
	if r.OnResult != nil && end.result != nil {
		defer r.caught("Worker.OnResult")
		r.OnResult(*end.result)
	}
}

func (r *running) trouble(err error) {
	if r.OnError != nil && err != nil {
		defer func() { _ = recover() }() // there is nobody left to tell
		r.OnError(err)
	}
}

// caught tells of a panic in code that was given to the worker or its client, so that it ends
// neither the process nor the worker. Defer it.
func (r *running) caught(where string) {
	if cause := recover(); cause != nil {
		r.trouble(fmt.Errorf("fleet: %s: %w", where, &wxpay.PanicError{Value: cause, Stack: debug.Stack()}))
	}
}

// notice tells in words what concerns the whole queue.
func (r *running) notice(text string) {
	if r.OnNotice != nil {
		defer r.caught("Worker.OnNotice")
		r.OnNotice(text)
	}
}

// usable says that a response came which is the platform's.
func (r *running) usable() {
	if r.aside.works() {
		r.notice(r.Name + " works again")
	}
	r.forget()
}

// forget forgets the trouble that was met in a row.
func (r *running) forget() {
	r.failures.Store(0)
	r.unsigned.Store(0)
	r.silent.clear()
}

// ending is what is to be done about a message.
type ending struct {
	done  bool          // take it off the queue
	again time.Duration // or: give it back, to come again after so long
	left  bool          // or: leave it, for somebody else has taken it over
	stuck bool          // of the head of a lane: its outcome is unknown

	result *Result // what was stored, for OnResult
}

// isToken reports whether a message is the token of a lane.
func (r *running) isToken(subject string) bool { return subject == r.tokenSubject(lastToken(subject)) }

// unreadable is how long a job waits that a worker cannot read. Meanwhile it counts as in hand.
const unreadable = time.Minute

// brake makes a worker rest, longer each time, while jobs come to nothing one after another. Those
// it cannot read count as in hand while they wait, and the hands of all workers are bounded, so
// those who can read them could take none. Those that get no response are in doubt for minutes, and
// it would be of no use to put more of them there.
type brake struct {
	mu           sync.Mutex
	inARow, rest int // jobs since the last that came to something, or the last rest; and rests since then
	until        time.Time
}

func (b *brake) met() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inARow++
}

func (b *brake) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inARow, b.rest, b.until = 0, 0, time.Time{}
}

const (
	restFirst = 10 * time.Second
	restMost  = time.Minute
)

// pause is how long to take nothing, where most jobs in a row may come to nothing.
func (b *brake) pause(most int) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.inARow >= most {
		b.inARow, b.until = 0, time.Now().Add(doubled(restFirst, restMost, b.rest))
		b.rest++
	}
	return time.Until(b.until)
}

// pauseAfter is how long a job that could not be sent waits, with its deliveries.
func pauseAfter(deliveries int) time.Duration {
	return doubled(time.Second, time.Minute, deliveries-1)
}
