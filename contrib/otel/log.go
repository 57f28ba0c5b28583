package wxotel

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

// LogHandler returns a handler that adds trace_id and span_id to the records of another, outside of
// all groups. They are those of the span in the record's context; the record of a call has those of
// the call. A record without a span stays as it is.
func LogHandler(handler slog.Handler) slog.Handler { return &logHandler{bare: handler, full: handler} }

type logHandler struct {
	bare  slog.Handler                      // without the first group and everything after it
	full  slog.Handler                      // with all
	later []func(slog.Handler) slog.Handler // makes full of bare
}

func (h *logHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.full.Enabled(ctx, level)
}

func (h *logHandler) Handle(ctx context.Context, r slog.Record) error {
	at := trace.SpanContextFromContext(ctx)
	if s := spanOf(ctx); s != nil && at.Equal(s.outside) {
		at = s.own.SpanContext()
	}
	if !at.IsValid() {
		return h.full.Handle(ctx, r)
	}
	ids := []slog.Attr{slog.String("trace_id", at.TraceID().String()), slog.String("span_id", at.SpanID().String())}
	if len(h.later) == 0 {
		r = r.Clone()
		r.AddAttrs(ids...)
		return h.full.Handle(ctx, r)
	}
	handler := h.bare.WithAttrs(ids)
	for _, step := range h.later {
		handler = step(handler)
	}
	return handler.Handle(ctx, r)
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(h.later) == 0 {
		return LogHandler(h.full.WithAttrs(attrs))
	}
	return h.with(func(handler slog.Handler) slog.Handler { return handler.WithAttrs(attrs) })
}

func (h *logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return h.with(func(handler slog.Handler) slog.Handler { return handler.WithGroup(name) })
}

func (h *logHandler) with(step func(slog.Handler) slog.Handler) slog.Handler {
	return &logHandler{bare: h.bare, full: step(h.full), later: append(h.later[:len(h.later):len(h.later)], step)}
}
