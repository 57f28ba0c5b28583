package wxotel_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/VictoriaMetrics/metricsql"
	"github.com/prometheus/otlptranslator"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.yaml.in/yaml/v3"

	"github.com/wxpay-go/wxpay"
	wxotel "github.com/wxpay-go/wxpay/contrib/otel"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/sandbox/fault"
	"github.com/wxpay-go/wxpay/webhook"
)

// series are the labels of a metric of Prometheus, with the values that were measured.
type series map[string][]string

// lived runs everything once that has a metric, good and bad, and returns what was measured, by the
// names of Prometheus.
func lived(t *testing.T) (all map[string]series) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := open(t)
		ctx := t.Context()
		listed := certified(t, s)
		require.NoError(t, listed.RefreshKeys(ctx))
		_, err := s.Watch(listed, s.sandbox.Merchant().Certificate)
		require.NoError(t, err)
		_, err = s.WatchQueue("outbox", func(context.Context) (wxotel.QueueState, error) {
			return wxotel.QueueState{Waiting: 1, Oldest: time.Now()}, nil
		})
		require.NoError(t, err)

		client := s.client(t, wxpay.WithAttempts(1), wxpay.WithLimiter(s.Limiter(middleware.NewLimits())))
		require.NoError(t, createOrder(ctx, client, s.sandbox, "ORDER-1"))
		require.Error(t, queryOrder(ctx, client, "ORDER-2"))
		for _, kind := range []fault.Kind{
			fault.ResetAfter, fault.SignError, fault.Limited, fault.WrongSignature, fault.UnknownSerial, fault.StaleTimestamp,
		} {
			require.NoError(t, s.sandbox.Faults.Inject(fault.Rule{Kind: kind}))
			require.Error(t, refund(ctx, client, "ORDER-1"))
			s.sandbox.Faults.Clear()
		}

		for err := range errorTypes {
			fail(t, s, err)
		}

		handler := s.handler(t)
		handler.On(webhook.TransactionSuccess, func(context.Context, *webhook.Event) error { return nil })
		handler.On(webhook.RefundSuccess, func(context.Context, *webhook.Event) error { return errors.New("no") })
		handler.On("COUPON.USE", func(context.Context, *webhook.Event) error {
			time.Sleep(10 * time.Second)
			return nil
		})
		for _, event := range []string{webhook.TransactionSuccess, webhook.RefundSuccess, webhook.RefundClosed, "COUPON.USE"} {
			handler.ServeHTTP(httptest.NewRecorder(), notification(t, s.sandbox, event, nil))
		}
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/", strings.NewReader("{}")))
		require.NoError(t, handler.Wait(ctx))
		all = prometheus(t, collect(t, s.reader))
	})
	return all
}

// prometheus translates metrics as exporters do.
func prometheus(t *testing.T, list []metricdata.Metrics) map[string]series {
	t.Helper()
	metrics := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	labels := otlptranslator.LabelNamer{}
	all := map[string]series{}
	for _, m := range list {
		kind, suffixes := otlptranslator.MetricType(otlptranslator.MetricTypeGauge), []string{""}
		if _, ok := m.Data.(metricdata.Histogram[float64]); ok {
			kind, suffixes = otlptranslator.MetricTypeHistogram, []string{"_bucket", "_sum", "_count"}
		}
		name, err := metrics.Build(otlptranslator.Metric{Name: m.Name, Unit: m.Unit, Type: kind})
		require.NoError(t, err)
		known := series{}
		for _, p := range points(m) {
			for key, value := range p.labels {
				label, err := labels.Build(key)
				require.NoError(t, err)
				known[label] = append(known[label], value)
			}
		}
		for _, suffix := range suffixes {
			all[name+suffix] = known
		}
	}
	return all
}

// TestInstruments: the list of instruments is what is measured, and its units and descriptions are.
func TestInstruments(t *testing.T) {
	var names []string
	for _, i := range wxotel.Instruments() {
		require.NotEmpty(t, i.Unit)
		require.NotEmpty(t, i.Description)
		kind := otlptranslator.MetricType(otlptranslator.MetricTypeGauge)
		if strings.HasSuffix(i.Name, "duration") || strings.HasSuffix(i.Name, "wait") {
			kind = otlptranslator.MetricTypeHistogram
		}
		namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
		name, err := namer.Build(otlptranslator.Metric{Name: i.Name, Unit: i.Unit, Type: kind})
		require.NoError(t, err)
		names = append(names, name)
	}
	var seen []string
	for name := range lived(t) {
		name = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
		if !slices.Contains(seen, name) {
			seen = append(seen, name)
		}
	}
	assert.ElementsMatch(t, names, seen)
}

