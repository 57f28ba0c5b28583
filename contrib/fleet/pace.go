package fleet

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/middleware"
)

// The figures behind the promise of [Limiter]; see there.
const (
	// paceMargin is what a second is stretched by, so that tokens of one second do not come closer
	// on the way than they left.
	paceMargin = 20 * time.Millisecond
	// paceGrace is how late a token may be used. An older one is dropped: to save it up would be a
	// burst.
	paceGrace = 100 * time.Millisecond
	// clockError is how uncertain a process may be of the shared clock, either way.
	clockError = 50 * time.Millisecond

	// paceAhead is how far ahead tokens are reserved. It keeps the rate up while processes contend,
	// and is what one that dies can waste.
	paceAhead = time.Second
	// batchesPerSecond bounds how often the shared state is written: a batch is that part of the
	// rate.
	batchesPerSecond = 20
	// clockAge is how long a reading of the shared clock is good for. Clocks drift apart by a few
	// milliseconds meanwhile.
	clockAge = 30 * time.Second
	// storeTime bounds one turn with the store, and storeRetry one while it cannot be reached.
	storeTime  = 2 * time.Second
	storeRetry = 250 * time.Millisecond
	// paceFar is how far ahead the next token cannot fall due but by a wrong clock.
	paceFar = time.Minute
)

// paceStore holds, for each key, when the next token falls due, and a clock that all processes
// share.
type paceStore interface {
	// Load returns when the next token of key falls due, and the revision of that; zero values if
	// key is not known.
	Load(ctx context.Context, key string) (next time.Time, revision uint64, err error)
	// Save writes it if revision is still the newest, and returns the new one; errPaceConflict if
	// it is not.
	Save(ctx context.Context, key string, next time.Time, revision uint64) (uint64, error)
	// Clock returns the shared time at some moment during the call.
	Clock(ctx context.Context) (time.Time, error)
}

// errPaceConflict means that somebody else has written since.
var errPaceConflict = errors.New("another process was first")

// sharedClock maps the monotonic clock of this process to that of a store.
type sharedClock struct {
	store paceStore

	mu    sync.Mutex
	local time.Time     // when it was read; zero for never
	ahead time.Duration // the shared clock is so much ahead of the local one
}

// fresh reads the store's clock if the last reading is old, or if this machine slept since. While
// that fails, the last reading stays good for another clockAge.
func (c *sharedClock) fresh(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	age := now.Sub(c.local)
	slept := now.Round(0).Sub(c.local.Round(0)) - age // by the wall clock, which goes on in sleep; or it was set
	usable := !c.local.IsZero() && slept.Abs() < clockError
	if usable && age < clockAge {
		return nil
	}
	err := c.read(ctx)
	if usable && age < 2*clockAge {
		return nil
	}
	return err
}

// read reads the store's clock. The response is from some moment between question and answer, so
// their distance says how good it is.
func (c *sharedClock) read(ctx context.Context) error {
	var took time.Duration
	for range 3 {
		asked := time.Now()
		shared, err := c.store.Clock(ctx)
		if err != nil {
			return err
		}
		if took = time.Since(asked); took <= 2*clockError {
			c.local = asked.Add(took / 2)
			c.ahead = shared.Sub(c.local)
			return nil
		}
	}
	return fmt.Errorf("reading the clock of the store takes %v, and no more than %v keep the limit exact", took.Round(time.Millisecond), 2*clockError)
}

