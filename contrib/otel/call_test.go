package wxotel_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/wxpay-go/wxpay"
	wxotel "github.com/wxpay-go/wxpay/contrib/otel"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

const (
	native  = "/v3/pay/transactions/native"
	query   = "/v3/pay/transactions/out-trade-no/{out_trade_no}"
	refunds = "/v3/refund/domestic/refunds"
)

func TestCall(t *testing.T) {
	create := func(ctx context.Context, s *shop, client *wxpay.Client) error {
		return createOrder(ctx, client, s.sandbox, "ORDER-1")
	}
	ask := func(ctx context.Context, s *shop, client *wxpay.Client) error {
		return queryOrder(ctx, client, "ORDER-1")
	}
	repay := func(ctx context.Context, s *shop, client *wxpay.Client) error { return refund(ctx, client, "ORDER-1") }
	type values = map[string]string
	for name, c := range map[string]struct {
		faults   []fault.Rule
		options  []wxpay.Option
		do       func(context.Context, *shop, *wxpay.Client) error
		path     string
		call     values
		attempts []values
		unsent   bool // no request is measured
	}{
		"success": {do: create, path: "POST " + native,
			call:     values{"wxpay.outcome": "confirmed", "http.response.status_code": "200", "wxpay.verified": "true", "wxpay.attempts": "1"},
			attempts: []values{{"wxpay.outcome": "confirmed", "http.response.status_code": "200", "server.address": "api.mch.weixin.qq.com"}}},
		"a retry": {faults: []fault.Rule{{Kind: fault.BadGateway, Count: 1}}, do: create, path: "POST " + native,
			call: values{"wxpay.outcome": "confirmed", "http.response.status_code": "200", "wxpay.attempts": "2"},
			attempts: []values{
				{"wxpay.outcome": "unknown", "http.response.status_code": "502", "error.type": "502"},
				{"wxpay.outcome": "confirmed", "http.response.status_code": "200", "http.request.resend_count": "1"},
			}},
		"an API error": {do: ask, path: "GET " + query,
			call:     values{"wxpay.outcome": "rejected", "http.response.status_code": "404", "error.type": "404", "wxpay.error_code": "ORDER_NOT_EXIST"},
			attempts: []values{{"wxpay.outcome": "rejected", "http.response.status_code": "404", "error.type": "404", "wxpay.error_code": "ORDER_NOT_EXIST"}}},
		"a 401": {faults: []fault.Rule{{Kind: fault.SignError}}, do: repay, path: "POST " + refunds,
			call: values{
				"wxpay.outcome": "unknown", "http.response.status_code": "401", "error.type": "401", "wxpay.error_code": "SIGN_ERROR",
				"wxpay.money_may_have_moved": "true",
			},
			attempts: []values{{"http.response.status_code": "401", "wxpay.error_code": "SIGN_ERROR"}}},
		"an unknown outcome": {faults: []fault.Rule{{Kind: fault.ResetAfter}}, do: repay, path: "POST " + refunds,
			options:  []wxpay.Option{wxpay.WithAttempts(1)},
			call:     values{"wxpay.outcome": "unknown", "error.type": "transport", "wxpay.money_may_have_moved": "true"},
			attempts: []values{{"wxpay.outcome": "unknown", "error.type": "transport"}}},
		"a wrong signature": {faults: []fault.Rule{{Kind: fault.WrongSignature}}, do: ask, path: "GET " + query,
			options:  []wxpay.Option{wxpay.WithAttempts(1)},
			call:     values{"error.type": "signature", "http.response.status_code": "404", "wxpay.verified": "false"},
			attempts: []values{{"error.type": "signature", "http.response.status_code": "404"}}},
		"a wrong clock": {faults: []fault.Rule{{Kind: fault.StaleTimestamp}}, do: create, path: "POST " + native,
			options:  []wxpay.Option{wxpay.WithAttempts(1)},
			call:     values{"error.type": "clock", "wxpay.outcome": "unknown"},
			attempts: []values{{"error.type": "clock"}}},
		"an unknown key": {faults: []fault.Rule{{Kind: fault.UnknownSerial}}, do: create, path: "POST " + native,
			options:  []wxpay.Option{wxpay.WithAttempts(1)},
			call:     values{"error.type": "unknown_key"},
			attempts: []values{{"error.type": "unknown_key"}}},
		"a signature test": {faults: []fault.Rule{{Kind: fault.Probe}}, do: create, path: "POST " + native,
			options:  []wxpay.Option{wxpay.WithAttempts(1)},
			call:     values{"error.type": "signature", "wxpay.signature_test": "true"},
			attempts: []values{{"error.type": "signature"}}},
		"the limit": {do: ask, path: "GET " + query,
			options:  []wxpay.Option{wxpay.WithTimeout(time.Second), wxpay.WithLimiter(full{})},
			call:     values{"wxpay.outcome": "not_sent", "error.type": "limit", "wxpay.attempts": "0"},
			attempts: []values{{"wxpay.outcome": "not_sent", "error.type": "limit"}}, unsent: true},
		"a timeout": {faults: []fault.Rule{{Kind: fault.Delay, Delay: time.Minute}}, do: ask, path: "GET " + query,
			options:  []wxpay.Option{wxpay.WithAttempts(1), wxpay.WithTimeout(3 * time.Second)},
			call:     values{"wxpay.outcome": "unknown", "error.type": "timeout"},
			attempts: []values{{"error.type": "timeout"}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t)
				client := s.client(t, c.options...)
				require.NoError(t, s.sandbox.Faults.Inject(c.faults...))
				err := c.do(t.Context(), s, client)
				assert.Equal(t, c.call["error.type"] == "", err == nil, "%v", err)

				ended := s.spans.Ended()
				require.Len(t, ended, len(c.attempts)+1)
				call := ended[len(ended)-1]
				assert.Equal(t, c.path, call.Name())
				assert.Equal(t, trace.SpanKindClient, call.SpanKind())
				assert.Equal(t, err != nil, call.Status().Code == codes.Error)
				assert.Empty(t, call.Status().Description)
				assert.Subset(t, attributes(call.Attributes()), c.call)
				for i, want := range c.attempts {
					assert.Equal(t, trace.SpanKindInternal, ended[i].SpanKind())
					assert.Equal(t, call.SpanContext().SpanID(), ended[i].Parent().SpanID())
					got := attributes(ended[i].Attributes())
					assert.Subset(t, got, want)
					assert.Equal(t, want["http.request.resend_count"], got["http.request.resend_count"])
				}

				metrics := measured(t, s.reader)
				require.Len(t, metrics["wxpay.client.call.duration"], 1)
				whole := metrics["wxpay.client.call.duration"][0]
				assert.EqualValues(t, 1, whole.count)
				for _, key := range []string{"wxpay.outcome", "error.type", "http.response.status_code", "wxpay.error_code"} {
					assert.Equal(t, attributes(call.Attributes())[key], whole.labels[key], key)
				}
				requests := 0
				for _, p := range metrics["http.client.request.duration"] {
					requests += int(p.count)
				}
				if c.unsent {
					assert.Zero(t, requests)
				} else {
					assert.Equal(t, len(c.attempts), requests)
				}
			})
		})
	}
}

