package call

import (
	"time"

	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/middleware"
)

// TimeLimits makes the limits of calls, with the errors that they end with.
func TimeLimits(total, attempt time.Duration) *middleware.TimeLimits {
	return &middleware.TimeLimits{
		Total: total, TotalErr: TimeLimit(total), Attempt: attempt, AttemptErr: TimeLimit(attempt), Still: total, StillErr: StillLimit(total),
	}
}

// TimeLimit is the cause of a context that one of the client's time limits ended.
func TimeLimit(bound time.Duration) error {
	return fault.Limit{Text: "no response within %s (WithTimeout and WithAttemptTimeout set the limits)", Bound: bound}
}

// StillLimit is the cause of a context that ended because a transfer stalled.
func StillLimit(bound time.Duration) error {
	return fault.Limit{Text: "the transfer stood still for %s (WithTimeout sets the limit)", Bound: bound}
}
