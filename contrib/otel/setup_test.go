package wxotel_test

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	wxotel "github.com/wxpay-go/wxpay/contrib/otel"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/webhook"
)

// shop is a sandbox, and a Telemetry whose spans and metrics stay in memory.
type shop struct {
	*wxotel.Telemetry
	sandbox *sandbox.Sandbox
	spans   *tracetest.SpanRecorder
	tracers *trace.TracerProvider
	reader  *metric.ManualReader
}

func open(t testing.TB, options ...sandbox.Option) *shop {
	t.Helper()
	return openSampled(t, trace.AlwaysSample(), options...)
}

func openSampled(t testing.TB, sampler trace.Sampler, options ...sandbox.Option) *shop {
	t.Helper()
	s := &shop{spans: tracetest.NewSpanRecorder(), reader: metric.NewManualReader()}
	s.tracers = trace.NewTracerProvider(trace.WithSpanProcessor(s.spans), trace.WithSampler(sampler))
	var err error
	s.sandbox, err = sandbox.New(options...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.sandbox.Close() })
	s.Telemetry, err = wxotel.New(wxotel.WithTracerProvider(s.tracers),
		wxotel.WithMeterProvider(metric.NewMeterProvider(metric.WithReader(s.reader))))
	require.NoError(t, err)
	return s
}

func (s *shop) client(t testing.TB, options ...wxpay.Option) *wxpay.Client {
	t.Helper()
	return clientOf(t, s.sandbox, append([]wxpay.Option{wxpay.WithMiddleware(s.Middleware())}, options...)...)
}

func clientOf(t testing.TB, s *sandbox.Sandbox, options ...wxpay.Option) *wxpay.Client {
	t.Helper()
	m := s.Merchant()
	client, err := wxpay.New(wxpay.Merchant{ID: m.ID, Certificate: m.Certificate, PrivateKey: m.PrivateKey, APIv3Key: m.APIv3Key},
		append([]wxpay.Option{wxpay.WithPublicKey(s.Keys.PublicKeyID(), s.Keys.PublicKey()), wxpay.WithTransport(s.Transport())}, options...)...)
	require.NoError(t, err)
	return client
}

func (s *shop) handler(t testing.TB, options ...webhook.Option) *webhook.Handler {
	t.Helper()
	set, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: s.sandbox.Keys.PublicKeyID(), Key: s.sandbox.Keys.PublicKey()})
	require.NoError(t, err)
	m := s.sandbox.Merchant()
	h, err := webhook.New(webhook.Merchant{ID: m.ID, APIv3Key: m.APIv3Key, Keys: webhook.Static(set)},
		append([]webhook.Option{webhook.WithObserver(s.ObserveDelivery), webhook.WithLogger(nil)}, options...)...)
	require.NoError(t, err)
	return h
}

// order is the body of an order by native payment.
func order(s *sandbox.Sandbox, number string) wxpay.JSON {
	return wxpay.JSON{
		"appid": "wxd678efh567hg6787", "mchid": s.Merchant().ID, "description": "a mug", "out_trade_no": number,
		"notify_url": "https://shop.example.com/notify", "amount": wxpay.JSON{"total": 100},
	}
}

func createOrder(ctx context.Context, client *wxpay.Client, s *sandbox.Sandbox, number string) error {
	_, err := client.Chain("v3/pay/transactions/native").Post(ctx, order(s, number))
	return err
}

func queryOrder(ctx context.Context, client *wxpay.Client, number string) error {
	_, err := client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}").Var("out_trade_no", number).
		Query("mchid", client.MchID()).Get(ctx)
	return err
}

func refund(ctx context.Context, client *wxpay.Client, number string) error {
	_, err := client.Chain("v3/refund/domestic/refunds").Post(ctx, wxpay.JSON{
		"out_trade_no": number, "out_refund_no": "R-" + number,
		"amount": wxpay.JSON{"refund": 1, "total": 100, "currency": "CNY"},
	})
	return err
}

// attributes are those of a span as text.
func attributes(list []attribute.KeyValue) map[string]string {
	all := map[string]string{}
	for _, a := range list {
		all[string(a.Key)] = a.Value.String()
	}
	return all
}

// point is one measurement: of a histogram its count and sum, of a gauge its value.
type point struct {
	labels map[string]string
	count  uint64
	value  float64
}

// measured returns the metrics by name.
func measured(t testing.TB, reader *metric.ManualReader) map[string][]point {
	t.Helper()
	all := map[string][]point{}
	for _, m := range collect(t, reader) {
		all[m.Name] = append(all[m.Name], points(m)...)
	}
	for _, list := range all {
		slices.SortFunc(list, func(a, b point) int { return cmp.Compare(a.labels["error.type"], b.labels["error.type"]) })
	}
	return all
}

func points(m metricdata.Metrics) (list []point) {
	switch data := m.Data.(type) {
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			list = append(list, point{attributes(p.Attributes.ToSlice()), p.Count, p.Sum})
		}
	case metricdata.Gauge[float64]:
		for _, p := range data.DataPoints {
			list = append(list, point{attributes(p.Attributes.ToSlice()), 1, p.Value})
		}
	case metricdata.Gauge[int64]:
		for _, p := range data.DataPoints {
			list = append(list, point{attributes(p.Attributes.ToSlice()), 1, float64(p.Value)})
		}
	default:
		panic("a metric of another kind: " + m.Name)
	}
	return list
}

func collect(t testing.TB, reader *metric.ManualReader) (list []metricdata.Metrics) {
	t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(context.Background(), &all))
	for _, scope := range all.ScopeMetrics {
		list = append(list, scope.Metrics...)
	}
	return list
}

// notification is what the platform sends; a nil resource is a sample.
func notification(t testing.TB, s *sandbox.Sandbox, event string, resource any) *http.Request {
	t.Helper()
	r, err := s.Deliveries.Notify(event, resource)
	require.NoError(t, err)
	return r
}
