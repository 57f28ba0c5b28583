package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/webhook"
)

func TestLog(t *testing.T) {
	probe := func(n *notification) {
		n.alter = func(h http.Header) {
			h.Set(apiv3.HeaderSignature, "WECHATPAY/SIGNTEST/"+h.Get(apiv3.HeaderSignature)[19:])
		}
	}
	for _, test := range []struct {
		name    string
		change  func(n *notification)
		level   string
		message string
		failure string
	}{
		{"done", nil, "INFO", "wxpay notification", ""},
		{"nobody wants it", func(n *notification) { n.eventType = "A.B" }, "WARN", "wxpay notification has no function", ""},
		{"function fails", func(n *notification) { n.resource = `{"fail":true}` }, "ERROR", "wxpay notification failed", "function"},
		{"probe", probe, "INFO", "wxpay notification was a signature test of the platform", "probe"},
		{"wrong signature", func(n *notification) { n.key = strangerKey() }, "WARN", "wxpay notification refused", "signature"},
		{"stale", func(n *notification) { n.at = n.at.Add(-apiv3.Window * 2) }, "WARN", "wxpay notification refused", "clock"},
		{"other key", func(n *notification) { n.apiv3Key = strings.Repeat("k", 32) }, "ERROR", "wxpay notification failed", "decryption"},
		{"junk in headers", func(n *notification) {
			n.serial = "PUB\r\n\x00" + strings.Repeat("K", 999)
			n.alter = func(h http.Header) { h["Request-Id"] = []string{"a\nb" + strings.Repeat("R", 999)} }
		}, "WARN", "wxpay notification refused", "unknown key"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			h := newHandler(t, webhook.WithLogger(slog.New(slog.NewJSONHandler(&out, nil))))
			h.On("TRANSACTION.SUCCESS", func(_ context.Context, e *webhook.Event) error {
				if e.Get("fail").Bool() {
					return errors.New("secret of oTestOpenid")
				}
				return nil
			})
			n := payment()
			if test.change != nil {
				test.change(&n)
			}
			n.send(h)
			var record map[string]any
			require.NoError(t, json.Unmarshal(out.Bytes(), &record), out.String())
			assert.Equal(t, test.level, record["level"])
			assert.Equal(t, test.message, record["msg"])
			if test.failure == "" {
				assert.NotContains(t, record, "failure")
			} else {
				assert.Equal(t, test.failure, record["failure"])
			}
			allowed := []string{"time", "level", "msg", "id", "type", "original_type", "merchant", "serial", "request_id", "failure", "status", "duration"}
			for name, value := range record {
				assert.Contains(t, allowed, name)
				if text, ok := value.(string); ok {
					assert.Less(t, len(text), 80, name)
					assert.NotContains(t, text, "\n")
				}
			}
			for _, secret := range []string{"oTestOpenid", "4200000000", apiv3Key, "secret", "ciphertext", n.signNonce} {
				assert.NotContains(t, out.String(), secret)
			}
		})
	}
}

func TestLogIsSilentBelowItsLevel(t *testing.T) {
	var out bytes.Buffer
	h := newHandler(t, webhook.WithLogger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelError}))))
	h.OnDefault(func(context.Context, *webhook.Event) error { return nil })
	payment().send(h)
	assert.Empty(t, out.String())
}

func TestLogOfDuplicates(t *testing.T) {
	var out bytes.Buffer
	h := newHandler(t, webhook.WithLogger(slog.New(slog.NewTextHandler(&out, nil))))
	h.OnDefault(func(context.Context, *webhook.Event) error { return nil })
	n := payment()
	n.send(h)
	out.Reset()
	n.send(h)
	assert.Contains(t, out.String(), `level=INFO msg="wxpay notification was a duplicate"`)
}

func TestObservation(t *testing.T) {
	var seen observed
	h := newHandler(t, seen.option())
	h.OnDefault(func(context.Context, *webhook.Event) error { return nil })
	n := payment()
	n.send(h)
	o := seen.one(t)
	assert.Positive(t, o.Duration)
	o.Duration = 0
	assert.Equal(t, webhook.Observation{
		ID: n.id, Type: "TRANSACTION.SUCCESS", OriginalType: "transaction", Merchant: mchID, Serial: publicKeyID,
		RequestID: "08C0DECAFE-0", Status: 204,
	}, o)
}
