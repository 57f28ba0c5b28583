package fleet

import (
	"context"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
)

// claimKey is the context key of a function that writes down that a job has begun, by a request with a method.
type claimKey struct{}

// Marking has workers write down that a job has begun when limiter has let its first request through, rather than before it
// waits for that: so what only waited for the limit when its worker died was not sent, and nobody has to doubt it. Give it to
// wxpay.WithLimiter of the queue's client, and set Worker.Marked. Requests that are no job's pass to limiter alone.
func Marking(limiter middleware.Limiter) middleware.Limiter { return marking{limiter} }

type marking struct{ middleware.Limiter }

func (m marking) Acquire(ctx context.Context, key middleware.LimitKey, documented fact.Rate) (func(), error) {
	done, err := m.Limiter.Acquire(ctx, key, documented)
	if err != nil {
		return done, err
	}
	if mark, ok := ctx.Value(claimKey{}).(func(context.Context, string) error); ok {
		if err := mark(ctx, key.Method); err != nil {
			if done != nil {
				done()
			}
			return nil, err
		}
	}
	return done, nil
}
