package webhook_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/webhook"
)

const (
	apiv3Key    = "TestOnlyAPIv3Key0123456789abcdef"
	publicKeyID = "PUB_KEY_ID_0119000001092025010100000000000001"
	mchID       = "1900000109"
	serial      = "5A3C9E0B7D1F4826A0B1C2D3E4F5061728394A5B"
)

// platformKey signs notifications, merchantKey belongs to the merchant. Both are made once for all tests.
var (
	platformKey = sync.OnceValue(newKey)
	merchantKey = sync.OnceValue(newKey)
	strangerKey = sync.OnceValue(newKey)
)

func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

func keySet(t testing.TB, keys ...apiv3.PlatformKey) *apiv3.KeySet {
	t.Helper()
	if len(keys) == 0 {
		keys = append(keys, apiv3.PlatformKey{Serial: publicKeyID, Key: &platformKey().PublicKey})
	}
	set, err := apiv3.NewKeySet(keys...)
	require.NoError(t, err)
	return set
}

func merchant(t testing.TB) webhook.Merchant {
	t.Helper()
	return webhook.Merchant{ID: mchID, APIv3Key: apiv3Key, Keys: webhook.Static(keySet(t))}
}

func newHandler(t testing.TB, options ...webhook.Option) *webhook.Handler {
	t.Helper()
	h, err := webhook.New(merchant(t), options...)
	require.NoError(t, err)
	return h
}

// accepting has h take every event.
func accepting(h *webhook.Handler) *webhook.Handler {
	h.OnDefault(func(context.Context, *webhook.Event) error { return nil })
	return h
}

// A notification is what the platform would send, with everything that can be wrong about it.
type notification struct {
	id, eventType, originalType string
	resource                    string // plain text
	created                     string
	algorithm, nonce, aad       string
	noAAD                       bool

	key        *rsa.PrivateKey
	apiv3Key   string
	serial     string
	at         time.Time
	signNonce  string
	alterBody  func(string) string // before signing
	alter      func(http.Header)   // after signing
	tamper     func([]byte) []byte // after signing
	envelope   string              // instead of the one made of the above
	rawMembers map[string]any      // further members of the envelope
}

var notificationIDs atomic.Int64

const paid = `{"mchid":"1900000109","appid":"wx0123456789abcdef","out_trade_no":"ORDER1","transaction_id":"4200000000202501010000000001",` +
	`"trade_type":"JSAPI","trade_state":"SUCCESS","trade_state_desc":"支付成功","bank_type":"OTHERS","attach":"",` +
	`"success_time":"2025-01-01T08:00:00+08:00","payer":{"openid":"oTestOpenid0000000000000001"},` +
	`"amount":{"total":100,"payer_total":100,"currency":"CNY","payer_currency":"CNY"}}`

// payment is a payment notification that nothing is wrong with. Each has an id and a transaction of its own.
func payment() notification {
	n := notificationIDs.Add(1)
	return notification{
		id: "EV-" + strconv.FormatInt(n, 10), eventType: "TRANSACTION.SUCCESS", originalType: "transaction",
		resource: string(bytes.Replace([]byte(paid), []byte("0000000001\",\"trade_type"), []byte(strconv.FormatInt(1e9+n, 10)+"\",\"trade_type"), 1)),
		created:  "2025-01-01T08:00:00+08:00", algorithm: apiv3.AlgorithmAESGCM, nonce: "gZiqzlfayUu2", aad: "transaction",
		key: platformKey(), apiv3Key: apiv3Key, serial: publicKeyID, at: time.Now(), signNonce: "EcMhJxZqRkTvWbYd0123456789abcdef",
	}
}

// event is a notification of another kind; its id is its own.
func event(eventType, originalType, resource string) notification {
	n := payment()
	n.eventType, n.originalType, n.aad, n.resource = eventType, originalType, originalType, resource
	return n
}