// full is a limiter without room.
type full struct{ middleware.Limiter }

func (full) Acquire(context.Context, middleware.LimitKey, fact.Rate) (func(), error) {
	return nil, middleware.ErrLimited
}

// The wait for the limiter is measured by itself and is no part of the attempt's duration.
func TestLimiterWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		client := s.client(t, wxpay.WithLimiter(s.Limiter(middleware.NewLimits(middleware.Rule{PerSecond: 1}))))
		for range 2 {
			require.Error(t, queryOrder(t.Context(), client, "ORDER-1"))
		}
		metrics := measured(t, s.reader)
		require.Len(t, metrics["wxpay.client.limiter.wait"], 1)
		wait := metrics["wxpay.client.limiter.wait"][0]
		assert.EqualValues(t, 2, wait.count)
		assert.InDelta(t, 1, wait.value, 0.1)
		assert.Equal(t, map[string]string{"http.request.method": "GET", "url.template": query}, wait.labels)
		assert.Less(t, metrics["http.client.request.duration"][0].value, 0.5)
		assert.NotEmpty(t, attributes(s.spans.Ended()[2].Attributes())["wxpay.limiter.wait"])
	})
}

// A call that the limiter keeps back is measured as such.
func TestLimiterError(t *testing.T) {
	s := open(t)
	require.Error(t, queryOrder(t.Context(), s.client(t, wxpay.WithLimiter(s.Limiter(full{}))), "ORDER-1"))
	assert.Equal(t, "limit", measured(t, s.reader)["wxpay.client.limiter.wait"][0].labels["error.type"])
}

// Work within an attempt hangs under it.
func TestTransportRunsUnderAttempt(t *testing.T) {
	s := open(t)
	var inside trace.SpanContext
	spy := middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		inside = trace.SpanContextFromContext(req.Context())
		return s.sandbox.Transport().RoundTrip(req)
	})
	require.NoError(t, createOrder(t.Context(), s.client(t, wxpay.WithTransport(spy)), s.sandbox, "ORDER-1"))
	assert.Equal(t, s.spans.Ended()[0].SpanContext(), inside)
}

