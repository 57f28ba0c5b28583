package webhook_test

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/vectors"
	"github.com/wxpay-go/wxpay/webhook"
)

// vectorHandler knows the keys of the test vectors and lives at their time.
func vectorHandler(t testing.TB, options ...webhook.Option) *webhook.Handler {
	t.Helper()
	p := vectors.Load(t).Parameters
	h, err := webhook.New(webhook.Merchant{
		ID: p.MchID, APIv3Key: p.APIv3Key, Keys: webhook.Static(keySet(t,
			apiv3.PlatformKey{Serial: p.PublicKeyID, Key: vectors.PublicKey(t, "keys/wechatpay_pub_key.pem")},
			apiv3.CertificateKey(vectors.Certificate(t, "platform_a")), apiv3.CertificateKey(vectors.Certificate(t, "platform_b")),
		)),
	}, append([]webhook.Option{webhook.WithClock(p.Now)}, options...)...)
	require.NoError(t, err)
	return h
}

func vector(t testing.TB, id string) vectors.Vector {
	t.Helper()
	for _, v := range vectors.Load(t).Vectors {
		if v.ID == id {
			return v
		}
	}
	t.Fatalf("there is no vector %s", id)
	return vectors.Vector{}
}

func header(pairs map[string]string) http.Header {
	h := make(http.Header)
	for name, value := range pairs {
		h.Set(name, value)
	}
	return h
}

func TestVectors(t *testing.T) {
	set := vectors.Load(t)
	ran := 0
	for _, v := range set.Vectors {
		if !strings.HasPrefix(v.ID, "ntf-") || v.Kind != "callback" {
			continue
		}
		ran++
		t.Run(v.ID, func(t *testing.T) {
			var seen observed
			h := vectorHandler(t, seen.option())
			e, err := h.Parse(t.Context(), header(v.Headers), []byte(v.Body))
			if !v.Valid() {
				var untrusted *webhook.VerifyError
				require.ErrorAs(t, err, &untrusted)
				require.ErrorIs(t, err, apiv3.ErrSignature)
				assert.True(t, untrusted.Probe)
				assert.Nil(t, e)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, v.Plaintext, string(e.Resource()))
			assert.Equal(t, v.Body, string(e.Raw()))
			assert.Equal(t, v.Headers["Wechatpay-Serial"], e.Serial)
			assert.Equal(t, v.Headers["Request-ID"], e.RequestID)
			assert.Equal(t, set.Parameters.MchID, e.Merchant)
			assert.Equal(t, "encrypt-resource", e.ResourceType)
			assert.True(t, e.CreateTime.Equal(set.Parameters.Now()))
			assert.NotEmpty(t, e.Summary)
		})
	}
	assert.Equal(t, 4, ran, "callback vectors")

	// The same ciphertext under other associated data, inside a notification that is signed rightly.
	wrong := vector(t, "ntf-04-neg-aad")
	n := payment()
	n.envelope = fmt.Sprintf(`{"id":"EV-1","event_type":"TRANSACTION.SUCCESS","resource":{"original_type":"transaction","algorithm":%q,`+
		`"ciphertext":%q,"nonce":%q,"associated_data":%q}}`,
		apiv3.AlgorithmAESGCM, wrong.Ciphertext, wrong.GCMNonce, wrong.AssociatedData)
	header, body := n.build()
	_, err := newHandler(t).Parse(t.Context(), header, body)
	require.ErrorIs(t, err, apiv3.ErrDecrypt)
}

