package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
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

// observation describes the turn as far as it came. kind is err in a word or two.
func (t *turn) observation(status int, kind string, err error) Observation {
	o := Observation{
		Serial: redact.Printable(t.delivery.Serial()), RequestID: redact.Printable(first(t.delivery.Header, apiv3.HeaderRequestID)),
		Status: status, Duration: time.Since(t.begin), Probe: kind == probe, Unhandled: errors.Is(err, ErrNoHandler), Failure: kind, Err: err,
	}
	if t.merchant != nil {
		o.Merchant = t.merchant.ID
	}
	if t.event != nil {
		o.ID, o.Type, o.OriginalType = redact.Printable(t.event.ID), redact.Printable(t.event.Type), redact.Printable(t.event.OriginalType)
	}
	return o
}

// tell hands an observation to the hook and writes the log record.
func (h *Handler) tell(ctx context.Context, o Observation) {
	if o.Probe {
		h.probes.Add(1)
	}
	if h.observer != nil {
		h.observer(ctx, o)
	}
	if h.logger != nil {
		o.log(ctx, h.logger)
	}
}

func (o *Observation) log(ctx context.Context, logger *slog.Logger) {
	level, message := slog.LevelInfo, "wxpay notification"
	switch {
	case o.Probe:
		message = "wxpay notification was a signature test of the platform"
	case errors.Is(o.Err, ErrBusy) || errors.Is(o.Err, errGone):
		level, message = slog.LevelWarn, "wxpay notification was not waited for"
	case o.Err != nil && (o.Status >= 500 || o.Status < 300 || o.Late):
		level, message = slog.LevelError, "wxpay notification failed"
	case o.Err != nil:
		level, message = slog.LevelWarn, "wxpay notification refused"
	case o.Unhandled:
		level, message = slog.LevelWarn, "wxpay notification has no function"
	case o.Ignored:
		message = "wxpay notification was ignored"
	case o.Duplicate:
		message = "wxpay notification was a duplicate"
	}
	if !logger.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 10)
	for _, text := range [...][2]string{
		{"id", o.ID}, {"type", o.Type}, {"original_type", o.OriginalType}, {"merchant", o.Merchant},
		{"serial", o.Serial}, {"request_id", o.RequestID}, {"failure", o.Failure},
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
