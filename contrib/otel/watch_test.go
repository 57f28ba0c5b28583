package wxotel_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/metric"
	noopmetric "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/wxpay-go/wxpay"
	wxotel "github.com/wxpay-go/wxpay/contrib/otel"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// certified is a client that follows the certificate list of its sandbox.
func certified(t testing.TB, s *shop) *wxpay.Client {
	t.Helper()
	m := s.sandbox.Merchant()
	client, err := wxpay.New(wxpay.Merchant{ID: m.ID, Certificate: m.Certificate, PrivateKey: m.PrivateKey, APIv3Key: m.APIv3Key},
		wxpay.WithCertificates(), wxpay.WithTransport(s.sandbox.Transport()), wxpay.WithMiddleware(s.Middleware()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		require.NoError(t, s.sandbox.Keys.SetMode(sandbox.CertificatesOnly))
		client := certified(t, s)
		own := s.sandbox.Merchant().Certificate
		registration, err := s.Watch(client, own)
		require.NoError(t, err)
		require.NoError(t, client.RefreshKeys(t.Context()))

		metrics := measured(t, s.reader)
		ends := map[string]float64{}
		for _, p := range metrics["wxpay.key.expiry"] {
			assert.Equal(t, client.Identity(), p.labels["wxpay.identity"])
			ends[p.labels["wxpay.key.kind"]] = p.value
		}
		assert.Equal(t, time.Until(own.NotAfter).Seconds(), ends["caller"])
		var last time.Time
		for _, certificate := range s.sandbox.Keys.Certificates() {
			if certificate.NotAfter.After(last) {
				last = certificate.NotAfter
			}
		}
		assert.Equal(t, time.Until(last).Seconds(), ends["platform"])
		require.Len(t, metrics["wxpay.key.age"], 1)
		assert.Zero(t, metrics["wxpay.key.age"][0].value)
		assert.Zero(t, metrics["wxpay.key.refresh.failures"][0].value)

		require.NoError(t, s.sandbox.Faults.Inject(fault.Rule{Kind: fault.WrongSignature, Path: "/v3/certificates"}))
		require.Error(t, client.RefreshKeys(t.Context()))
		assert.EqualValues(t, 1, measured(t, s.reader)["wxpay.key.refresh.failures"][0].value)

		require.NoError(t, registration.Unregister())
		assert.Empty(t, measured(t, s.reader)["wxpay.key.expiry"])
	})
}

// A client with the platform's public key alone has nothing that ends.
func TestWatchPublicKey(t *testing.T) {
	s := open(t)
	_, err := s.Watch(s.client(t))
	require.NoError(t, err)
	assert.Empty(t, measured(t, s.reader))
}

func TestWatchQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		states := map[string]wxotel.QueueState{
			"outbox": {Waiting: 7, Oldest: time.Now().Add(-time.Minute)},
			"empty":  {},
			"jobs":   {Waiting: 3}, // a queue that does not know its oldest entry
		}
		for name, state := range states {
			_, err := s.WatchQueue(name, func(context.Context) (wxotel.QueueState, error) { return state, nil })
			require.NoError(t, err)
		}
		ages, sizes := map[string]float64{}, map[string]float64{}
		metrics := measured(t, s.reader)
		for _, p := range metrics["wxpay.queue.age"] {
			ages[p.labels["wxpay.queue.name"]] = p.value
		}
		for _, p := range metrics["wxpay.queue.size"] {
			sizes[p.labels["wxpay.queue.name"]] = p.value
		}
		assert.EqualValues(t, 60, ages["outbox"])
		assert.Contains(t, ages, "empty")
		assert.NotContains(t, ages, "jobs")
		assert.Equal(t, map[string]float64{"outbox": 7, "empty": 0, "jobs": 3}, sizes)
	})
}

// A queue that cannot be read gives no measurement, and its error's text stays here.
func TestWatchQueueError(t *testing.T) {
	s := open(t)
	_, err := s.WatchQueue("outbox", func(context.Context) (wxotel.QueueState, error) {
		return wxotel.QueueState{}, errors.New("dsn with a password")
	})
	require.NoError(t, err)
	err = s.reader.Collect(t.Context(), new(metricdata.ResourceMetrics))
	require.ErrorContains(t, err, `the queue "outbox" could not be read`)
	assert.NotContains(t, err.Error(), "password")
}

func TestBadInput(t *testing.T) {
	s := open(t)
	_, err := s.Watch(nil)
	require.ErrorContains(t, err, "needs a client")
	_, err = s.Watch(s.client(t), nil)
	require.ErrorContains(t, err, "no certificate may be nil")
	_, err = s.WatchQueue("", nil)
	require.ErrorContains(t, err, "needs a name and a function")
	for name, option := range map[string]wxotel.Option{
		"the tracer provider is nil": wxotel.WithTracerProvider(nil), "the meter provider is nil": wxotel.WithMeterProvider(nil),
		"an option is nil": nil,
		"the meter provider makes no instruments: no": wxotel.WithMeterProvider(brokenMeters{}),
	} {
		_, err := wxotel.New(option)
		require.ErrorContains(t, err, name)
	}
}

type brokenMeters struct{ noopmetric.MeterProvider }

func (brokenMeters) Meter(string, ...metric.MeterOption) metric.Meter { return brokenMeter{} }

type brokenMeter struct{ noopmetric.Meter }

func (brokenMeter) Float64Histogram(string, ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return nil, errors.New("no")
}

// More templates than are kept are measured all the same.
func TestManyTemplates(t *testing.T) {
	s := open(t)
	limits := s.Limiter(limiterFunc(func() error { return nil }))
	for i := range 5000 {
		_, err := limits.Acquire(t.Context(), middleware.LimitKey{Method: "GET", Template: fmt.Sprintf("/v3/x%c%c%c", 'a'+i%20, 'a'+i/20%20, 'a'+i/400)}, fact.Rate{})
		require.NoError(t, err)
	}
	var total uint64
	for _, p := range measured(t, s.reader)["wxpay.client.limiter.wait"] {
		total += p.count
	}
	assert.EqualValues(t, 5000, total)
}