// The texts of an envelope are those that encoding/json reads, however they are written.
func TestTextsOfTheEnvelope(t *testing.T) {
	for name, old := range map[string][2]string{
		"plain":              {},
		"escaped":            {`"summary":"支付成功"`, `"summary":"\u652f\/\"\n"`},
		"half a character":   {`"summary":"支付成功"`, `"summary":"a\ud800b"`},
		"absent":             {`,"summary":"支付成功"`, ``},
		"null":               {`"summary":"支付成功"`, `"summary":null`},
		"an escaped name":    {`"summary":`, `"summ\u0061ry":`},
		"an escaped base64":  {`"algorithm":"AEAD_`, `"algorithm":"\u0041EAD_`},
		"another text amid":  {`"summary":`, `"id2":"x","summary":`},
		"texts of other use": {`"original_type":`, `"id":"of the resource","original_type":`},
	} {
		t.Run(name, func(t *testing.T) {
			n := payment()
			n.alterBody = func(s string) string {
				changed := strings.Replace(s, old[0], old[1], 1)
				require.Equal(t, name == "plain", changed == s)
				return changed
			}
			header, body := n.build()
			e, err := newHandler(t).Parse(t.Context(), header, body)
			require.NoError(t, err)
			var want floorEvent
			require.NoError(t, json.Unmarshal(body, &want))
			assert.Equal(t, want.ID, e.ID)
			assert.Equal(t, want.Type, e.Type)
			assert.Equal(t, want.Summary, e.Summary)
			assert.Equal(t, want.Resource.OriginalType, e.OriginalType)
			assert.Equal(t, want.CreateTime, e.CreateTime.Format(time.RFC3339))
			assert.Equal(t, "encrypt-resource", e.ResourceType)
			assert.Equal(t, publicKeyID, e.Serial)
			assert.Equal(t, "08C0DECAFE-0", e.RequestID)
		})
	}
}

func TestEvent(t *testing.T) {
	h := vectorHandler(t)
	v := vector(t, "ntf-01-transaction")
	e, err := h.Parse(t.Context(), header(v.Headers), []byte(v.Body))
	require.NoError(t, err)
	assert.Equal(t, "EV-104ded43e1772452924240ce2792b739", e.ID)
	assert.Equal(t, "TRANSACTION.SUCCESS", e.Type)
	assert.Equal(t, "transaction", e.OriginalType)
	assert.Equal(t, "支付成功", e.Summary)
	assert.Equal(t, int64(100), e.Get("amount.total").Int())

	var order struct {
		OutTradeNo string `json:"out_trade_no"`
		Amount     struct{ Total int64 }
	}
	require.NoError(t, e.Decode(&order))
	assert.Equal(t, "ORDER20250101000001", order.OutTradeNo)
	assert.Equal(t, int64(100), order.Amount.Total)

	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
		text := fmt.Sprintf(verb, e)
		assert.Contains(t, text, "TRANSACTION.SUCCESS", verb)
		assert.NotContains(t, text, "oTestOpenid", verb)
		assert.NotContains(t, text, "ORDER2025", verb)
	}
	assert.NotContains(t, e.LogValue().String(), "oTestOpenid")
}

