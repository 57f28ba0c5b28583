package fleet

import (
	"context"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
)

// claimKey is the context key of a job's *admission.
type claimKey struct{}

// admission is what a job has to do with the limit.
type admission struct {
	stopping context.Context // ends when nothing more is to be begun
	stop     func()          // gives the job up because of that
	// mark writes down that the job has begun, by a request with a method.
	mark func(ctx context.Context, method string) error
}

// With Marking, workers record that a job has begun when limiter has let its first request through,
// rather than before the wait. So a job that only waited for the limit when its worker died is
// known not to have been sent. A worker that is told to stop does not wait for the limit. Give it
// to wxpay.WithLimiter of the queue's client, and set Worker.Marked. Requests that are no job's
// pass to limiter alone.
func Marking(limiter middleware.Limiter) middleware.Limiter { return marking{limiter} }

type marking struct{ middleware.Limiter }

func (m marking) Acquire(ctx context.Context, key middleware.LimitKey, documented fact.Rate) (func(), error) {
	a, ok := ctx.Value(claimKey{}).(*admission)
	if !ok {
		return m.Limiter.Acquire(ctx, key, documented)
	}
	waiting, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(a.stopping, func() { cancel(errStopped) })()
	done, err := m.Limiter.Acquire(waiting, key, documented)
	if err != nil {
		if a.stopping.Err() != nil && ctx.Err() == nil {
			a.stop()
		}
		return done, err
	}
	if err := a.mark(ctx, key.Method); err != nil {
		if done != nil {
			done()
		}
		return nil, err
	}
	return done, nil
}