// rules reads a file of alert rules, and checks what does not depend on the metrics.
func rules(t *testing.T, path string) (exprs map[string]string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(text)))
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(&file))
	require.Len(t, file.Groups, 1)
	exprs = map[string]string{}
	for _, rule := range file.Groups[0].Rules {
		assert.NotContains(t, exprs, rule.Alert)
		exprs[rule.Alert] = rule.Expr
		assert.Contains(t, []string{"page", "ticket"}, rule.Labels["severity"], rule.Alert)
		assert.NotEmpty(t, rule.Annotations["summary"], rule.Alert)
		assert.NotEmpty(t, rule.Annotations["action"], rule.Alert)
		if rule.For != "" {
			_, err := time.ParseDuration(rule.For)
			assert.NoError(t, err, rule.Alert)
		}
		for _, named := range placeholder.FindAllStringSubmatch(rule.Annotations["summary"], -1) {
			assert.Contains(t, rule.Expr, named[1], "%s: a label that the expression drops", rule.Alert)
		}
	}
	return exprs
}

// Every metric, label and value that the alert rules name exists.
func TestAlerts(t *testing.T) {
	exprs := rules(t, "../../deploy/alerts/wxpay.yaml")
	require.Len(t, exprs, 10)
	known := lived(t)
	for alert, expr := range exprs {
		check(t, known, alert, expr)
	}
}

// The rules of wxpay-batch are PromQL. TestListen of contrib/fleet knows whether their metrics exist.
func TestBatchAlerts(t *testing.T) {
	exprs := rules(t, "../../deploy/alerts/wxpay-batch.yaml")
	require.Len(t, exprs, 10)
	known := map[string]series{}
	for alert, expr := range exprs {
		for _, name := range regexp.MustCompile(`wxpay_batch_[a-z_]+`).FindAllString(expr, -1) {
			known[name] = series{"state": {"unknown", "refused"}, "status": {"429"}, "code": {"PARAM_ERROR"}}
		}
		check(t, known, alert, expr)
	}
}

var placeholder = regexp.MustCompile(`\{\{ ?(?:\$labels\.)?(\w+) ?\}\}`)

// Every metric, label and value that the dashboard names exists, and every metric is on it.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile("../../deploy/grafana/wxpay.json")
	require.NoError(t, err)
	var board struct {
		Panels []struct {
			ID      int
			Title   string
			Targets []struct{ Expr, LegendFormat string }
		}
	}
	require.NoError(t, json.Unmarshal(text, &board))
	require.NotEmpty(t, board.Panels)
	known := lived(t)
	ids, shown := map[int]bool{}, ""
	for _, panel := range board.Panels {
		assert.False(t, ids[panel.ID], panel.Title)
		ids[panel.ID] = true
		require.NotEmpty(t, panel.Targets, panel.Title)
		for _, target := range panel.Targets {
			shown += target.Expr
			check(t, known, panel.Title, strings.NewReplacer("$__rate_interval", "5m", "$__range", "1h").Replace(target.Expr))
			for _, named := range placeholder.FindAllStringSubmatch(target.LegendFormat, -1) {
				assert.Contains(t, target.Expr, named[1], "%s: a label that the expression drops", panel.Title)
			}
		}
	}
	for name := range known {
		assert.Contains(t, shown, strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count"))
	}
}

// check parses an expression and looks for its metrics, labels and values in known.
func check(t *testing.T, known map[string]series, where, text string) {
	t.Helper()
	expr, err := metricsql.Parse(text)
	require.NoError(t, err, where)
	var of []series
	metricsql.VisitAll(expr, func(e metricsql.Expr) {
		selector, ok := e.(*metricsql.MetricExpr)
		if !ok {
			return
		}
		for _, filters := range selector.LabelFilterss {
			require.NotEmpty(t, filters)
			require.Equal(t, "__name__", filters[0].Label, where)
			labels, ok := known[filters[0].Value]
			if !assert.True(t, ok, "%s: no metric %s", where, filters[0].Value) {
				continue
			}
			of = append(of, labels)
			for _, filter := range filters[1:] {
				values := labels[filter.Label]
				assert.NotEmpty(t, values, "%s: %s has no label %s", where, filters[0].Value, filter.Label)
				if filter.IsNegative {
					continue
				}
				for _, want := range strings.Split(filter.Value, "|") {
					assert.Contains(t, values, want, "%s: %s of %s", where, filter.Label, filters[0].Value)
				}
			}
		}
	})
	require.NotEmpty(t, of, where)
	metricsql.VisitAll(expr, func(e metricsql.Expr) {
		aggregate, ok := e.(*metricsql.AggrFuncExpr)
		if !ok {
			return
		}
		for _, label := range aggregate.Modifier.Args {
			assert.True(t, label == "le" || slices.ContainsFunc(of, func(s series) bool { return len(s[label]) > 0 }), "%s: no label %s", where, label)
		}
	})
}