// No header about traces reaches the platform, whatever propagator is installed.
func TestNoPropagation(t *testing.T) {
	before := otel.GetTextMapPropagator()
	otel.SetTextMapPropagator(propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}))
	t.Cleanup(func() { otel.SetTextMapPropagator(before) })
	s := open(t)
	var header http.Header
	spy := middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		header = req.Header.Clone()
		return s.sandbox.Transport().RoundTrip(req)
	})
	member, err := baggage.NewMember("user", "1")
	require.NoError(t, err)
	bag, err := baggage.New(member)
	require.NoError(t, err)
	require.NoError(t, createOrder(baggage.ContextWithBaggage(t.Context(), bag), s.client(t, wxpay.WithTransport(spy)), s.sandbox, "ORDER-1"))
	require.NotEmpty(t, header)
	for name := range header {
		assert.NotContains(t, []string{"Traceparent", "Tracestate", "Baggage", "B3"}, name)
	}
}

// A panic below ends the spans, and passes.
func TestPanic(t *testing.T) {
	s := open(t)
	explode := middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		panic("a bug in a transport")
	})
	assert.Panics(t, func() { _ = createOrder(t.Context(), s.client(t, wxpay.WithTransport(explode)), s.sandbox, "ORDER-1") })
	ended := s.spans.Ended()
	require.Len(t, ended, 2)
	for _, span := range ended {
		assert.Equal(t, "panic", attributes(span.Attributes())["error.type"])
		assert.Equal(t, "unknown", attributes(span.Attributes())["wxpay.outcome"])
	}
}

// A call that is not sampled is measured all the same.
func TestUnsampled(t *testing.T) {
	s := openSampled(t, sdktrace.NeverSample())
	require.NoError(t, createOrder(t.Context(), s.client(t), s.sandbox, "ORDER-1"))
	assert.Empty(t, s.spans.Ended())
	metrics := measured(t, s.reader)
	assert.Len(t, metrics["wxpay.client.call.duration"], 1)
	assert.Len(t, metrics["http.client.request.duration"], 1)
}

// Without providers nothing is recorded, and calls are as before.
func TestWithoutProviders(t *testing.T) {
	s := open(t)
	telemetry, err := wxotel.New()
	require.NoError(t, err)
	client := clientOf(t, s.sandbox, wxpay.WithMiddleware(telemetry.Middleware()))
	require.NoError(t, createOrder(t.Context(), client, s.sandbox, "ORDER-1"))
}

// A call waits for no exporter: what a full batch cannot take is lost.
func TestExporterHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		stuck := &stuckExporter{stop: make(chan struct{})}
		provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(stuck, sdktrace.WithMaxQueueSize(4), sdktrace.WithMaxExportBatchSize(1)))
		telemetry, err := wxotel.New(wxotel.WithTracerProvider(provider))
		require.NoError(t, err)
		client := clientOf(t, s.sandbox, wxpay.WithMiddleware(telemetry.Middleware()))
		begun := time.Now()
		for range 50 {
			require.Error(t, queryOrder(t.Context(), client, "ORDER-1"))
		}
		assert.Less(t, time.Since(begun), time.Second)
		close(stuck.stop)
		require.NoError(t, provider.Shutdown(t.Context()))
	})
}

type stuckExporter struct {
	tracetest.NoopExporter
	stop chan struct{}
}

func (e *stuckExporter) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error {
	<-e.stop
	return nil
}

// Two of them, or one passed twice, follow a call once.
func TestFollowedOnce(t *testing.T) {
	s := open(t)
	client := s.client(t, wxpay.WithMiddleware(s.Middleware(), s.Middleware()))
	require.NoError(t, createOrder(t.Context(), client, s.sandbox, "ORDER-1"))
	assert.Len(t, s.spans.Ended(), 2)
	assert.EqualValues(t, 1, measured(t, s.reader)["wxpay.client.call.duration"][0].count)
}

// Without a client around it the middleware does nothing.
func TestOutsideOfClient(t *testing.T) {
	s := open(t)
	lost := errors.New("lost")
	next := middleware.RoundTripFunc(func(*http.Request) (*http.Response, error) { return nil, lost })
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.com/v3/x", nil)
	require.NoError(t, err)
	_, err = s.Middleware()(next).RoundTrip(req)
	assert.Equal(t, lost, err)
	assert.Empty(t, s.spans.Ended())
}

// This clock is behind or ahead of the platform's by what the gauge says.
func TestClockOffset(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"equal": 0, "ahead": 90 * time.Second, "behind": -90 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, sandbox.WithClock(func() time.Time { return time.Now().Add(-ahead) }))
				require.NoError(t, createOrder(t.Context(), s.client(t), s.sandbox, "ORDER-1"))
				offset := measured(t, s.reader)["wxpay.client.clock.offset"]
				require.Len(t, offset, 1)
				assert.InDelta(t, ahead.Seconds(), offset[0].value, 1, "the platform tells whole seconds")
			})
		})
	}
}