// Whatever is wrong with a delivery has an error of its own, a status, and a word for the logs.
func TestRefusals(t *testing.T) {
	set := func(name, value string) func(http.Header) {
		return func(h http.Header) { h[name] = []string{value} }
	}
	drop := func(name string) func(http.Header) { return func(h http.Header) { delete(h, name) } }
	tests := []struct {
		name    string
		change  func(n *notification)
		want    error
		status  int
		failure string
		rsa     int // signatures verified
	}{
		{"no headers at all", func(n *notification) { n.alter = func(h http.Header) { clear(h) } }, apiv3.ErrUnsigned, 401, "unsigned", 0},
		{"no signature", func(n *notification) { n.alter = drop(apiv3.HeaderSignature) }, apiv3.ErrUnsigned, 401, "unsigned", 0},
		{"no serial", func(n *notification) { n.alter = drop(apiv3.HeaderSerial) }, apiv3.ErrUnsigned, 401, "unsigned", 0},
		{"no timestamp", func(n *notification) { n.alter = drop(apiv3.HeaderTimestamp) }, apiv3.ErrUnsigned, 401, "unsigned", 0},
		{"no nonce", func(n *notification) { n.alter = drop(apiv3.HeaderNonce) }, apiv3.ErrUnsigned, 401, "unsigned", 0},
		{"empty nonce", func(n *notification) { n.alter = set(apiv3.HeaderNonce, "") }, apiv3.ErrUnsigned, 401, "unsigned", 0},
		{"no signature type", func(n *notification) { n.alter = drop(apiv3.HeaderSignatureType) }, nil, 204, "", 1},
		{"signature twice", func(n *notification) {
			n.alter = func(h http.Header) { h.Add(apiv3.HeaderSignature, h.Get(apiv3.HeaderSignature)) }
		}, apiv3.ErrSignatureHeader, 401, "headers", 0},
		{"serial twice", func(n *notification) {
			n.alter = func(h http.Header) { h.Add(apiv3.HeaderSerial, "other") }
		}, apiv3.ErrSignatureHeader, 401, "headers", 0},
		{"timestamp is no number", func(n *notification) { n.alter = set(apiv3.HeaderTimestamp, "soon") }, apiv3.ErrSignatureHeader, 401, "headers", 0},
		{"timestamp with a sign", func(n *notification) { n.alter = set(apiv3.HeaderTimestamp, "+1735689600") }, apiv3.ErrSignatureHeader, 401, "headers", 0},
		{"line feed in the nonce", func(n *notification) { n.signNonce = "abc\ndef" }, apiv3.ErrSignatureHeader, 401, "headers", 0},
		{"type of another scheme", func(n *notification) {
			n.alter = set(apiv3.HeaderSignatureType,
				"WECHATPAY2-SM2-WITH-SM3")
		}, apiv3.ErrSignatureHeader, 401, "headers", 0},
		{"as old as allowed", func(n *notification) { n.at = n.at.Add(-apiv3.Window) }, nil, 204, "", 1},
		{"a second too old", func(n *notification) { n.at = n.at.Add(-apiv3.Window - time.Second) }, apiv3.ErrClock, 401, "clock", 0},
		{"as new as allowed", func(n *notification) { n.at = n.at.Add(apiv3.Window) }, nil, 204, "", 1},
		{"a second too new", func(n *notification) { n.at = n.at.Add(apiv3.Window + time.Second) }, apiv3.ErrClock, 401, "clock", 0},
		{"timestamp zero", func(n *notification) { n.alter = set(apiv3.HeaderTimestamp, "0") }, apiv3.ErrClock, 401, "clock", 0},
		{"unknown public key id", func(n *notification) { n.serial = publicKeyID + "9" }, apiv3.ErrUnknownSerial, 401, "unknown key", 0},
		{"unknown certificate", func(n *notification) { n.serial = serial }, apiv3.ErrUnknownSerial, 401, "unknown key", 0},
		{"serial in lower case", func(n *notification) { n.serial = strings.ToLower(publicKeyID) }, apiv3.ErrUnknownSerial, 401, "unknown key", 0},
		{"signed by a stranger", func(n *notification) { n.key = strangerKey() }, apiv3.ErrSignature, 401, "signature", 1},
		{"probe", func(n *notification) {
			n.alter = func(h http.Header) {
				h.Set(apiv3.HeaderSignature, "WECHATPAY/SIGNTEST/"+h.Get(apiv3.HeaderSignature)[19:])
			}
		}, apiv3.ErrSignature, 401, "probe", 1},
		{"probe that is not base64", func(n *notification) {
			n.alter = set(apiv3.HeaderSignature,
				"WECHATPAY/SIGNTEST/*")
		}, apiv3.ErrSignature, 401, "probe", 0},
		{"one byte changed", func(n *notification) {
			n.tamper = func(b []byte) []byte { b[len(b)/2] ^= 1; return b }
		}, apiv3.ErrSignature, 401, "signature", 1},
		{"serialised again", func(n *notification) {
			n.tamper = func(b []byte) []byte { return []byte(strings.ReplaceAll(string(b), `":"`, `": "`)) }
		}, apiv3.ErrSignature, 401, "signature", 1},
		{"line feed appended", func(n *notification) { n.tamper = func(b []byte) []byte { return append(b, '\n') } }, apiv3.ErrSignature, 401, "signature", 1},
		{"empty body", func(n *notification) { n.tamper = func([]byte) []byte { return nil } }, webhook.ErrBodyConsumed, 500, "body consumed", 0},
		{"not JSON", func(n *notification) { n.envelope = "hello" }, webhook.ErrMalformed, 400, "malformed", 1},
		{"half of it", func(n *notification) { n.alterBody = func(s string) string { return s[:len(s)/2] } }, webhook.ErrMalformed, 400, "malformed", 1},
		{"an array", func(n *notification) { n.envelope = `["a"]` }, webhook.ErrMalformed, 400, "malformed", 1},
		{"null", func(n *notification) { n.envelope = `null` }, webhook.ErrMalformed, 400, "malformed", 1},
		{"signed XML", func(n *notification) { n.envelope = `<xml></xml>` }, webhook.ErrMalformed, 400, "malformed", 1},
		{"no resource", func(n *notification) { n.rawMembers = map[string]any{"resource": nil} }, webhook.ErrMalformed, 400, "malformed", 1},
		{"resource is a text", func(n *notification) { n.rawMembers = map[string]any{"resource": "x"} }, webhook.ErrMalformed, 400, "malformed", 1},
		{"resource is empty", func(n *notification) { n.rawMembers = map[string]any{"resource": map[string]any{}} }, webhook.ErrMalformed, 400, "malformed", 1},
		{"no id", func(n *notification) { n.id = "" }, webhook.ErrMalformed, 400, "malformed", 1},
		{"id is a number", func(n *notification) { n.rawMembers = map[string]any{"id": 7} }, webhook.ErrMalformed, 400, "malformed", 1},
		{"no type", func(n *notification) { n.eventType = "" }, webhook.ErrMalformed, 400, "malformed", 1},
		{"event_type twice, different", func(n *notification) {
			n.alterBody = func(s string) string { return `{"event_type":"REFUND.SUCCESS",` + s[1:] }
		}, webhook.ErrMalformed, 400, "malformed", 1},
		{"event_type twice, the same", func(n *notification) {
			n.alterBody = func(s string) string { return `{"event_type":"TRANSACTION.SUCCESS",` + s[1:] }
		}, webhook.ErrMalformed, 400, "malformed", 1},
		{"event_type once more, in capitals", func(n *notification) {
			n.alterBody = func(s string) string { return `{"EVENT_TYPE":"REFUND.SUCCESS",` + s[1:] }
		}, webhook.ErrMalformed, 400, "malformed", 1},
		{"id once more, null", func(n *notification) {
			n.alterBody = func(s string) string { return s[:len(s)-1] + `,"id":null}` }
		}, webhook.ErrMalformed, 400, "malformed", 1},
		{"id once before, empty", func(n *notification) {
			n.alterBody = func(s string) string { return `{"id":"",` + s[1:] }
		}, webhook.ErrMalformed, 400, "malformed", 1},
		{"resource twice", func(n *notification) {
			n.alterBody = func(s string) string { return `{"resource":{"ciphertext":"AAAA"},` + s[1:] }
		}, webhook.ErrMalformed, 400, "malformed", 1},
		{"no algorithm", func(n *notification) { n.algorithm = "" }, webhook.ErrMalformed, 400, "malformed", 1},
		{"another algorithm", func(n *notification) { n.algorithm = "AEAD_SM4_GCM" }, webhook.ErrMalformed, 400, "malformed", 1},
		{"ciphertext is not base64", func(n *notification) {
			n.alterBody = func(s string) string { return strings.Replace(s, `"ciphertext":"`, `"ciphertext":"*`, 1) }
		}, webhook.ErrMalformed, 400, "malformed", 1},
		{"ciphertext shorter than a tag", func(n *notification) {
			n.rawMembers = map[string]any{"resource": map[string]any{"algorithm": apiv3.AlgorithmAESGCM, "nonce": "123456789012", "ciphertext": "AAAA"}}
		}, apiv3.ErrDecrypt, 500, "decryption", 1},
		{"another APIv3 key", func(n *notification) { n.apiv3Key = strings.Repeat("x", 32) }, apiv3.ErrDecrypt, 500, "decryption", 1},
		{"other associated data", func(n *notification) {
			n.alterBody = func(s string) string {
				return strings.Replace(s, `"associated_data":"transaction"`, `"associated_data":"refund"`, 1)
			}
		}, apiv3.ErrDecrypt, 500, "decryption", 1},
		{"empty nonce of the resource", func(n *notification) { n.nonce = "" }, apiv3.ErrDecrypt, 500, "decryption", 1},
		{"nonce of one byte", func(n *notification) { n.nonce = "x" }, nil, 204, "", 1},
		{"nonce of 16 bytes", func(n *notification) { n.nonce = "0123456789abcdef" }, nil, 204, "", 1},
		{"nonce of a kilobyte", func(n *notification) { n.nonce = strings.Repeat("n", 1024) }, nil, 204, "", 1},
		{"empty associated data", func(n *notification) { n.aad = "" }, nil, 204, "", 1},
		{"no associated data", func(n *notification) { n.aad, n.noAAD = "", true }, nil, 204, "", 1},
		{"no original type", func(n *notification) { n.originalType = "" }, nil, 204, "", 1},
		{"create time of the old form", func(n *notification) { n.created = "20180225112233" }, nil, 204, "", 1},
		{"further members", func(n *notification) { n.rawMembers = map[string]any{"new": []any{1, nil}} }, nil, 204, "", 1},
		{"resource is not JSON", func(n *notification) { n.resource = "plain" }, nil, 204, "", 1},
		{"empty resource", func(n *notification) { n.resource = "" }, nil, 204, "", 1},
		{"member of the resource twice, different", func(n *notification) {
			n.resource = `{"trade_state":"SUCCESS","a":1,"trade_state":"NOTPAY"}`
		}, webhook.ErrMalformed, 400, "malformed", 1},
		{"member of the resource twice, escaped", func(n *notification) {
			n.resource = `{"trade_state":"SUCCESS","\u0074rade_state":"NOTPAY"}`
		}, webhook.ErrMalformed, 400, "malformed", 1},
		{"member deep in the resource twice, different", func(n *notification) {
			n.resource = `{"a":[{"amount":{"total":1,"total":2}}]}`
		}, webhook.ErrMalformed, 400, "malformed", 1},
		{"member of the resource twice, the same", func(n *notification) { n.resource = `{"a":1,"a":1}` }, webhook.ErrMalformed, 400, "malformed", 1},
		{"members of the resource that differ in case",
			func(n *notification) { n.resource = `{"amount":{"total":1},"Amount":{}}` }, webhook.ErrMalformed, 400, "malformed", 1},
		{"a number in the resource beyond 64 bits",
			func(n *notification) { n.resource = `{"total":18446744073709551617}` }, webhook.ErrMalformed, 400, "malformed", 1},
		{"many members, the last again", func(n *notification) {
			var b strings.Builder
			for i := range 100 {
				fmt.Fprintf(&b, `"m%d":%d,`, i, i)
			}
			n.resource = "{" + b.String() + `"m99":0}`
		}, webhook.ErrMalformed, 400, "malformed", 1},
		{"many members", func(n *notification) {
			var b strings.Builder
			for i := range 100 {
				fmt.Fprintf(&b, `"m%d":%d,`, i, i)
			}
			n.resource = "{" + b.String() + `"m100":0}`
		}, nil, 204, "", 1},
		{"nested as deep as allowed", func(n *notification) { n.resource = strings.Repeat("[", 1000) + strings.Repeat("]", 1000) }, nil, 204, "", 1},
		{"nested too deep", func(n *notification) {
			n.resource = strings.Repeat("[", 1001) + strings.Repeat("]",
				1001)
		}, webhook.ErrMalformed, 400, "malformed", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			now := time.Now()
			var seen observed
			m, verified := merchant(t), new(atomic.Int64)
			m.Scheme = countingScheme{apiv3.RSA(), verified}
			h, err := webhook.New(m, webhook.WithClock(func() time.Time { return now }), seen.option())
			require.NoError(t, err)
			h.OnDefault(func(context.Context, *webhook.Event) error { return nil })
			n := payment()
			n.at = now
			test.change(&n)

			header, body := n.build()
			e, err := h.Parse(t.Context(), header, body)
			if test.want == nil {
				require.NoError(t, err)
				assert.Equal(t, n.resource, string(e.Resource()))
			} else {
				require.ErrorIs(t, err, test.want)
				assert.Nil(t, e)
				assertDiscreet(t, err.Error(), n)
				var untrusted *webhook.VerifyError
				if errors.As(err, &untrusted) {
					assert.Equal(t, 401, test.status)
					assert.Equal(t, test.failure == "probe", untrusted.Probe)
				}
			}
			assert.EqualValues(t, test.rsa, verified.Load(), "signatures verified")
			assert.Empty(t, seen.take(), "Parse observes nothing")

			w := n.send(h)
			o := seen.one(t)
			assert.Equal(t, test.status, o.Status)
			assert.Equal(t, test.failure, o.Failure)
			assert.Equal(t, test.failure == "probe", o.Probe)
			if test.want == nil {
				assert.Equal(t, 204, w.Code)
				assert.Empty(t, w.Body.Bytes())
				assert.NoError(t, o.Err)
				return
			}
			require.ErrorIs(t, o.Err, test.want)
			assertFail(t, test.status, w)
			assertDiscreet(t, w.Body.String(), n)
			if test.failure == "probe" {
				assert.EqualValues(t, 1, h.Probes())
			} else {
				assert.Zero(t, h.Probes())
			}
		})
	}
}

