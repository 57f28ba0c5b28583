package wxotel

import (
	"errors"
	"fmt"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/wxpay-go/wxpay"
)

const scope = "github.com/wxpay-go/wxpay/contrib/otel"

// Telemetry makes spans and records metrics. One serves all clients and handlers of a process.
type Telemetry struct {
	tracer trace.Tracer
	meter  metric.Meter
	sets   sets

	request, call, wait, delivery metric.Float64Histogram
	offset                        metric.Float64Gauge
	expiry, age, queueAge         metric.Float64ObservableGauge
	failures, queueSize           metric.Int64ObservableGauge
}

// Option configures a [Telemetry].
type Option func(*config) error

type config struct {
	tracers trace.TracerProvider
	meters  metric.MeterProvider
}

// WithTracerProvider sets the source of the tracer. The default is the global one.
func WithTracerProvider(provider trace.TracerProvider) Option {
	return func(c *config) error {
		if provider == nil {
			return errors.New("the tracer provider is nil: leave WithTracerProvider out for the global one")
		}
		c.tracers = provider
		return nil
	}
}

// WithMeterProvider sets the source of the meter. The default is the global one.
func WithMeterProvider(provider metric.MeterProvider) Option {
	return func(c *config) error {
		if provider == nil {
			return errors.New("the meter provider is nil: leave WithMeterProvider out for the global one")
		}
		c.meters = provider
		return nil
	}
}

// Bounds of the histograms, in seconds. Those of durations are the advice of the semantic
// conventions for HTTP and a few above, up to the time limit of a call.
var (
	durationBounds = []float64{.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10, 30, 60}
	waitBounds     = []float64{.001, .01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
)

// New returns a Telemetry. An error names each option and each instrument that failed.
func New(options ...Option) (*Telemetry, error) {
	c := config{tracers: otel.GetTracerProvider(), meters: otel.GetMeterProvider()}
	var problems []error
	for _, option := range options {
		if option == nil {
			problems = append(problems, errors.New("an option is nil"))
			continue
		}
		problems = append(problems, option(&c))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("wxotel: %w", err)
	}
	t := &Telemetry{
		tracer: c.tracers.Tracer(scope,
			trace.WithInstrumentationVersion(wxpay.Version), trace.WithSchemaURL(semconv.SchemaURL)),
		meter: c.meters.Meter(scope,
			metric.WithInstrumentationVersion(wxpay.Version), metric.WithSchemaURL(semconv.SchemaURL)),
	}
	if err := t.instruments(); err != nil {
		return nil, fmt.Errorf("wxotel: the meter provider makes no instruments: %w", err)
	}
	return t, nil
}

func (t *Telemetry) instruments() error {
	var problems []error
	histogram := func(i Instrument, bounds []float64) metric.Float64Histogram {
		h, err := t.meter.Float64Histogram(i.Name, metric.WithUnit(i.Unit), metric.WithDescription(i.Description),
			metric.WithExplicitBucketBoundaries(bounds...))
		problems = append(problems, err)
		return h
	}
	gauge := func(i Instrument) metric.Float64ObservableGauge {
		g, err := t.meter.Float64ObservableGauge(i.Name, metric.WithUnit(i.Unit), metric.WithDescription(i.Description))
		problems = append(problems, err)
		return g
	}
	count := func(i Instrument) metric.Int64ObservableGauge {
		g, err := t.meter.Int64ObservableGauge(i.Name, metric.WithUnit(i.Unit), metric.WithDescription(i.Description))
		problems = append(problems, err)
		return g
	}
	t.request, t.call = histogram(requestDuration, durationBounds), histogram(callDuration, durationBounds)
	t.wait, t.delivery = histogram(limiterWait, waitBounds), histogram(deliveryDuration, durationBounds)
	t.expiry, t.age, t.queueAge = gauge(keyExpiry), gauge(keyAge), gauge(queueAge)
	t.failures, t.queueSize = count(keyFailures), count(queueSize)
	var err error
	t.offset, err = t.meter.Float64Gauge(clockOffset.Name,
		metric.WithUnit(clockOffset.Unit), metric.WithDescription(clockOffset.Description))
	return errors.Join(append(problems, err)...)
}
