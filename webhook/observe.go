package webhook

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/redact"
)

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

// tell hands an observation to the hook and writes the log record. A panic of either ends neither the delivery nor the process.
func (h *Handler) tell(ctx context.Context, o Observation) {
	if o.Probe {
		h.probes.Add(1)
	}
	logger := h.logger
	if level, _ := o.record(); h.usual && h.observer == nil && (level >= slog.LevelError || o.Unhandled) {
		logger = slog.Default()
	}
	if h.observer != nil {
		err := guarded(func() error { h.observer(ctx, o); return nil })
		if err != nil && logger != nil {
			_ = guarded(func() error {
				logger.ErrorContext(ctx, "wxpay notification observer failed", "error", err.Error())
				return nil
			})
		}
	}
	if logger != nil {
		_ = guarded(func() error { o.log(ctx, logger); return nil })
	}
}
