package webhook_test

import (
	"bytes"
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"io"
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
		says    string
	}{
		{"done", nil, "INFO", "wxpay notification", "", ""},
		{"nobody wants it", func(n *notification) { n.eventType = "A.B" }, "WARN",
			"wxpay notification has no function", "", "register one with On, or say Ignore"},
		{"nobody wants the money", func(n *notification) { n.eventType, n.originalType = "REFUND.SUCCESS", "refund" },
			"ERROR", "wxpay notification failed", "no function", `register a function with On("REFUND.SUCCESS", …), or say Ignore`},
		{"function fails", func(n *notification) { n.resource = `{"fail":true}` }, "ERROR",
			"wxpay notification failed", "function", "what the notification tells has happened all the same, and it is delivered again"},
		{"probe", probe, "INFO", "wxpay notification was a signature test of the platform", "probe", ""},
		{"wrong signature", func(n *notification) { n.key = strangerKey() }, "WARN", "wxpay notification rejected",
			"signature", "was the body changed on the way, or is another key stored under this serial?"},
		{"stale", func(n *notification) { n.at = n.at.Add(-apiv3.Window * 2) }, "WARN", "wxpay notification rejected",
			"clock", "before the local clock, at most 5m0s are allowed: check this machine's clock first"},
		{"other key", func(n *notification) { n.apiv3Key = strings.Repeat("k", 32) }, "ERROR",
			"wxpay notification failed", "decryption", "was the APIv3 key changed in the merchant platform, or is it another merchant's?"},
		{"junk in headers", func(n *notification) {
			n.serial = "PUB\r\n\x00" + strings.Repeat("K", 999)
			n.alter = func(h http.Header) { h["Request-Id"] = []string{"a\nb" + strings.Repeat("R", 999)} }
		}, "WARN", "wxpay notification rejected", "unknown key", "unknown platform key"},
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
			if test.says == "" {
				assert.NotContains(t, record, "error")
			} else {
				assert.Contains(t, record["error"], test.says)
			}
			allowed := []string{"error", "time", "level", "msg", "id", "type", "original_type", "merchant", "serial",
				"request_id", "failure", "status", "duration"}
			for name, value := range record {
				assert.Contains(t, allowed, name)
				if text, ok := value.(string); ok {
					if name != "error" {
						assert.Less(t, len(text), 80, name)
					}
					assert.NotContains(t, text, "\n")
				}
			}
			for _, secret := range []string{"oTestOpenid", "4200000000", apiv3Key, "secret", "ciphertext", n.signNonce} {
				assert.NotContains(t, out.String(), secret)
			}
		})
	}
}

// Every failure has a sentence of its own, and what may hold anything stays with the observer.
func TestLogSentences(t *testing.T) {
	secret := errors.New("secret of oTestOpenid")
	for _, test := range []struct {
		name   string
		option webhook.Option
		fn     func() error
		says   string
	}{
		{"a function", nil, func() error { return secret }, "the function returned an error"},
		{"a function's panic", nil, func() error { panic(secret) }, "the function panicked"},
		{"a store that does not claim", webhook.WithDeduper(storeOf{claim: secret}), nil, "the store of what was done failed"},
		{"a store that does not note", webhook.WithDeduper(storeOf{done: secret}), nil, "the function may run again for this event"},
		{"keys", nil, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			m := merchant(t)
			if test.name == "keys" {
				m.Keys = keysFunc(func(context.Context, string) (crypto.PublicKey, error) { return nil, secret })
				test.says = "the platform's keys could not be asked"
			}
			options := []webhook.Option{webhook.WithLogger(slog.New(slog.NewTextHandler(&out, nil)))}
			if test.option != nil {
				options = append(options, test.option)
			}
			h, err := webhook.New(m, options...)
			require.NoError(t, err)
			h.OnDefault(func(context.Context, *webhook.Event) error {
				if test.fn == nil {
					return nil
				}
				return test.fn()
			})
			payment().send(h)
			assert.Contains(t, out.String(), "error=\""+test.says[:5])
			assert.Contains(t, out.String(), test.says)
			assert.NotContains(t, out.String(), "secret")
		})
	}
}

// storeOf is a Deduper that fails where it is told to.
type storeOf struct{ claim, done error }

func (s storeOf) Claim(context.Context, string, string) (webhook.State, error) {
	return webhook.Claimed, s.claim
}
func (s storeOf) Done(context.Context, string, string) error    { return s.done }
func (s storeOf) Release(context.Context, string, string) error { return s.claim }

// Without logger and observer, what would be lost in silence goes to the default logger, and nothing else does.
func TestNothingIsLostInSilence(t *testing.T) {
	var out bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })

	h := newHandler(t)
	h.On("COUPON.USE", func(context.Context, *webhook.Event) error { return nil })
	for name, says := range map[string]string{"consumed": "mount the handler outside of middleware",
		"unhandled": "register one with On, or say Ignore", "done": "", "forged": ""} {
		n := event("COUPON.USE", "coupon", `{}`)
		switch name {
		case "unhandled":
			n.eventType = "COUPON.SEND"
		case "forged":
			n.key = strangerKey()
		}
		r := n.request()
		if name == "consumed" {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		out.Reset()
		h.ServeHTTP(newRecorder(), r)
		if says == "" {
			assert.Empty(t, out.String(), name)
		} else {
			assert.Contains(t, out.String(), says)
		}
	}
	out.Reset()
	for _, option := range []webhook.Option{webhook.WithLogger(nil), webhook.WithObserver(func(context.Context, webhook.Observation) {})} {
		r := payment().request()
		_, _ = io.Copy(io.Discard, r.Body)
		newHandler(t, option).ServeHTTP(newRecorder(), r)
		assert.Empty(t, out.String())
	}
}

// Code of the user's that panics around a function harms neither the response nor the process.
func TestPanicsAround(t *testing.T) {
	boom := func() { panic("boom") }
	var out bytes.Buffer
	logger := webhook.WithLogger(slog.New(slog.NewTextHandler(&out, nil)))

	h := newHandler(t, logger, webhook.WithObserver(func(context.Context, webhook.Observation) { boom() }))
	h.OnDefault(func(context.Context, *webhook.Event) error { return nil })
	assert.Equal(t, 204, payment().send(h).Code)
	assert.Contains(t, out.String(), `msg="wxpay notification observer failed" error="the function panicked with a string"`)
	assert.NotContains(t, out.String(), "boom")

	var seen observed
	m := merchant(t)
	m.Keys = keysFunc(func(context.Context, string) (crypto.PublicKey, error) { boom(); return nil, nil })
	h, err := webhook.New(m, seen.option())
	require.NoError(t, err)
	assertFail(t, 503, payment().send(h))
	require.ErrorAs(t, seen.one(t).Err, new(*webhook.PanicError))

	h, err = webhook.NewMulti(func(context.Context, *webhook.Delivery) (*webhook.Merchant, error) { boom(); return nil, nil }, seen.option())
	require.NoError(t, err)
	assertFail(t, 503, payment().send(h))
	require.ErrorAs(t, seen.one(t).Err, new(*webhook.PanicError))
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
