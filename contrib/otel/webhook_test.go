package wxotel_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/wxpay-go/wxpay/webhook"
)

func TestDelivery(t *testing.T) {
	type values = map[string]string
	paid := func(t *testing.T, s *shop) *http.Request {
		return notification(t, s.sandbox, webhook.TransactionSuccess, nil)
	}
	for name, c := range map[string]struct {
		request func(*testing.T, *shop) *http.Request
		options []webhook.Option
		do      webhook.Func // nil registers nothing
		span    string
		want    values
		failed  bool
	}{
		"success": {request: paid, do: func(context.Context, *webhook.Event) error { return nil },
			span: "process TRANSACTION.SUCCESS",
			want: values{
				"wxpay.webhook.result": "processed", "wxpay.event.type": "TRANSACTION.SUCCESS", "http.response.status_code": "204",
				"messaging.system": "wechat_pay", "messaging.operation.type": "process",
			}},
		"an error of the function": {request: paid, do: func(context.Context, *webhook.Event) error { return errors.New("no") },
			span: "process TRANSACTION.SUCCESS", failed: true,
			want: values{"wxpay.webhook.result": "failed", "http.response.status_code": "500", "error.type": "function"}},
		"a panic of the function": {request: paid, do: func(context.Context, *webhook.Event) error { panic("no") },
			span: "process TRANSACTION.SUCCESS", failed: true,
			want: values{"wxpay.webhook.result": "failed", "error.type": "panic"}},
		"no function": {request: paid, span: "process TRANSACTION.SUCCESS", failed: true,
			want: values{"wxpay.webhook.result": "unhandled", "error.type": "no_function"}},
		"a store that fails": {request: paid, options: []webhook.Option{webhook.WithDeduper(brokenStore{})},
			do:   func(context.Context, *webhook.Event) error { return nil },
			span: "process TRANSACTION.SUCCESS", failed: true,
			want: values{"wxpay.webhook.result": "failed", "http.response.status_code": "503", "error.type": "store"}},
		"a wrong signature": {request: func(t *testing.T, s *shop) *http.Request {
			r := paid(t, s)
			body, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			r.Body = io.NopCloser(bytes.NewReader(bytes.Replace(body, []byte("TRANSACTION"), []byte("TRANSACTIOM"), 1)))
			return r
		}, span: "process notification", failed: true,
			want: values{"wxpay.webhook.result": "rejected", "error.type": "signature"}},
		"junk": {request: func(*testing.T, *shop) *http.Request {
			return httptest.NewRequest(http.MethodPost, "/notify", strings.NewReader("{}"))
		}, span: "process notification", failed: true,
			want: values{"wxpay.webhook.result": "rejected", "error.type": "unsigned"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			handler := s.handler(t, c.options...)
			var inside trace.SpanContext
			if c.do != nil {
				handler.On(webhook.TransactionSuccess, func(ctx context.Context, e *webhook.Event) error {
					inside = trace.SpanContextFromContext(ctx)
					return c.do(ctx, e)
				})
			}
			s.Handler(handler).ServeHTTP(httptest.NewRecorder(), c.request(t, s))
			ended := s.spans.Ended()
			require.Len(t, ended, 1)
			assert.Equal(t, c.span, ended[0].Name())
			assert.Equal(t, trace.SpanKindConsumer, ended[0].SpanKind())
			assert.Equal(t, c.failed, ended[0].Status().Code == codes.Error)
			got := attributes(ended[0].Attributes())
			assert.Subset(t, got, c.want)
			if inside.IsValid() {
				assert.Equal(t, ended[0].SpanContext(), inside, "the function's work hangs under the span")
			}
			points := measured(t, s.reader)["wxpay.webhook.duration"]
			require.Len(t, points, 1)
			assert.EqualValues(t, 1, points[0].count)
			for _, key := range []string{"wxpay.webhook.result", "wxpay.event.type", "error.type", "http.response.status_code"} {
				assert.Equal(t, got[key], points[0].labels[key], key)
			}
		})
	}
}

type brokenStore struct{ webhook.Deduper }

func (brokenStore) Claim(context.Context, string, string) (webhook.State, error) {
	return 0, errors.New("the store is away")
}
func (brokenStore) Release(context.Context, string, string) error { return nil }

// The hits of the deduplication are deliveries with the result duplicate.
func TestDuplicate(t *testing.T) {
	s := open(t)
	handler := s.handler(t)
	handler.On(webhook.TransactionSuccess, func(context.Context, *webhook.Event) error { return nil })
	served := s.Handler(handler)
	r := notification(t, s.sandbox, webhook.TransactionSuccess, nil)
	for range 3 {
		body, err := r.GetBody()
		require.NoError(t, err)
		again := r.Clone(t.Context())
		again.Body = body
		served.ServeHTTP(httptest.NewRecorder(), again)
	}
	counts := map[string]uint64{}
	for _, p := range measured(t, s.reader)["wxpay.webhook.duration"] {
		counts[p.labels["wxpay.webhook.result"]] += p.count
	}
	assert.Equal(t, map[string]uint64{"processed": 1, "duplicate": 2}, counts)
}

// A function that overruns its budget is measured twice: at the response and at its end.
func TestLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		handler := s.handler(t)
		handler.On(webhook.TransactionSuccess, func(ctx context.Context, _ *webhook.Event) error {
			time.Sleep(10 * time.Second)
			_, span := s.tracers.Tracer("shop").Start(ctx, "book")
			span.End()
			return nil
		})
		s.Handler(handler).ServeHTTP(httptest.NewRecorder(), notification(t, s.sandbox, webhook.TransactionSuccess, nil))
		require.NoError(t, handler.Wait(t.Context()))
		ended := s.spans.Ended()
		require.Len(t, ended, 2)
		assert.Equal(t, "overrun", attributes(ended[0].Attributes())["error.type"])
		assert.Equal(t, ended[0].SpanContext().SpanID(), ended[1].Parent().SpanID(), "late work hangs under the ended span")
		results := map[string]float64{}
		for _, p := range measured(t, s.reader)["wxpay.webhook.duration"] {
			results[p.labels["wxpay.webhook.result"]] = p.value
		}
		assert.InDelta(t, 4.5, results["failed"], 0.1)
		assert.InDelta(t, 10, results["late"], 0.1)
	})
}

// Raw bytes are observed like requests.
func TestDeliver(t *testing.T) {
	s := open(t)
	handler := s.handler(t)
	handler.OnDefault(func(context.Context, *webhook.Event) error { return nil })
	r := notification(t, s.sandbox, "COUPON.USE", nil)
	body := new(strings.Builder)
	require.NoError(t, r.Write(body))
	_, raw, _ := strings.Cut(body.String(), "\r\n\r\n")
	ctx, end := s.Delivery(t.Context())
	response := handler.Deliver(ctx, &webhook.Delivery{Header: r.Header, Body: []byte(raw)})
	end()
	assert.Equal(t, http.StatusNoContent, response.Status)
	assert.Equal(t, "process COUPON.USE", s.spans.Ended()[0].Name())
}

// Without Handler there are metrics and no spans.
func TestObserverAlone(t *testing.T) {
	s := open(t)
	handler := s.handler(t)
	handler.OnDefault(func(context.Context, *webhook.Event) error { return nil })
	handler.ServeHTTP(httptest.NewRecorder(), notification(t, s.sandbox, "COUPON.USE", nil))
	assert.Empty(t, s.spans.Ended())
	assert.Len(t, measured(t, s.reader)["wxpay.webhook.duration"], 1)
}