// assertDiscreet checks that a text gives nothing away of what came in or is kept.
func assertDiscreet(t testing.TB, text string, n notification) {
	t.Helper()
	for _, secret := range []string{apiv3Key, "oTestOpenid", "4200000000", "SUCCESS", "ciphertext\":", n.signNonce, "\n"} {
		assert.NotContains(t, text, secret)
	}
}

func TestV2Notification(t *testing.T) {
	const xml = `<xml><return_code>SUCCESS</return_code><appid><![CDATA[wx0123456789abcdef]]></appid><req_info>AAAA</req_info></xml>`
	for _, body := range []string{xml, "\n  " + xml, "\ufeff" + xml, `<?xml version="1.0"?>` + xml} {
		var seen observed
		h := newHandler(t, seen.option())
		_, err := h.Parse(t.Context(), http.Header{"Content-Type": {"text/xml"}}, []byte(body))
		require.ErrorIs(t, err, webhook.ErrV2Notification)
		assert.ErrorContains(t, err, "notify_url")
		assert.ErrorContains(t, err, "query the refund")

		n := payment()
		n.alter = func(h http.Header) { clear(h) }
		n.envelope = body
		assertFail(t, 400, n.send(h))
		assert.Equal(t, "v2", seen.one(t).Failure)
	}
}

