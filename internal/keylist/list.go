package keylist

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/fault"
)

// list decides when the list is read, and tells what came of it.
type list struct {
	Source
	reader *reader
	keys   *chosen
	ctx    context.Context
	close  context.CancelCauseFunc
	due    atomic.Int64 // Unix nanoseconds from which a call starts the next refresh

	mu       sync.Mutex
	running  *refresh  // the one under way, nil if there is none
	retry    time.Time // not before, after a failure
	failures int       // since the last success
	failure  error     // of the last refresh, nil if it succeeded
	signed   time.Time // the reader's, for others than its goroutine
	broken   []error   // likewise
	tokens   float64   // refreshes that unknown serials may still cause
	filled   time.Time // when tokens was last brought up to date
}

// refresh is one reading of the list, shared by all who wait for it.
type refresh struct {
	done chan struct{}
	err  error // after done
}

// Unknown serials come from the outside, so the refreshes that they cause are limited: a few at once, then one a minute.
const (
	tokensMost  = 5
	tokenPeriod = time.Minute
)

// Pauses after failures: doubling from the first to the last, half of each at random. The list of a merchant without
// certificates is read again after an hour.
const (
	pauseFirst = time.Second
	pauseLast  = 2 * time.Minute
	pauseNone  = time.Hour
)

func newList(source Source, keys *chosen) *list {
	l := &list{Source: source, reader: newReader(source, keys), keys: keys, tokens: tokensMost}
	l.ctx, l.close = context.WithCancelCause(context.Background())
	return l
}

// ready makes sure that there is a key. It waits for the list if there is none at all, and before the first list if
// certificates are wanted. A list that is due is read again without waiting.
func (l *list) ready(ctx context.Context) error {
	now, due := l.keys.clock(), l.due.Load()
	_, usable := l.keys.choose()
	if usable && (due != 0 || l.keys.share >= 100) {
		if now.UnixNano() >= due {
			_, _, _ = l.begin(reason{})
		}
		return nil
	}
	_, err := l.refresh(ctx, reason{})
	if usable {
		return nil
	}
	return err
}

// find reads the list again to find the certificate of an unknown serial.
func (l *list) find(ctx context.Context, serial string) (apiv3.PlatformKey, error) {
	for {
		fresh, err := l.refresh(ctx, reason{want: serial})
		if err != nil {
			return apiv3.PlatformKey{}, err // not ErrUnknownSerial, for it may be a good one
		}
		key, err := l.keys.find(serial)
		// A refresh that was under way already may have been answered before the platform knew the certificate.
		if fresh || !errors.Is(err, apiv3.ErrUnknownSerial) {
			return key, err
		}
	}
}

// refresh begins a refresh, or joins the one under way, and waits for its end. fresh tells that it began here.
func (l *list) refresh(ctx context.Context, why reason) (fresh bool, err error) {
	r, fresh, err := l.begin(why)
	if err != nil {
		return false, err
	}
	select {
	case <-r.done:
		return fresh, r.err
	case <-ctx.Done():
		return fresh, l.Failed(fault.Cause(ctx), time.Time{})
	}
}

// begin begins a refresh, unless one is under way, which it returns, or must not begin yet.
func (l *list) begin(why reason) (r *refresh, fresh bool, err error) {
	now := l.keys.clock()
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.running != nil:
		return l.running, false, nil
	case l.ctx.Err() != nil:
		return nil, false, l.Failed(ErrClosed, time.Time{})
	case why.urgent:
	case now.Before(l.retry):
		return nil, false, l.failure
	case (why.want != "" || why.direct) && !l.spend(now):
		return nil, false, fmt.Errorf("%w: the certificate list was read for unknown serials several times just now", apiv3.ErrUnknownSerial)
	}
	l.running = &refresh{done: make(chan struct{})}
	go l.run(l.running, why)
	return l.running, true, nil
}

// spend takes a token for a refresh that the outside causes; l.mu is held.
func (l *list) spend(now time.Time) bool {
	if !l.filled.IsZero() {
		l.tokens = min(tokensMost, l.tokens+max(0, now.Sub(l.filled).Seconds())/tokenPeriod.Seconds())
	}
	l.filled = now
	if l.tokens < 1 {
		return false
	}
	l.tokens--
	return true
}

