package wxotel_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	wxotel "github.com/wxpay-go/wxpay/contrib/otel"
	"github.com/wxpay-go/wxpay/webhook"
)

// The record of a call has the ids of the call's span, with a span around it and without.
func TestLogOfCall(t *testing.T) {
	for name, around := range map[string]bool{"alone": false, "under a span": true} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			var out bytes.Buffer
			logger := slog.New(wxotel.LogHandler(slog.NewJSONHandler(&out, nil)))
			ctx := t.Context()
			if around {
				outer, span := s.tracers.Tracer("shop").Start(ctx, "checkout")
				defer span.End()
				ctx = outer
			}
			require.NoError(t, createOrder(ctx, s.client(t, wxpay.WithLogger(logger)), s.sandbox, "ORDER-1"))
			call := s.spans.Ended()[1]
			record := lastRecord(t, &out)
			assert.Equal(t, "wxpay call", record["msg"])
			assert.Equal(t, call.SpanContext().TraceID().String(), record["trace_id"])
			assert.Equal(t, call.SpanContext().SpanID().String(), record["span_id"])
		})
	}
}

func TestLogOfDelivery(t *testing.T) {
	s := open(t)
	var out bytes.Buffer
	handler := s.handler(t, webhook.WithLogger(slog.New(wxotel.LogHandler(slog.NewJSONHandler(&out, nil)))))
	handler.OnDefault(func(context.Context, *webhook.Event) error { return nil })
	s.Handler(handler).ServeHTTP(httptest.NewRecorder(), notification(t, s.sandbox, "COUPON.USE", nil))
	assert.Equal(t, s.spans.Ended()[0].SpanContext().SpanID().String(), lastRecord(t, &out)["span_id"])
}

// The ids stand outside of groups, where log stores look for them.
func TestLogGroups(t *testing.T) {
	s := open(t)
	var out bytes.Buffer
	logger := slog.New(wxotel.LogHandler(slog.NewJSONHandler(&out, nil))).With("a", 1).WithGroup("").WithGroup("g").With("b", 2)
	logger.Info("without a span", "c", 3)
	assert.NotContains(t, out.String(), "trace_id")
	assert.Equal(t, map[string]any{"b": 2.0, "c": 3.0}, lastRecord(t, &out)["g"])
	ctx, span := s.tracers.Tracer("shop").Start(t.Context(), "checkout")
	defer span.End()
	logger.InfoContext(ctx, "with a span", "c", 3)
	record := lastRecord(t, &out)
	assert.Equal(t, span.SpanContext().TraceID().String(), record["trace_id"])
	assert.Equal(t, 1.0, record["a"])
	assert.Equal(t, map[string]any{"b": 2.0, "c": 3.0}, record["g"])
	assert.False(t, logger.Enabled(ctx, slog.LevelDebug))
}

func lastRecord(t *testing.T, out *bytes.Buffer) (record map[string]any) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.NoError(t, json.Unmarshal([]byte(lines[len(lines)-1]), &record))
	return record
}
