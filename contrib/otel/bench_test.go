package wxotel_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	wxotel "github.com/wxpay-go/wxpay/contrib/otel"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
)

// ways are a call without spans, with the two spans that the SDK makes for anybody, and with this
// package. The difference of the last two is what the package costs over the SDK's own spans:
// attributes, and two measurements.
func ways(tb testing.TB) map[string]func() {
	tracers := sdktrace.NewTracerProvider()
	telemetry, err := wxotel.New(wxotel.WithTracerProvider(tracers),
		wxotel.WithMeterProvider(sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))))
	require.NoError(tb, err)
	tracer := tracers.Tracer("bare")
	bare := func(kind trace.SpanKind) middleware.Middleware {
		return func(next http.RoundTripper) http.RoundTripper {
			return middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
				ctx, span := tracer.Start(req.Context(), "POST /v3/x", trace.WithSpanKind(kind), trace.WithAttributes(attribute.String("a", "b")))
				defer span.End()
				return next.RoundTrip(req.WithContext(ctx))
			})
		}
	}
	success := &http.Response{StatusCode: 200, Header: http.Header{"Request-Id": {"08C7-0"}}, Body: http.NoBody}
	var transport http.RoundTripper = middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
		middleware.CallFrom(req.Context()).Reached = true
		return success, nil
	})
	retry := middleware.Retry(&middleware.RetryConfig{Attempts: 3})
	req, err := http.NewRequest(http.MethodPost, "https://api.mch.weixin.qq.com/v3/x", nil)
	require.NoError(tb, err)
	trip := func(chain http.RoundTripper) func() {
		return func() {
			call := &middleware.Call{Method: http.MethodPost, Template: "/v3/x", Operation: new(fact.Operation)}
			if _, err := chain.RoundTrip(req.WithContext(middleware.WithCall(context.Background(), call))); err != nil {
				tb.Fatal(err)
			}
		}
	}
	return map[string]func(){
		"without":  trip(retry(transport)),
		"sdk":      trip(bare(trace.SpanKindClient)(retry(bare(trace.SpanKindInternal)(transport)))),
		"measured": trip(telemetry.Middleware()(retry(transport))),
	}
}

func BenchmarkCall(b *testing.B) {
	for name, call := range ways(b) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				call()
			}
		})
	}
}

// A sampled call costs at most 20 allocations over the SDK's own two spans.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	all := ways(t)
	sdk, measured := testing.AllocsPerRun(200, all["sdk"]), testing.AllocsPerRun(200, all["measured"])
	t.Logf("%.0f allocations with the SDK's spans, %.0f with this package", sdk, measured)
	assert.LessOrEqual(t, measured-sdk, 20.0)
}