// now is the shared time.
func (c *sharedClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

// localTime is the time on this process's clock of a shared time.
func (c *sharedClock) localTime(shared time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now() // keeps the monotonic reading
	return now.Add(shared.Sub(now.Add(c.ahead)))
}

// pace is the limit of one key, as one process sees it: who waits here, and the reserving of tokens
// for them.
type pace struct {
	key     string
	spacing time.Duration // between two tokens
	batch   int           // the most tokens of one write
	store   paceStore
	clock   *sharedClock
	alone   time.Duration // between two tokens while the store cannot be reached; 0 lets nothing through then

	mu       sync.Mutex
	waiting  list.List // of *turn, in order of arrival
	running  bool
	farSince time.Time     // since when the next token falls due too far ahead; of run alone
	trouble  error         // why nothing is let through at the moment
	lonely   time.Time     // when the next falls due without the store; zero while it answers
	emptied  chan struct{} // says that the last one has left the line
}

func newPace(key string, perSecond, workers int, store paceStore, clock *sharedClock) *pace {
	p := &pace{key: key, store: store, clock: clock, emptied: make(chan struct{}, 1)}
	p.spacing = (time.Second + paceMargin) / time.Duration(perSecond)
	p.batch = max(1, perSecond/batchesPerSecond)
	p.alone = p.spacing * time.Duration(workers)
	return p
}

// turn is a caller that waits for a token.
type turn struct {
	end   time.Time      // when waiting ends, on the local clock; zero for never
	token chan time.Time // gets the local time from which on the token holds; closed when end is too near
	place *list.Element  // nil once it has left the line
}

// wait returns when a request may begin, with the local time at which its token fell due.
func (p *pace) wait(ctx context.Context) (due time.Time, err error) {
	for {
		due, err := p.reserve(ctx)
		if err != nil {
			return due, err
		}
		if used, err := use(ctx, due); used || err != nil {
			return due, err
		}
	}
}

// use waits until a token falls due, and reports whether that was noticed in time.
func use(ctx context.Context, due time.Time) (bool, error) {
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-timer.C:
		return since(due, time.Now()) <= paceGrace, nil
	case <-ctx.Done():
		return false, fmt.Errorf("%w: %w", middleware.ErrLimited, context.Cause(ctx))
	}
}

// reserve gets in line for a token.
func (p *pace) reserve(ctx context.Context) (due time.Time, err error) {
	t := &turn{token: make(chan time.Time, 1)}
	t.end, _ = ctx.Deadline()
	p.mu.Lock()
	t.place = p.waiting.PushBack(t)
	if !p.running {
		p.running = true
		go p.run()
	}
	p.mu.Unlock()
	select {
	case due, ok := <-t.token:
		if !ok {
			return due, fmt.Errorf("%w: %w", middleware.ErrLimited, p.reason())
		}
		return due, nil
	case <-ctx.Done():
		p.mu.Lock()
		defer p.mu.Unlock()
		if t.place != nil {
			p.waiting.Remove(t.place)
			t.place = nil
		}
		if p.waiting.Len() == 0 {
			select {
			case p.emptied <- struct{}{}:
			default:
			}
		}
		if p.trouble != nil {
			return due, fmt.Errorf("%w: %w (%w)", middleware.ErrLimited, context.Cause(ctx), p.trouble)
		}
		return due, fmt.Errorf("%w: %w", middleware.ErrLimited, context.Cause(ctx))
	}
}

var errPastDeadline = errors.New("the next place is past the deadline")

func (p *pace) reason() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.trouble != nil {
		return p.trouble
	}
	return errPastDeadline
}

// next takes the caller that waits longest out of the line; nil if none does.
func (p *pace) next() *turn {
	first := p.waiting.Front()
	if first == nil {
		return nil
	}
	t := p.waiting.Remove(first).(*turn)
	t.place = nil
	return t
}