func (n notification) body() []byte {
	if n.envelope != "" {
		return []byte(n.envelope)
	}
	resource := map[string]any{"algorithm": n.algorithm, "nonce": n.nonce, "associated_data": n.aad}
	if n.noAAD {
		delete(resource, "associated_data")
	}
	if n.originalType != "" {
		resource["original_type"] = n.originalType
	}
	sealed, err := apiv3.SealAESGCM([]byte(n.apiv3Key), []byte(n.nonce), []byte(n.aad), []byte(n.resource))
	if err != nil { // an empty nonce, which no cipher takes
		sealed = []byte("sixteen bytes or more")
	}
	resource["ciphertext"] = base64.StdEncoding.EncodeToString(sealed)
	envelope := map[string]any{
		"id": n.id, "create_time": n.created, "resource_type": "encrypt-resource", "event_type": n.eventType,
		"summary": "支付成功", "resource": resource,
	}
	maps.Copy(envelope, n.rawMembers)
	body, err := json.Marshal(envelope)
	if err != nil {
		panic(err)
	}
	if n.alterBody != nil {
		body = []byte(n.alterBody(string(body)))
	}
	return body
}

// build returns headers and body as they arrive.
func (n notification) build() (http.Header, []byte) {
	body := n.body()
	timestamp := strconv.FormatInt(n.at.Unix(), 10)
	signature, err := apiv3.RSA().Sign(n.key, apiv3.AppendResponseMessage(nil, timestamp, n.signNonce, body))
	if err != nil {
		panic(err)
	}
	header := http.Header{
		"Wechatpay-Timestamp": {timestamp}, "Wechatpay-Nonce": {n.signNonce}, "Wechatpay-Serial": {n.serial},
		"Wechatpay-Signature":      {base64.StdEncoding.EncodeToString(signature)},
		"Wechatpay-Signature-Type": {apiv3.RSA().SignatureType()},
		"Content-Type":             {"application/json"}, "Request-Id": {"08C0DECAFE-0"},
	}
	if n.alter != nil {
		n.alter(header)
	}
	if n.tamper != nil {
		body = n.tamper(body)
	}
	return header, body
}

func (n notification) request() *http.Request {
	header, body := n.build()
	r := httptest.NewRequest(http.MethodPost, "/notify", bytes.NewReader(body))
	r.Header = header
	return r
}

// send delivers the notification and returns the response.
func (n notification) send(h http.Handler) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, n.request())
	return w
}

// assertFail checks that a response has the form of a rejection.
func assertFail(t testing.TB, status int, w *httptest.ResponseRecorder) {
	t.Helper()
	assert.Equal(t, status, w.Code)
	assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
	var body map[string]string
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body), "the body is %q", w.Body)
	assert.Equal(t, "FAIL", body["code"])
	assert.NotEmpty(t, body["message"])
	assert.Len(t, body, 2)
}

// countingScheme counts verifications, the expensive part.
type countingScheme struct {
	apiv3.Scheme
	verified *atomic.Int64
}

func (s countingScheme) Verify(key crypto.PublicKey, message, signature []byte) error {
	s.verified.Add(1)
	return s.Scheme.Verify(key, message, signature)
}

// observed collects observations.
type observed struct {
	mu  sync.Mutex
	all []webhook.Observation
}

func (o *observed) option() webhook.Option {
	return webhook.WithObserver(func(_ context.Context, seen webhook.Observation) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.all = append(o.all, seen)
	})
}

// take returns what was observed since the last call.
func (o *observed) take() []webhook.Observation {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := o.all
	o.all = nil
	return all
}

func (o *observed) one(t testing.TB) webhook.Observation {
	t.Helper()
	all := o.take()
	require.Len(t, all, 1)
	return all[0]
}

// sealedPhone is a telephone number encrypted for the merchant.
func sealedPhone() string {
	sealed, err := apiv3.RSA().Encrypt(&merchantKey().PublicKey, []byte("13800138000"))
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(sealed)
}