// Frameworks other than net/http spell header names in their own way.
func TestHeaderNamesInAnyCase(t *testing.T) {
	h := newHandler(t)
	proper, body := payment().build()
	lower := make(map[string][]string)
	for name, values := range proper {
		lower[strings.ToLower(name)] = values
	}
	e, err := h.Parse(t.Context(), lower, body)
	require.NoError(t, err)
	assert.Equal(t, "08C0DECAFE-0", e.RequestID)
	assert.NotContains(t, lower, apiv3.HeaderSerial, "the caller's map is left alone")

	// Two spellings of one header are that header twice, whichever way the values are distributed.
	lower[apiv3.HeaderSignature] = proper[apiv3.HeaderSignature]
	_, err = h.Parse(t.Context(), lower, body)
	require.ErrorIs(t, err, apiv3.ErrSignatureHeader)
	assert.Equal(t, 401, h.Deliver(t.Context(), &webhook.Delivery{Header: lower, Body: body}).Status)
}

func TestErrorsNameTheRemedy(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(n *notification)
		want   string
	}{
		{"certificate", func(n *notification) { n.serial = serial }, "GET /v3/certificates"},
		{"public key", func(n *notification) { n.serial = "PUB_KEY_ID_1" }, "API security"},
		{"clock", func(n *notification) { n.at = n.at.Add(time.Hour) }, "clock"},
		{"signature", func(n *notification) { n.key = strangerKey() }, "was the body changed"},
		{"headers", func(n *notification) { n.alter = func(h http.Header) { h.Del(apiv3.HeaderNonce) } }, "proxy"},
		{"key", func(n *notification) { n.apiv3Key = strings.Repeat("k", 32) }, "APIv3 key"},
		{"junk in the serial", func(n *notification) {
			n.serial = "PUB_KEY_ID_\r\nX-Injected: 1" + strings.Repeat("9", 500)
		}, "PUB_KEY_ID_X-Injected"},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := payment()
			test.change(&n)
			header, body := n.build()
			_, err := newHandler(t).Parse(t.Context(), header, body)
			require.ErrorContains(t, err, test.want)
			assert.True(t, strings.HasPrefix(err.Error(), "webhook: "), err)
			assert.NotContains(t, err.Error(), "\n")
			assert.Less(t, len(err.Error()), 400)
		})
	}
}

