package middleware

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"
)

// Log writes one record for every call, when it has ended: at level Info when the platform did what was asked, at Warn
// when it refused or no usable answer came. A signature test of the platform is Info, for it is no trouble.
//
// The fields are an allow-list: method, path template, status, code, request id, attempts, duration, whether the answer
// was verified, and for a failure its kind. No body, header, query, path value or error text of others is logged.
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
				write(ctx, logger, observation(req, res, err, clock().Sub(begin)))
			}
			return res, err
		})
	}
}

func write(ctx context.Context, logger *slog.Logger, o Observation) {
	level, message := slog.LevelInfo, "wxpay call"
	if o.Err != nil || o.Status >= 300 {
		level, message = slog.LevelWarn, "wxpay call failed"
	}
	if o.Probe {
		level, message = slog.LevelInfo, "wxpay answer was a signature test of the platform"
	}
	if !logger.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 9)
	attrs = append(attrs,
		slog.String("method", o.Method), slog.String("path", o.Template),
		slog.Int("status", o.Status), slog.String("request_id", o.RequestID),
		slog.Int("attempts", o.Attempts), slog.Duration("duration", o.Duration), slog.Bool("verified", o.Verified))
	if o.Code != "" {
		attrs = append(attrs, slog.String("code", o.Code))
	}
	if o.Err != nil {
		attrs = append(attrs, slog.String("failure", kind(o.Err)))
	}
	logger.LogAttrs(ctx, level, message, attrs...)
}

// kind names the sort of a failure. Error texts of the network can hold addresses and query strings, so they are not
// logged; the caller gets them.
func kind(err error) string {
	var refused *VerifyError
	var unsigned *SignError
	switch {
	case errors.As(err, &refused):
		return "unverified answer"
	case errors.As(err, &unsigned):
		return "signing"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "transport"
}
