package fleet

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxpay-go/wxpay/contrib/fleet/internal/jserror"
)

// The time for one question to the engine. No response comes when the server that had it dies, or
// when it has no leader, and package jetstream waits for one as long as the caller has time.
const (
	askMost  = 5 * time.Second
	askLeast = time.Second
)

// A question that a cluster cannot answer while it elects a leader, for 4 to 10 s, is repeated for
// rideTime.
const (
	rideTime  = 30 * time.Second
	rideAgain = 250 * time.Millisecond
	// rideSetup bounds one try to open what a queue or limiter is made of: a dozen questions.
	rideSetup = 15 * time.Second
)

// ride asks the engine, and asks again while it finds itself. do has to be harmless when it runs
// twice. Each try has a time of its own.
func (e *Engine) ride(ctx context.Context, each time.Duration, do func(context.Context) error) error {
	return e.insist(ctx, func() error {
		one, cancel := context.WithTimeout(ctx, each)
		defer cancel()
		one, done := e.denials.bound(one)
		defer done()
		err := do(one)
		if denied := context.Cause(one); err != nil && errors.Is(denied, ErrDenied) {
			return denied
		}
		return err
	})
}

// insist is ride for what bounds its time itself.
func (e *Engine) insist(ctx context.Context, do func() error) error {
	var failing time.Time
	for {
		err := do()
		if err == nil || ctx.Err() != nil || !e.passing(err) {
			return err
		}
		if failing.IsZero() {
			failing = time.Now()
		}
		if time.Since(failing) > rideTime || !sleep(ctx, rideAgain) {
			return err
		}
	}
}

// passing reports whether an error may be gone in a moment: a cluster that elects a leader, a
// connection that is being made again. An embedded engine has neither, but a disk that may stand
// still for some seconds.
func (e *Engine) passing(err error) bool {
	if e.server != nil {
		return errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ErrNoSpace) && e.failure() == nil
	}
	if e.ended() || e.denials.recent() != nil && unanswered(err) {
		return false
	}
	if errors.Is(err, jetstream.ErrJetStreamNotEnabled) || errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) {
		return false
	}
	if of, passing := jserror.Unavailable(err); of {
		return passing && (jserror.InProcess(err) || !errors.Is(e.Explain(err), ErrNoSpace))
	}
	var legacy *nats.APIError // of a watch, which goes another way
	if errors.As(err, &legacy) {
		return legacy.Code == http.StatusServiceUnavailable
	}
	return unanswered(err) || disconnected(err)
}

// sleep waits, and reports whether ctx is still alive.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