// keysFunc is a Keys made of a function.
type keysFunc func(ctx context.Context, serial string) (crypto.PublicKey, error)

func (f keysFunc) Key(ctx context.Context, serial string) (crypto.PublicKey, error) {
	return f(ctx, serial)
}

func TestKeysOfTheUser(t *testing.T) {
	var seen observed
	var asked []string
	broken := errors.New("the key store at 10.0.0.7 is down")
	failing := false
	m := merchant(t)
	m.Keys = keysFunc(func(ctx context.Context, serial string) (crypto.PublicKey, error) {
		asked = append(asked, serial)
		_, bounded := ctx.Deadline()
		assert.True(t, bounded)
		if failing {
			return nil, broken
		}
		return &platformKey().PublicKey, nil
	})
	h, err := webhook.New(m, seen.option())
	require.NoError(t, err)
	assert.Equal(t, 204, payment().send(accepting(h)).Code)
	assert.Equal(t, []string{publicKeyID}, asked)
	seen.take()

	failing = true
	w := payment().send(h)
	assertFail(t, 503, w)
	assert.NotContains(t, w.Body.String(), "10.0.0.7")
	o := seen.one(t)
	assert.Equal(t, "keys", o.Failure)
	require.ErrorIs(t, o.Err, broken)
}

func TestCertificateValidity(t *testing.T) {
	p := vectors.Load(t).Parameters
	expired := vectors.Certificate(t, "platform_expired")
	set := keySet(t, apiv3.CertificateKey(expired))
	n := payment()
	n.key, n.serial = vectors.Key(t, "platform_expired"), apiv3.Serial(expired)
	for _, test := range []struct {
		name string
		now  time.Time
		want error
	}{
		{"before", expired.NotBefore.Add(-time.Second), apiv3.ErrExpired},
		{"first second", expired.NotBefore, nil},
		{"last second", expired.NotAfter, nil},
		{"after", p.Now(), apiv3.ErrExpired},
	} {
		t.Run(test.name, func(t *testing.T) {
			h, err := webhook.New(webhook.Merchant{APIv3Key: apiv3Key, Keys: webhook.Static(set)},
				webhook.WithClock(func() time.Time { return test.now }))
			require.NoError(t, err)
			n.at = test.now
			header, body := n.build()
			_, err = h.Parse(t.Context(), header, body)
			require.ErrorIs(t, err, test.want)
		})
	}
}

