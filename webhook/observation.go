package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/internal/redact"
)

// Observation is what one delivery looked like. Apart from Err it holds nothing that identifies a person and no secret.
// Members that come from the delivery itself are shortened and cleaned.
type Observation struct {
	// ID, Type and OriginalType are the event's; empty when it was not verified.
	ID, Type, OriginalType string
	// Merchant is the ID of the Merchant; empty when the delivery was refused before one was chosen.
	Merchant string
	// Serial is the platform key that the delivery names. It is worth a metric while certificates are being replaced.
	Serial string
	// RequestID is the platform's Request-ID.
	RequestID string
	// Status is the HTTP status of the answer.
	Status int
	// Duration is the time from the arrival to the answer, or to the end of the function if Late.
	Duration time.Duration
	// Probe says that it was a signature test of the platform, refused as it should be.
	Probe bool
	// Duplicate says that the event had been dealt with before.
	Duplicate bool
	// Unhandled says that the event was verified and no function is registered for it. It was answered 204, or 500 if it tells
	// of money or asks something (then Err is an [ErrNoHandler]).
	Unhandled bool
	// Ignored says that it was answered 204 because [Handler.Ignore] says so.
	Ignored bool
	// Late says that the delivery was observed before, with ErrOverrun, and that its function has returned now: Err is
	// how it ended.
	Late bool
	// Failure is Err in one or two words, for logs and metrics; empty when Err is nil.
	Failure string
	// Err is why the delivery was not answered with success. With a 2xx it is an ErrDeduper: the event was processed,
	// and that could not be noted. What a function returned may hold anything.
	Err error
}

// Format prints everything but Err under every verb.
func (o Observation) Format(s fmt.State, verb rune) { redact.Format(s, verb, o.text()) }

// MarshalText gives encodings what Format prints.
func (o Observation) MarshalText() ([]byte, error) { return []byte(o.text()), nil }

func (o *Observation) text() string {
	text := fmt.Sprintf("webhook.Observation{%s, %s %s, serial %s, status %d, %s", o.ID, o.Type, o.OriginalType, o.Serial, o.Status, o.Duration)
	if o.Failure != "" {
		text += ", " + o.Failure
	}
	return text + "}"
}

// record is the level and the message of an observation's log record.
func (o *Observation) record() (slog.Level, string) {
	switch {
	case o.Probe:
		return slog.LevelInfo, "wxpay notification was a signature test of the platform"
	case errors.Is(o.Err, ErrBusy) || errors.Is(o.Err, errGone):
		return slog.LevelWarn, "wxpay notification was not waited for"
	case o.Err != nil && (o.Status >= 500 || o.Status < 300 || o.Late):
		return slog.LevelError, "wxpay notification failed"
	case o.Err != nil:
		return slog.LevelWarn, "wxpay notification refused"
	case o.Unhandled:
		return slog.LevelWarn, "wxpay notification has no function"
	case o.Ignored:
		return slog.LevelInfo, "wxpay notification was ignored"
	case o.Duplicate:
		return slog.LevelInfo, "wxpay notification was a duplicate"
	}
	return slog.LevelInfo, "wxpay notification"
}

// sentence says what happened and what to do. The texts of this package's own errors do; those of a function, a store or a key
// may hold anything and are for the observer.
func (o *Observation) sentence() string {
	const again = "; what the notification tells has happened all the same, and it is delivered again"
	switch o.Failure {
	case probe:
		return ""
	case "function":
		return "the function returned an error, which the observer is told" + again
	case "panic":
		return "the function panicked; the observer is told the value and the stack" + again
	case "decoding":
		return "the resource does not fit the type that the function takes, the observer is told where" + again
	case "store":
		if o.Status < 300 {
			return "the function has succeeded, and the store of what was done could not note it: the function may run again for this event"
		}
		return "the store of what was done failed; the observer is told why" + again
	case "choosing the merchant":
		return "the function that chooses the merchant failed; the observer is told why; the notification is delivered again"
	case "keys":
		return "the platform's keys could not be asked, so nothing is known of the notification; the observer is told why; it is delivered again"
	case "signing":
		return "the answer to the question could not be signed; the observer is told why"
	case "":
		if o.Unhandled {
			return "no function is registered for this event: register one with On, or say Ignore"
		}
		return ""
	}
	return redact.OneLine(strings.TrimPrefix(o.Err.Error(), "webhook: "))
}

func (o *Observation) log(ctx context.Context, logger *slog.Logger) {
	level, message := o.record()
	if !logger.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 11)
	for _, text := range [...][2]string{
		{"id", o.ID}, {"type", o.Type}, {"original_type", o.OriginalType}, {"merchant", o.Merchant},
		{"serial", o.Serial}, {"request_id", o.RequestID}, {"failure", o.Failure}, {"error", o.sentence()},
	} {
		if text[1] != "" {
			attrs = append(attrs, slog.String(text[0], text[1]))
		}
	}
	attrs = append(attrs, slog.Int("status", o.Status), slog.Duration("duration", o.Duration))
	if o.Late {
		attrs = append(attrs, slog.Bool("late", true))
	}
	logger.LogAttrs(ctx, level, message, attrs...)
}
