package fleet

import (
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
	idle     int          // requests for a message in a row that brought none
	failures atomic.Int64 // jobs that ended without a usable answer, since the last that had one
	unsigned atomic.Int64 // jobs that ended with a refusal that nobody signed, since the last usable answer
	unread   unread
	stray    atomic.Bool // a call was made that Marking knows nothing of
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

// caught tells of a panic in code that was given to the worker or its client, so that it ends neither the process nor the worker.
// Defer it.
func (r *running) caught(where string) {
	if cause := recover(); cause != nil {
		r.trouble(fmt.Errorf("fleet: %s: %w", where, &wxpay.PanicError{Value: cause, Stack: debug.Stack()}))
	}
}

// usable says that an answer came which is the platform's.
func (r *running) usable() {
	r.failures.Store(0)
	r.unsigned.Store(0)
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

// unread has a worker that meets jobs it cannot read, one after another, take fewer and fewer: each counts as in hand while it
// waits, and the hands of all workers are bounded, so those who can read them could take none.
type unread struct {
	mu           sync.Mutex
	inARow, rest int // jobs since the last that was read, or the last rest; and rests since then
}

func (u *unread) met() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.inARow++
}

func (u *unread) read() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.inARow, u.rest = 0, 0
}

// pause is how long to take nothing, where all workers together have so many jobs in hand.
func (u *unread) pause(hands int) time.Duration {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.inARow < max(1, hands/32) {
		return 0
	}
	u.inARow = 0
	u.rest++
	return min(unreadable/12<<min(u.rest, 4), unreadable)
}

// pauseAfter is how long a job that could not be sent waits, with its deliveries.
func pauseAfter(deliveries int) time.Duration {
	return min(time.Second<<min(max(deliveries-1, 0), 6), time.Minute)
}
