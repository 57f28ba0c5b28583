package middleware

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/internal/redact"
)

// Log writes one record at the end of every call: at level Info after a success, at Warn after an
// API error or without a usable response. A signature test of the platform is Info for a read,
// where it does no harm.
//
// The record of a failed call has the failure (failure, error), the outcome (outcome, and
// money_may_have_moved if that is true), and the next step (advice).
//
// The fields are an allow-list: method, path template, status, code, request id, attempts,
// duration, verified, and for a failure those above. The record contains no body, header, query,
// path value or error text from outside, and the merchant's own number only if [Call.Number] is
// set.
func Log(logger *slog.Logger, clock func() time.Time) Middleware {
	return func(next http.RoundTripper) http.RoundTripper {
		return RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			var begin time.Time
			if call := CallFrom(req.Context()); call != nil {
				begin = call.entered // one moment for the observer and for the log
			}
			if begin.IsZero() {
				begin = clock()
			}
			res, err := next.RoundTrip(req)
			if ctx := req.Context(); logger.Enabled(ctx, slog.LevelWarn) {
				write(ctx, logger, CallFrom(ctx), observation(req, res, err, clock().Sub(begin)))
			}
			return res, err
		})
	}
}

func write(ctx context.Context, logger *slog.Logger, call *Call, o Observation) {
	level, message := slog.LevelInfo, "wxpay call"
	failed := o.Err != nil || o.Status >= 300
	if failed {
		level, message = slog.LevelWarn, "wxpay call failed"
	}
	if o.Probe {
		message = "wxpay response was a signature test of the platform"
		if o.Method == http.MethodGet {
			level = slog.LevelInfo
		}
	}
	if !logger.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 14)
	attrs = append(attrs,
		slog.String("method", o.Method), slog.String("path", o.Template),
		slog.Int("status", o.Status), slog.String("request_id", o.RequestID),
		slog.Int("attempts", o.Attempts), slog.Duration("duration", o.Duration), slog.Bool("verified", o.Verified))
	if call != nil && call.Number != nil {
		attrs = append(attrs, slog.String("number", redact.Printable(call.Number())))
	}
	if o.Code != "" {
		attrs = append(attrs, slog.String("code", o.Code))
	}
	if o.Err != nil {
		attrs = append(attrs, slog.String("failure", kind(o.Err)))
		if why := reason(o.Err); why != "" {
			attrs = append(attrs, slog.String("error", why))
		}
	}
	if failed {
		attrs = append(attrs, slog.String("outcome", o.Outcome.String()))
		if o.MoneyMayHaveMoved {
			attrs = append(attrs, slog.Bool("money_may_have_moved", true))
		}
		attrs = append(attrs, slog.String("advice", call.advice(o.Outcome)))
	}
	logger.LogAttrs(ctx, level, message, attrs...)
}

// advice names the next step after a failed call.
func (c *Call) advice(outcome Outcome) string {
	switch {
	case outcome == NotSent:
		return "nothing was sent, so the call can be made again"
	case outcome == Rejected:
		return "the request took no effect; whether to correct it or to send it again, its code tells"
	case outcome == Confirmed:
		return "the platform confirmed success: do not make the call again"
	case c != nil && c.read():
		return "it was a read, so retrying is safe"
	case c != nil && c.Operation != nil && c.Operation.Link != nil:
		return "it may have taken effect: ask GET " + c.Operation.Link.Query + " before repeating, as Client.Resolve does"
	}
	return "it may have taken effect: query it by your own number before repeating, and repeat only with the same number"
}