func TestStaticKeysByThemselves(t *testing.T) {
	keys := webhook.Static(keySet(t))
	key, err := keys.Key(t.Context(), publicKeyID)
	require.NoError(t, err)
	assert.True(t, platformKey().PublicKey.Equal(key))
	_, err = keys.Key(t.Context(), serial)
	require.ErrorIs(t, err, apiv3.ErrUnknownSerial)
	_, err = webhook.Static(nil).Key(t.Context(), serial)
	require.ErrorIs(t, err, apiv3.ErrUnknownSerial)
}

// Junk costs no signature: 1,000 deliveries that a look at the headers refuses.
func TestJunkIsRefusedBeforeRSA(t *testing.T) {
	verified := new(atomic.Int64)
	m := merchant(t)
	m.Scheme = countingScheme{apiv3.RSA(), verified}
	h, err := webhook.New(m)
	require.NoError(t, err)
	stale, unknown, unsigned := payment(), payment(), payment()
	stale.at = stale.at.Add(-time.Hour)
	unknown.serial = "PUB_KEY_ID_0"
	unsigned.alter = func(h http.Header) { h.Del(apiv3.HeaderSignature) }
	for _, junk := range []notification{stale, unknown, unsigned} {
		header, _ := junk.build()
		for range 333 {
			body := new(untouched)
			r, err := http.NewRequest(http.MethodPost, "/notify", body)
			require.NoError(t, err)
			r.Header = header
			w := newRecorder()
			h.ServeHTTP(w, r)
			require.Equal(t, 401, w.Code)
			require.Zero(t, body.reads, "the body was read")
		}
	}
	assert.Zero(t, verified.Load())
}

