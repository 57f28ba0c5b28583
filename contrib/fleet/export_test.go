package fleet

import (
	"context"
	"time"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
)

// AcquireDue is Acquire, and tells when the token fell due.
func (l *Limiter) AcquireDue(ctx context.Context, key middleware.LimitKey, documented fact.Rate) (time.Time, error) {
	return l.pace(key, documented).wait(ctx)
}

// Densest is the largest number of moments within any window.
var Densest = densest

// LimitBound is the largest number of requests that a limiter lets through within a second; see [Limiter].
func LimitBound(perSecond int) int {
	spacing := newPace("", perSecond, 0, nil, nil).spacing
	return int((time.Second+paceGrace+2*clockError)/spacing) + 1
}
