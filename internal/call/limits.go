package call

import (
	"time"

	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/middleware"
)

// TimeLimits makes the limits of calls, with their errors.
func TimeLimits(total, attempt time.Duration) *middleware.TimeLimits {
	return &middleware.TimeLimits{
		Total: total, TotalErr: TimeLimit(total), Attempt: attempt, AttemptErr: TimeLimit(attempt), Still: total, StillErr: StillLimit(total),
	}
}

// TimeLimit is the cause of a context ended by one of the client's time limits.
func TimeLimit(bound time.Duration) error {
	return fault.Limit{Text: "no response within %s (WithTimeout and WithAttemptTimeout set the limits)", Bound: bound}
}

// StillLimit is the cause of a context ended by a stalled transfer.
func StillLimit(bound time.Duration) error {
	return fault.Limit{Text: "the transfer stalled for %s (WithTimeout sets the limit)", Bound: bound}
}