// run reads the list once.
func (l *list) run(r *refresh, why reason) {
	var since time.Time
	err := fault.ErrExited
	defer func() { l.ended(r, why, since, err) }() // also when a middleware, a store or the like ends the goroutine
	defer func() {
		if value := recover(); value != nil {
			err = l.Panicked(value)
		}
	}()
	since, err = l.reader.update(l.ctx, why)
}

// ended notes how a refresh ended, and ends the waiting for it.
func (l *list) ended(r *refresh, why reason, since time.Time, err error) {
	defer func() { // also when the logger panics: that must not end the process, nor the refreshing
		_ = recover()
		l.mu.Lock()
		l.running = nil
		l.mu.Unlock()
		close(r.done)
	}()
	l.mu.Lock()
	l.signed, l.broken = l.reader.signed, l.reader.broken
	if err == nil {
		l.failures, l.failure, l.retry = 0, nil, time.Time{}
		l.due.Store(since.Add(l.Interval - rand.N(l.Interval/5)).UnixNano())
	} else {
		l.failures++
		pause := pauseNone
		if !errors.Is(err, ErrNone) {
			pause = min(pauseLast, pauseFirst<<min(l.failures-1, 10))
		}
		// By the wall clock, as every due time is: the monotonic one stands still while a machine sleeps.
		l.retry = l.keys.clock().Round(0).Add(pause/2 + rand.N(pause/2))
		l.failure = l.Failed(err, l.retry)
		l.due.Store(l.retry.UnixNano())
		r.err = l.failure
	}
	level, message, attrs := l.record(why, err)
	l.mu.Unlock()
	if l.Logger != nil && !errors.Is(err, ErrClosed) {
		l.Logger.LogAttrs(context.Background(), level, message, attrs...) // unlocked: a logger may ask for the status
	}
}

// record tells a log how a refresh ended; l.mu is held.
func (l *list) record(why reason, err error) (level slog.Level, message string, attrs []slog.Attr) {
	attrs = append(attrs, slog.String("mchid", l.MchID))
	if why.want != "" {
		attrs = append(attrs, slog.String("unknown_serial", why.want))
	}
	if err != nil {
		level = slog.LevelWarn
		if _, public := l.reader.fixed.PublicKey(); public && errors.Is(err, ErrNone) {
			level = slog.LevelInfo // as expected
		}
		return level, "wxpay platform certificates not refreshed",
			append(attrs, slog.Any("failure", l.failure), slog.Int("failures", l.failures), slog.Time("next", l.retry))
	}
	serials := make([]string, len(l.reader.fetched))
	for i, key := range l.reader.fetched {
		serials[i] = key.Serial
	}
	attrs = append(attrs, slog.Any("serials", serials))
	if len(l.broken) > 0 {
		level = slog.LevelWarn
		texts := make([]string, len(l.broken))
		for i, err := range l.broken {
			texts[i] = err.Error()
		}
		attrs = append(attrs, slog.Any("broken", texts))
	}
	return level, "wxpay platform certificates refreshed", attrs
}

// status returns what is known of the list.
func (l *list) status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	status := Status{Keys: l.keys.set.load().All(), Fetched: l.signed, Failures: l.failures, Err: l.failure, Broken: l.broken}
	if due := l.due.Load(); due != 0 {
		status.Next = time.Unix(0, due)
	}
	return status
}

// shut ends the refresh under way and prevents others.
func (l *list) shut() {
	l.close(ErrClosed)
	l.mu.Lock()
	running := l.running
	l.mu.Unlock()
	if running != nil {
		<-running.done
	}
}

// watch reads the list whenever it is due, until ctx ends or the list is shut.
func (l *list) watch(ctx context.Context) error {
	for ctx.Err() == nil {
		timer := time.NewTimer(time.Unix(0, l.due.Load()).Sub(l.keys.clock()))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return fault.Cause(ctx)
		case <-l.ctx.Done():
			timer.Stop()
			return ErrClosed
		}
		if l.keys.clock().UnixNano() < l.due.Load() {
			continue // a call started a refresh meanwhile
		}
		_, _ = l.refresh(ctx, reason{}) // a failure is in the log and in the status, and sets the next due time
	}
	return fault.Cause(ctx)
}
