package wxotel_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"

	"github.com/wxpay-go/wxpay"
	wxotel "github.com/wxpay-go/wxpay/contrib/otel"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/webhook"
)

// Everything that a caller, the platform, a proxy or a function can write carries the mark.
const mark = "7531864209"

// Of what goes through a client and a handler, only attributes of the allow-list come out, and no
// marked value among them.
func TestNothingPrivate(t *testing.T) {
	s := open(t)
	var logged bytes.Buffer
	logger := slog.New(wxotel.LogHandler(slog.NewJSONHandler(&logged, nil)))
	ctx := t.Context()

	client := s.client(t, wxpay.WithLogger(logger), wxpay.WithLimiter(s.Limiter(middleware.NewLimits())))
	body := order(s.sandbox, "O"+mark)
	body["description"], body["attach"] = "mug "+mark, mark
	body["settle_info"] = wxpay.JSON{"profit_sharing": false}
	_, err := client.Chain("v3/pay/transactions/native").Header("X-Note", mark).Post(ctx, body)
	require.NoError(t, err)
	_, err = client.Chain("v3/pay/transactions/jsapi").Post(ctx, func() wxpay.JSON {
		b := order(s.sandbox, "J"+mark)
		b["payer"] = wxpay.JSON{"openid": "o" + mark}
		return b
	}())
	_ = err
	require.Error(t, queryOrder(ctx, client, "MISSING-"+mark))
	_, err = client.Chain("v3/pay/transactions/id/"+mark).Query("mchid", client.MchID()).Get(ctx)
	require.Error(t, err)
	_, err = client.Chain("v3/nobody/knows/o"+mark+"/{id}").Var("id", mark).Query("openid", mark).Get(ctx)
	require.Error(t, err)
	_, err = client.Fetch(ctx, "https://api.mch.weixin.qq.com/v3/billdownload/file?token="+mark, io.Discard)
	require.Error(t, err)

	// A proxy that returns anything, a transport that fails with anything.
	for _, next := range []http.RoundTripper{
		middleware.RoundTripFunc(func(*http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("dialling for o%s", mark)
		}),
		middleware.RoundTripFunc(func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 400, Request: req, Header: http.Header{
				"Request-Id": {"for o" + mark}, "Content-Type": {"application/json"}, "Wechatpay-Serial": {mark},
			}, Body: io.NopCloser(strings.NewReader(`{"code":"no ` + mark + `","message":"` + mark + `"}`))}, nil
		}),
	} {
		odd := s.client(t, wxpay.WithTransport(next), wxpay.WithAttempts(2), wxpay.WithLogger(logger))
		require.Error(t, refund(ctx, odd, "O"+mark))
	}
	kept := s.client(t, wxpay.WithLogger(logger), wxpay.WithLimiter(s.Limiter(limiterFunc(func() error { return errors.New("no room for " + mark) }))))
	require.Error(t, refund(ctx, kept, "O"+mark))

	handler := s.handler(t, webhook.WithLogger(logger))
	results := []func() error{
		func() error { return nil },
		func() error { return errors.New("no order " + mark) },
		func() error { panic("no order " + mark) },
	}
	served := s.Handler(handler)
	handler.On(webhook.TransactionSuccess, func(context.Context, *webhook.Event) error {
		result := results[0]
		results = results[1:]
		return result()
	})
	for i := range 3 {
		r := notification(t, s.sandbox, webhook.TransactionSuccess, wxpay.JSON{
			"mchid": client.MchID(), "transaction_id": fmt.Sprint(mark, i), "out_trade_no": fmt.Sprint("O", mark, i),
			"trade_state": "SUCCESS", "payer": wxpay.JSON{"openid": "o" + mark}, "attach": mark, "amount": wxpay.JSON{"total": 100},
		})
		served.ServeHTTP(httptest.NewRecorder(), r)
	}
	junk := httptest.NewRequest(http.MethodPost, "/notify?openid="+mark, strings.NewReader(mark))
	for _, name := range []string{"Wechatpay-Serial", "Wechatpay-Nonce", "Wechatpay-Signature", "Request-Id", "Traceparent"} {
		junk.Header.Set(name, mark)
	}
	junk.Header.Set("Wechatpay-Timestamp", fmt.Sprint(time.Now().Unix()))
	served.ServeHTTP(httptest.NewRecorder(), junk)
	assert.Empty(t, results)

	allowed := wxotel.Attributes()
	seen := map[string]bool{}
	check := func(where string, list []attribute.KeyValue) {
		for _, a := range list {
			seen[string(a.Key)] = true
			assert.Contains(t, allowed, string(a.Key), where)
			assert.NotContains(t, a.Value.String(), mark, "%s of %s", a.Key, where)
		}
	}
	require.Greater(t, len(s.spans.Ended()), 20)
	for _, span := range s.spans.Ended() {
		assert.NotContains(t, span.Name(), mark)
		assert.NotContains(t, span.Status().Description, mark)
		assert.Empty(t, span.Events(), "an event could hold the text of an error")
		assert.Empty(t, span.Links())
		check(span.Name(), span.Attributes())
	}
	for name, points := range measured(t, s.reader) {
		for _, p := range points {
			for key, value := range p.labels {
				check(name, []attribute.KeyValue{attribute.String(key, value)})
			}
		}
	}
	assert.Greater(t, len(seen), 15)
	for line := range strings.Lines(logged.String()) {
		var record map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &record))
		if record["msg"] == "wxpay call" || record["msg"] == "wxpay call failed" {
			assert.NotEmpty(t, record["trace_id"], line)
		}
	}
}

type limiterFunc func() error

func (f limiterFunc) Acquire(context.Context, middleware.LimitKey, fact.Rate) (func(), error) {
	return nil, f()
}

// Templates of operations that no catalogue knows lose what looks like a value.
func TestTemplates(t *testing.T) {
	for path, want := range map[string]string{
		"v3/nobody/knows/order20251101/{id}": "/v3/nobody/knows/{…}/{id}",
		"v3/nobody/complaints-v2/h5":         "/v3/nobody/complaints-v2/h5",
		"v3/nobody/420000012":                "/v3/nobody/{…}",
	} {
		s := open(t)
		chain := s.client(t).Chain(path)
		if strings.HasSuffix(path, "{id}") {
			chain = chain.Var("id", "1")
		}
		_, err := chain.Get(t.Context())
		_ = err // whatever the sandbox says of it
		ended := s.spans.Ended()
		if assert.NotEmpty(t, ended, path) {
			assert.Equal(t, "GET "+want, ended[len(ended)-1].Name())
		}
	}
}
