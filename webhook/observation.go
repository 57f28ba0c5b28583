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

// Observation describes one delivery. Apart from Err it contains no secret and nothing that
// identifies a person. Values from the delivery itself are shortened and cleaned.
type Observation struct {
	// ID, Type and OriginalType are the event's; empty if it was not verified.
	ID, Type, OriginalType string
	// Merchant is the ID of the Merchant; empty if the delivery was rejected before the choice.
	Merchant string
	// Serial is the platform key that the delivery names. Watch it while certificates are being
	// replaced.
	Serial string
	// RequestID is the platform's Request-ID.
	RequestID string
	// Status is the HTTP status of the response.
	Status int
	// Duration is the time from the arrival to the response, or to the end of the function if Late,
	// or to that of a store that took longer to record a processed event.
	Duration time.Duration
	// Probe says that the delivery was a signature test of the platform, rejected as it should be.
	Probe bool
	// Duplicate says that the event had been processed before.
	Duplicate bool
	// Unhandled says that no function is registered for the verified event. The response was 204,
	// or 500 for money and inquiries (then Err is an [ErrNoHandler]).
	Unhandled bool
	// Ignored says that the response was 204 because of [Handler.Ignore].
	Ignored bool
	// Late says that this is the second observation of the delivery: the first had ErrOverrun, and
	// the function has now returned. Err is its error.
	Late bool
	// Failure is Err in one or two words, for logs and metrics; empty when Err is nil.
	Failure string
	// Err is the reason of a response without success. With a 2xx it is an ErrDeduper: the event
	// was processed, but the store could not record it. An error of a function may contain
	// anything.
	Err error
}

// Format prints everything but Err under every verb.
func (o Observation) Format(s fmt.State, verb rune) { redact.Format(s, verb, o.text()) }

// MarshalText returns the text that Format prints.
func (o Observation) MarshalText() ([]byte, error) { return []byte(o.text()), nil }

func (o *Observation) text() string {
	text := fmt.Sprintf("webhook.Observation{%s, %s %s, serial %s, status %d, %s", o.ID, o.Type, o.OriginalType, o.Serial, o.Status, o.Duration)
	if o.Failure != "" {
		text += ", " + o.Failure
	}
	return text + "}"
}

// record returns the level and the message of an observation's log record.
func (o *Observation) record() (slog.Level, string) {
	switch {
	case o.Probe:
		return slog.LevelInfo, "wxpay notification was a signature test of the platform"
	case errors.Is(o.Err, ErrBusy) || errors.Is(o.Err, errGone):
		return slog.LevelWarn, "wxpay notification was not waited for"
	case o.Err != nil && (o.Status >= 500 || o.Status < 300 || o.Late):
		return slog.LevelError, "wxpay notification failed"
	case o.Err != nil:
		return slog.LevelWarn, "wxpay notification rejected"
	case o.Unhandled:
		return slog.LevelWarn, "wxpay notification has no function"
	case o.Ignored:
		return slog.LevelInfo, "wxpay notification was ignored"
	case o.Duplicate:
		return slog.LevelInfo, "wxpay notification was a duplicate"
	}
	return slog.LevelInfo, "wxpay notification"
}

// sentence tells what happened and the next step. It uses the texts of this package's own errors;
// those of a function, a store or a key may contain anything and go to the observer.
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
		return "the response to the inquiry could not be signed; the observer is told why"
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
