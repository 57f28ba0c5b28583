package wxpay_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	stdlog "log"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
)

// records returns what was logged about findings.
func records(t *testing.T, log string) (findings []string) {
	for line := range strings.Lines(log) {
		var record map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &record))
		if record["msg"] != "wxpay preflight" {
			continue
		}
		require.Equal(t, "WARN", record["level"])
		if record["kind"] == nil {
			findings = append(findings, fmt.Sprint(record["finding"]))
			continue
		}
		require.NotEmpty(t, record["finding"])
		findings = append(findings, fmt.Sprint(record["kind"], " ", record["place"], " ", record["pointer"]))
	}
	return findings
}

func TestPreflightWarnSends(t *testing.T) {
	var log bytes.Buffer
	sent := 0
	client := newClient(t, wxpay.WithPreflight(wxpay.PreflightWarn, "unknown field"),
		wxpay.WithTransport(answer{body: `{"code_url":"x"}`, trip: func(*http.Request) { sent++ }}), wxpay.WithLogger(slog.New(slog.NewJSONHandler(&log, nil))))
	_, err := client.Chain("v3/pay/transactions/native").
		Post(context.Background(), wxpay.JSON{"appid": 1, "mchid": "SECRET", "description": "SECRET😀", "unknown": 1})
	require.NoError(t, err)
	assert.Equal(t, 1, sent)
	assert.Equal(t, []string{"wrong type body /appid", "supplementary character body /description", "missing field body /out_trade_no",
		"missing field body /amount", "missing field body /notify_url"}, records(t, log.String()))
	assert.NotContains(t, log.String(), "SECRET")
}

// Who sets no logger gets the warnings in the program's log, and only them.
func TestFindingsGoToTheDefaultLogger(t *testing.T) {
	var log bytes.Buffer
	before, out, flags := slog.Default(), stdlog.Writer(), stdlog.Flags()
	defer func() {
		slog.SetDefault(before)
		stdlog.SetOutput(out) // SetDefault has changed both
		stdlog.SetFlags(flags)
	}()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	get := func(options ...wxpay.Option) {
		_, err := newClient(t, append(options, wxpay.WithTransport(answer{}))...).Chain("v3/no/such/thing").Get(context.Background())
		require.NoError(t, err)
	}
	get(wxpay.WithLogger(nil))
	assert.Empty(t, log.String())
	get()
	assert.Equal(t, []string{"unknown operation operation "}, records(t, log.String()))
}

// A client warns by default, and of one thing once: not in the next call, not for the next element of an array, and not in the
// clients that were made of it, unless they have a logger of their own.
func TestFindingsAreLoggedOnce(t *testing.T) {
	var log, other bytes.Buffer
	client := newClient(t, wxpay.WithTransport(answer{body: `{"code_url":"x","prepay_id":"x"}`}), wxpay.WithLogger(slog.New(slog.NewJSONHandler(&log, nil))))
	send := func(client *wxpay.Client, body any) {
		_, err := client.Chain("v3/pay/transactions/native").Post(context.Background(), body)
		require.NoError(t, err)
	}
	logged := func() []string { defer log.Reset(); return records(t, log.String()) }
	goods := func(list ...wxpay.JSON) wxpay.JSON { return changed(list, "detail", "goods_detail") }
	one := wxpay.JSON{"merchant_goods_id": "1", "unit_price": 1, "quantity": "1"}

	send(client, goods(one, one, one))
	assert.Equal(t, []string{"wrong type body /detail/goods_detail/0/quantity"}, logged())
	send(client, goods(wxpay.JSON{"merchant_goods_id": "1", "unit_price": 1, "quantity": 1}, one))
	assert.Empty(t, logged(), "in another element")
	send(client, changed("x", "amount", "total"))
	assert.Equal(t, []string{"wrong type body /amount/total"}, logged(), "at another place")
	send(client, changed(nil, "amount", "total"))
	assert.Equal(t, []string{"missing field body /amount/total"}, logged(), "of another kind")
	_, err := client.Chain("v3/pay/transactions/jsapi").Post(context.Background(), changed("x", "amount", "total"))
	require.NoError(t, err)
	assert.Contains(t, logged(), "wrong type body /amount/total", "in another operation")
	for range 2 {
		_, err := client.Chain("v3/pay/transactions/nativ").Post(context.Background(), nil)
		require.NoError(t, err)
	}
	assert.Equal(t, []string{"unknown operation operation "}, logged(), "once in two calls")

	light, err := client.As(wxpay.Merchant{ID: testMerchant, Serial: testSerial, PrivateKey: testKeys().merchant})
	require.NoError(t, err)
	send(light, goods(one))
	assert.Empty(t, logged(), "in a client made of it")
	louder, err := client.As(wxpay.Merchant{ID: testMerchant, Serial: testSerial, PrivateKey: testKeys().merchant},
		wxpay.WithLogger(slog.New(slog.NewJSONHandler(&other, nil))))
	require.NoError(t, err)
	send(louder, goods(one))
	assert.Len(t, records(t, other.String()), 1, "another logger")
}

// A program whose members are made up as it runs fills neither the memory nor the log.
func TestFindingsAreBounded(t *testing.T) {
	var log bytes.Buffer
	client := newClient(t, wxpay.WithTransport(answer{body: `{"code_url":"x"}`}), wxpay.WithLogger(slog.New(slog.NewJSONHandler(&log, nil))))
	for call := range 3 {
		body := nativeOrder()
		for i := range 600 {
			body[fmt.Sprintf("m%d-%d", call, i)] = 1
		}
		_, err := client.Chain("v3/pay/transactions/native").Post(context.Background(), body)
		require.NoError(t, err)
	}
	got := records(t, log.String())
	require.Len(t, got, 1001)
	assert.Equal(t, "these were 1000 findings: this client logs no more", got[1000])
}