// run reserves tokens for as long as somebody waits for one.
func (p *pace) run() {
	var next time.Time     // when the next token falls due, as far as known
	var revision uint64    // of that
	known := false         // whether next and revision are likely to be the newest
	gathered := false      // whether others were given time to come to the line
	tries := 0             // how often in a row somebody else was first, or there was no room
	var took time.Duration // the last write
	for {
		p.mu.Lock()
		if p.waiting.Len() == 0 {
			p.running = false
			p.mu.Unlock()
			return
		}
		limit := storeTime
		if p.trouble != nil {
			limit = storeRetry
		}
		p.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		err := p.clock.fresh(ctx)
		if err == nil && !known {
			next, revision, err = p.store.Load(ctx, p.key)
			known = err == nil
		}
		var pause time.Duration
		if err == nil {
			now := p.clock.now()
			far := next.Sub(now) > paceFar
			switch {
			case !far:
				p.farSince = time.Time{}
			case p.farSince.IsZero():
				p.farSince = time.Now()
			case time.Since(p.farSince) > 2*clockAge:
				// It is no other process that has read the clock after a jump, before this one has:
				// none has an old reading now.
				next, far = now.Add(paceAhead), false
			}
			// A token that the store is slow to give would be late from the beginning.
			start := later(now.Add(min(took, paceAhead/2)), next)
			p.turnAway(start)
			n := p.wanted()
			if wait := start.Add(time.Duration(n-1)*p.spacing).Sub(now) - paceAhead; wait > 0 {
				// The tokens of the next while are taken. A caller that comes back when there is
				// room meets all the others that do so: they spread, but not so wide that those who
				// were lucky leave them behind.
				pause = wait + spread(50*time.Millisecond, min(tries, 2))
				if far {
					pause = time.Second
				}
				tries++
				known = false
			} else if gather := time.Duration(p.batch) * p.spacing; n < p.batch && !gathered && start.Sub(now) > 2*gather {
				// Nothing is lost by letting others come to the line first, and a write is saved.
				pause, gathered, known = gather, true, false
			} else if n > 0 {
				gathered = false
				end := start.Add(time.Duration(n) * p.spacing)
				asked := time.Now()
				revision, err = p.store.Save(ctx, p.key, end, revision)
				took = time.Since(asked)
				switch {
				case err == nil:
					p.hand(start, n)
					next, tries = end, 0
				case errors.Is(err, errPaceConflict):
					err, known = nil, false
					pause = spread(time.Millisecond, tries)
					tries++
				}
			}
		}
		cancel()
		if err != nil {
			known = false
			pause = spread(100*time.Millisecond, 1)
			p.handAlone(err)
		} else {
			p.mu.Lock()
			p.trouble, p.lonely = nil, time.Time{}
			p.mu.Unlock()
		}
		if pause > 0 {
			timer := time.NewTimer(pause)
			select {
			case <-timer.C:
			case <-p.emptied:
				timer.Stop()
			}
		}
	}
}

// spread draws a pause of up to base, doubled with every try up to 64 times.
func spread(base time.Duration, tries int) time.Duration {
	return time.Duration(rand.Int64N(int64(base<<min(tries, 6)) + 1))
}

// turnAway refuses those whose waiting would end before their token: the first in line gets the one
// at start, at best.
func (p *pace) turnAway(start time.Time) {
	due := p.clock.localTime(start)
	p.mu.Lock()
	defer p.mu.Unlock()
	for e := p.waiting.Front(); e != nil; {
		t, following := e.Value.(*turn), e.Next()
		if !t.end.IsZero() && due.After(t.end) {
			p.waiting.Remove(e)
			t.place = nil
			close(t.token)
		} else {
			due = due.Add(p.spacing)
		}
		e = following
	}
}

// wanted is how many tokens to reserve now.
func (p *pace) wanted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return min(p.waiting.Len(), p.batch)
}

// hand gives out n tokens, the first of which falls due at start. A token that nobody wants any
// more is lost to all, which is on the careful side.
func (p *pace) hand(start time.Time, n int) {
	due := p.clock.localTime(start)
	p.mu.Lock()
	defer p.mu.Unlock()
	for range n {
		t := p.next()
		if t == nil {
			return
		}
		t.token <- due
		due = due.Add(p.spacing)
	}
}

// handAlone gives out what falls due until the store is asked again, at the pace that is kept
// without it.
func (p *pace) handAlone(err error) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trouble = fmt.Errorf("the shared limit cannot be reached: %w", err)
	switch {
	case p.alone == 0:
		return
	case p.lonely.IsZero():
		p.lonely = now.Add(paceAhead + p.alone) // tokens that were reserved before may still be used
		return
	case p.lonely.Before(now):
		p.lonely = now
	}
	for p.lonely.Before(now.Add(2 * storeRetry)) {
		t := p.next()
		if t == nil {
			return
		}
		t.token <- p.lonely
		p.lonely = p.lonely.Add(p.alone)
	}
}