func TestDecodeErrorsHoldNoValue(t *testing.T) {
	h := newHandler(t)
	for _, test := range []struct {
		name, resource string
		target         any
		want           string
	}{
		{"wrong type", `{"amount":{"total":987654321}}`, new(map[string]map[string]int8), "is a JSON number, which does not fit int8"},
		{"not JSON", `{"secret987654321`, new(map[string]any), "not JSON"},
		{"no pointer", `{}`, 1, "not a pointer"},
		{"refusing target", `"987654321"`, new(refusing), "the target's own unmarshaling failed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			header, body := event("X.Y", "x", test.resource).build()
			e, err := h.Parse(t.Context(), header, body)
			require.NoError(t, err)
			err = e.Decode(test.target)
			require.ErrorContains(t, err, test.want)
			for _, verb := range []string{"%v", "%+v", "%#v", "%q"} {
				assert.NotContains(t, fmt.Sprintf(verb, err), "987654321")
			}
			require.Error(t, errors.Unwrap(err))
		})
	}
}

type refusing struct{}

func (*refusing) UnmarshalJSON(text []byte) error { return fmt.Errorf("bad value %s", text) }

// The words of a user keep no payment away, whatever their bytes, and every reader reads the same.
func TestBytesThatAreNotUTF8(t *testing.T) {
	n := payment()
	n.resource = strings.Replace(paid, `"attach":""`, "\"attach\":\"a\xe5\xbc\\ud83d\"", 1)
	n.alterBody = func(s string) string {
		return strings.Replace(s, `"summary":"支付成功"`, "\"summary\":\"\xe5\"", 1)
	}
	header, body := n.build()
	e, err := newHandler(t).Parse(t.Context(), header, body)
	require.NoError(t, err)
	assert.Equal(t, n.resource, string(e.Resource()))
	assert.Equal(t, string(body), string(e.Raw()))
	assert.Equal(t, "\ufffd", e.Summary)
	assert.Equal(t, "a\ufffd\ufffd\ufffd", e.Get("attach").String())
	var decoded struct{ Attach string }
	require.NoError(t, e.Decode(&decoded))
	assert.Equal(t, "a\ufffd\ufffd\ufffd", decoded.Attach)
}
