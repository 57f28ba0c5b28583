package wxotel

import (
	"context"
	"time"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
)

// Limiter returns a limiter that measures the waits for another. Without it the durations of
// attempts include them.
func (t *Telemetry) Limiter(limits middleware.Limiter) middleware.Limiter { return &limiter{limits, t} }

type limiter struct {
	limits middleware.Limiter
	t      *Telemetry
}

// Acquire is part of [middleware.Limiter].
func (l *limiter) Acquire(ctx context.Context, key middleware.LimitKey, documented fact.Rate) (func(), error) {
	begun := time.Now()
	done, err := l.limits.Acquire(ctx, key, documented)
	waited := time.Since(begun)
	template := masked(key.Template)
	if s := spanOf(ctx); s != nil {
		s.waited, template = waited, s.template
	}
	about := labels{method: key.Method, template: template}
	if err != nil {
		about.failure = errorType(0, err)
	}
	l.t.wait.Record(ctx, waited.Seconds(), l.t.sets.of(about)...)
	return done, err
}
