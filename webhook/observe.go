package webhook

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/headers"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// observation describes the delivery so far. kind is err in a word or two.
func (t *delivery) observation(status int, kind string, err error) Observation {
	o := Observation{
		Serial: redact.Printable(t.arrived.Serial()), RequestID: redact.Printable(headers.First(t.arrived.Header, apiv3.HeaderRequestID)),
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

// tell passes an observation to the observer and writes the log record. It survives a panic of
// either.
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
