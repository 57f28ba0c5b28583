package wxredis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
)

//go:embed place.lua
var placeText string

var placeScript = redis.NewScript(placeText)

const (
	// mostMargin bounds what a slow network may take from the rate: a second takes half of it.
	mostMargin = time.Second
	// horizon is how far ahead a place is given away. It bounds what processes that die take along.
	horizon = time.Minute
	// awayPause is how long the limiter does not ask a server that cannot be used.
	awayPause = time.Second
)

// limits are those of all operations, as this process knows them.
type limits struct {
	server    *server
	processes int // that share a limit; 0: requests are kept back while the server cannot be used
	rules     []middleware.Rule

	away   atomic.Int64 // Unix nanoseconds before which the server is not asked, 0 usually
	margin atomic.Int64 // nanoseconds within which a request begins after its place
	mu     sync.Mutex
	known  map[middleware.LimitKey]*limit
}

// limit is what a process knows of one operation.
type limit struct {
	key   string
	rate  int    // requests within a second
	share *share // for the time without the server, nil if requests are kept back
}

// Acquire is part of [middleware.Limiter]. It admits no more requests within any second than the
// rate, over all processes that share the server, the prefix and the rules. A process gets a place
// in time by the server's clock, in one round trip, and waits for it. A request that would begin
// too late after its place, because network or machine were slow, asks for another one. The time
// that the process allows itself begins at 10 ms and follows its network; it is added to the
// second.
//
// While the server cannot be used, requests are kept back, or admitted by a share; see
// [WithProcesses].
func (l *limits) Acquire(ctx context.Context, key middleware.LimitKey, documented fact.Rate) (func(), error) {
	_, err := l.admit(ctx, key, documented)
	return nil, err
}

// admit returns when it admitted the request, by the clock of this process.
func (l *limits) admit(ctx context.Context, key middleware.LimitKey, documented fact.Rate) (time.Time, error) {
	own := l.limit(key, documented)
	if own == nil {
		return time.Now(), nil
	}
	for {
		at, err := l.place(ctx, own)
		switch {
		case err == nil && !at.IsZero():
			return at, nil
		case err == nil:
			continue // it came too late for its place
		case ctx.Err() != nil || errors.Is(err, middleware.ErrLimited) || errors.Is(err, errForeign):
			return time.Time{}, err
		case own.share == nil:
			return time.Time{}, fmt.Errorf("the request was kept back, because the shared limit is unknown: %w", err)
		}
		return own.share.wait(ctx)
	}
}

// limit returns the limit of key, nil if there is none.
func (l *limits) limit(key middleware.LimitKey, documented fact.Rate) *limit {
	l.mu.Lock()
	defer l.mu.Unlock()
	if own, ok := l.known[key]; ok {
		return own
	}
	rate := documented.PerSecond
	for _, r := range l.rules {
		if (r.Method == "" || r.Method == key.Method) && (r.Template == "" || r.Template == key.Template) {
			rate = r.PerSecond
			break
		}
	}
	var own *limit
	if rate > 0 {
		own = &limit{key: l.server.key("limit", key.Identity+"\n"+key.Method+"\n"+key.Template), rate: rate}
		if l.processes > 0 {
			own.share = newShare(rate, l.processes)
		}
	}
	l.known[key] = own
	return own
}

// errAway is the error of a server that was not asked, because it could not be used just now.
var errAway = errors.New("wxredis: the server could not be used just now, and is asked again after a second")

// place asks for a place and waits for it. The time is zero if the place was lost, or is too far
// away to be given away yet.
func (l *limits) place(ctx context.Context, own *limit) (time.Time, error) {
	asked := time.Now()
	until := l.away.Load()
	if until != 0 && (asked.UnixNano() < until || !l.away.CompareAndSwap(until, asked.Add(l.server.patience+awayPause).UnixNano())) {
		return time.Time{}, errAway
	}
	margin, most := max(leastMargin, time.Duration(l.margin.Load())), horizon
	left := time.Duration(-1)
	if deadline, ok := ctx.Deadline(); ok {
		left = max(0, deadline.Sub(asked))
		most = min(most, left)
	}
	reply, err := l.server.run(ctx, placeScript, own.key, own.rate, margin.Microseconds(), most.Microseconds())
	switch {
	case err != nil && (ctx.Err() != nil || errors.Is(err, errForeign)):
		return time.Time{}, err
	case err != nil:
		l.away.Store(time.Now().Add(awayPause).UnixNano())
		return time.Time{}, err
	case until != 0:
		l.away.Store(0)
	}
	taken, wait := reply[0] == 1, time.Duration(reply[1])*time.Microsecond
	if !taken && left >= 0 && wait > left {
		return time.Time{}, fmt.Errorf("%w: the next place is %s away, past the deadline", middleware.ErrLimited, wait.Round(time.Millisecond))
	}
	if !taken {
		return time.Time{}, sleep(ctx, wait-most)
	}
	// The server answered between asked and now. So the place is not before asked.Add(wait), and
	// not after now.Add(wait).
	if err := sleep(ctx, wait); err != nil {
		return time.Time{}, err
	}
	now := time.Now()
	late := now.Sub(asked) - wait
	l.margin.Store(int64(min(mostMargin, max(margin*15/16, 2*late))))
	if late > margin {
		return time.Time{}, nil
	}
	return now, nil
}
