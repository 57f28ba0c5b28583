package sandbox_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox"
	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// notice is a notification as a receiver takes it apart.
type notice struct {
	ID           string `json:"id"`
	CreateTime   string `json:"create_time"`
	ResourceType string `json:"resource_type"`
	EventType    string `json:"event_type"`
	Summary      string `json:"summary"`
	Resource     struct {
		OriginalType   string  `json:"original_type"`
		Algorithm      string  `json:"algorithm"`
		Ciphertext     string  `json:"ciphertext"`
		AssociatedData *string `json:"associated_data"`
		Nonce          string  `json:"nonce"`
	} `json:"resource"`
	body   []byte
	opened []byte
	failed error // of opening
}

// receive takes a notification apart, without looking at its signature.
func receive(t testing.TB, s *sandbox.Sandbox, r *http.Request) (n notice) {
	t.Helper()
	var err error
	n.body, err = io.ReadAll(r.Body)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(n.body, &n))
	ciphertext, err := base64.StdEncoding.DecodeString(n.Resource.Ciphertext)
	require.NoError(t, err)
	key := s.Merchant().APIv3Key
	if forBrand(n.EventType) {
		b, err := s.Brand()
		require.NoError(t, err)
		key = b.Key
	}
	n.opened, n.failed = apiv3.OpenAESGCM([]byte(key), []byte(n.Resource.Nonce), []byte(*n.Resource.AssociatedData), ciphertext)
	return n
}

// forBrand reports whether an event is sent to a brand.
func forBrand(eventType string) bool {
	event, _ := catalog.V3().Event(eventType)
	return event != nil && event.Scheme == fact.BrandScheme
}

// genuine checks the signature of a notification.
func genuine(t testing.TB, s *sandbox.Sandbox, header http.Header, body []byte) error {
	t.Helper()
	signature, err := apiv3.ReadSignature(header)
	if err != nil {
		return err
	}
	var told struct {
		Event string `json:"event_type"`
	}
	require.NoError(t, json.Unmarshal(body, &told))
	platform, scheme := apiv3.PlatformKey{Serial: s.Keys.PublicKeyID(), Key: s.Keys.PublicKey()}, apiv3.RSA()
	if forBrand(told.Event) {
		b, err := s.Brand()
		require.NoError(t, err)
		platform, scheme = apiv3.PlatformKey{Serial: b.PublicKeyID, Key: b.PublicKey}, apiv3.Brand()
	}
	keys, err := apiv3.NewKeySet(platform)
	require.NoError(t, err)
	key, err := keys.Find(signature.Serial, time.Now())
	if err != nil {
		return err
	}
	if err := signature.CheckWindow(time.Now()); err != nil {
		return err
	}
	return signature.Verify(scheme, key.Key, body)
}

func TestNotify(t *testing.T) {
	s := newSandbox(t)
	r, err := s.Deliveries.Notify("TRANSACTION.SUCCESS", map[string]any{"out_trade_no": "A<B", "amount": map[string]any{"total": 1}})
	require.NoError(t, err)
	assert.Equal(t, "POST", r.Method)
	assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
	assert.Regexp(t, `^[0-9A-F]{32}-0$`, r.Header.Get("Request-ID"))
	n := receive(t, s, r)
	assert.EqualValues(t, len(n.body), r.ContentLength)
	require.NoError(t, genuine(t, s, r.Header, n.body))
	assert.Equal(t, s.Keys.PublicKeyID(), r.Header.Get("Wechatpay-Serial"))
	assert.Equal(t, "WECHATPAY2-SHA256-RSA2048", r.Header.Get("Wechatpay-Signature-Type"))
	require.NoError(t, n.failed)
	assert.JSONEq(t, `{"out_trade_no":"A<B","amount":{"total":1}}`, string(n.opened))
	assert.Regexp(t, `^[0-9a-f-]{36}$`, n.ID)
	created, err := time.Parse(time.RFC3339, n.CreateTime)
	require.NoError(t, err)
	assert.WithinDuration(t, time.Now(), created, time.Minute)
	assert.Equal(t, []string{"encrypt-resource", "TRANSACTION.SUCCESS", "支付成功"}, []string{n.ResourceType, n.EventType, n.Summary})
	assert.Equal(t, []string{"transaction", "AEAD_AES_256_GCM", "transaction"},
		[]string{n.Resource.OriginalType, n.Resource.Algorithm, *n.Resource.AssociatedData})
	assert.Len(t, n.Resource.Nonce, 12)

	again, err := r.GetBody()
	require.NoError(t, err)
	body, err := io.ReadAll(again)
	require.NoError(t, err)
	assert.Equal(t, n.body, body)
}

func TestNotifyResources(t *testing.T) {
	s := newSandbox(t)
	for name, test := range map[string]struct {
		event    string
		resource any
		want     string
		original string
	}{
		"bytes":              {"TRANSACTION.SUCCESS", []byte(`{"a": 1}`), `{"a": 1}`, "transaction"},
		"raw":                {"TRANSACTION.SUCCESS", json.RawMessage(`{ }`), `{ }`, "transaction"},
		"text, not JSON":     {"TRANSACTION.SUCCESS", "no JSON", "no JSON", "transaction"},
		"struct":             {"REFUND.CLOSED", struct{ A int }{1}, `{"A":1}`, "refund"},
		"named original":     {"TRANSACTION.SUCCESS/profitsharing", "{}", "{}", "profitsharing"},
		"unknown event":      {"NEWS.TODAY", map[string]int{"a": 12345678901234567}, `{"a":12345678901234567}`, ""},
		"unknown, of a kind": {"NEWS.TODAY/news", "{}", "{}", "news"},
	} {
		r, err := s.Deliveries.Notify(test.event, test.resource)
		require.NoError(t, err, name)
		n := receive(t, s, r)
		require.NoError(t, n.failed, name)
		assert.Equal(t, test.want, string(n.opened), name)
		assert.Equal(t, test.original, n.Resource.OriginalType, name)
	}
	for want, call := range map[string]func() (*http.Request, error){
		`sandbox: "" is not an event type, with or without /original_type`: func() (*http.Request,
			error) {
			return s.Deliveries.Notify("", "{}")
		},
		`sandbox: "A/" is not an event type, with or without /original_type`: func() (*http.Request,
			error) {
			return s.Deliveries.Notify("A/", "{}")
		},
		"sandbox: A: the catalogue does not know the event, so it has no sample; give a resource": func() (*http.Request,
			error) {
			return s.Deliveries.Notify("A", nil)
		},
		"sandbox: A: the resource is not a JSON object": func() (*http.Request,
			error) {
			return s.Deliveries.Notify("A", []int{1})
		},
		"sandbox: A: json: unsupported type: chan int": func() (*http.Request,
			error) {
			return s.Deliveries.Notify("A", make(chan int))
		},
		`sandbox: a notification cannot have the fault "refuse"; there are duplicate-headers, empty-associated-data, missing-headers, probe, ` +
			`stale-timestamp, unknown-serial, wrong-apiv3-key, wrong-signature`: func() (*http.Request, error) {
			return s.Deliveries.Notify("A", "{}", fault.Probe, fault.Refuse)
		},
	} {
		_, err := call()
		assert.EqualError(t, err, want)
	}
}

// TestNotifySamples makes a sample of every event that is documented.
func TestNotifySamples(t *testing.T) {
	s := newSandbox(t)
	events := slices.Collect(catalog.V3().Events())
	require.NotEmpty(t, events)
	sealed := 0
	for _, event := range events {
		r, err := s.Deliveries.Notify(event.Type, nil)
		require.NoError(t, err, event.Type)
		n := receive(t, s, r)
		require.NoError(t, n.failed, event.Type)
		require.NoError(t, genuine(t, s, r.Header, n.body))
		assert.Equal(t, event.Type, n.EventType)
		var resource map[string]any
		require.NoError(t, json.Unmarshal(n.opened, &resource), event.Type)
		if len(event.Variants) == 0 {
			for _, field := range event.Resource {
				if _, sent := resource[field.Name]; field.Required && !sent {
					assert.Fail(t, "a required member is missing", "%s: %s", event.Type, field.Name)
				}
			}
		}
		for _, field := range event.Resource {
			if value, ok := resource[field.Name].(string); ok && field.Cipher != "" {
				ciphertext, err := base64.StdEncoding.DecodeString(value)
				require.NoError(t, err)
				private := s.Merchant().PrivateKey
				if forBrand(event.Type) {
					b, err := s.Brand()
					require.NoError(t, err)
					private = b.PrivateKey
				}
				_, err = apiv3.RSA().Decrypt(private, ciphertext)
				assert.NoError(t, err, "%s: %s is encrypted to whom it is for", event.Type, field.Name)
				sealed++
			}
		}
	}
	assert.Positive(t, sealed)
}

func TestNotifyFaults(t *testing.T) {
	s := newSandbox(t)
	for kind, test := range map[fault.Kind]struct {
		signature error // nil for a good one
		opens     bool
	}{
		fault.WrongSignature:      {apiv3.ErrSignature, true},
		fault.UnknownSerial:       {apiv3.ErrUnknownSerial, true},
		fault.StaleTimestamp:      {apiv3.ErrClock, true},
		fault.Probe:               {apiv3.ErrSignature, true},
		fault.MissingHeaders:      {apiv3.ErrUnsigned, true},
		fault.DuplicateHeaders:    {apiv3.ErrSignatureHeader, true},
		fault.WrongAPIv3Key:       {nil, false},
		fault.EmptyAssociatedData: {nil, true},
	} {
		r, err := s.Deliveries.Notify("REFUND.SUCCESS", "{}", kind)
		require.NoError(t, err)
		n := receive(t, s, r)
		if err := genuine(t, s, r.Header, n.body); test.signature != nil {
			assert.ErrorIs(t, err, test.signature, kind)
		} else {
			assert.NoError(t, err, kind)
		}
		assert.Equal(t, test.opens, n.failed == nil, kind)
		assert.Equal(t, kind == fault.EmptyAssociatedData, *n.Resource.AssociatedData == "", kind)
	}
	r, err := s.Deliveries.Notify("REFUND.SUCCESS", "{}", fault.StaleTimestamp, fault.WrongAPIv3Key)
	require.NoError(t, err)
	n := receive(t, s, r)
	assert.ErrorIs(t, genuine(t, s, r.Header, n.body), apiv3.ErrClock)
	assert.Error(t, n.failed, "both faults are there")
}

// TestNotifySigner: the key that signs follows the merchant's change-over.
func TestNotifySigner(t *testing.T) {
	s := newSandbox(t)
	require.NoError(t, s.Keys.SetMode(sandbox.CertificatesOnly))
	r, err := s.Deliveries.Notify("REFUND.SUCCESS", "{}")
	require.NoError(t, err)
	assert.Equal(t, apiv3.Serial(s.Keys.Certificates()[0]), r.Header.Get("Wechatpay-Serial"))
}

func TestSample(t *testing.T) {
	s := newSandbox(t)
	for _, event := range []string{"TRANSACTION.SUCCESS", "REFUND.CLOSED", "COMPLAINT.CREATE"} {
		sample, err := s.Deliveries.Sample(event)
		require.NoError(t, err)
		sample["mchid"] = "1900000110"
		r, err := s.Deliveries.Notify(event, sample)
		require.NoError(t, err)
		n := receive(t, s, r)
		require.NoError(t, n.failed)
		assert.Contains(t, string(n.opened), `"mchid":"1900000110"`)
	}
	refund, err := s.Deliveries.Sample("REFUND.CLOSED")
	require.NoError(t, err)
	assert.Equal(t, "CLOSED", refund["refund_status"])
	assert.Equal(t, json.Number("100"), refund["amount"].(map[string]any)["refund"])
	_, err = s.Deliveries.Sample("NEWS.TODAY")
	assert.EqualError(t, err, `sandbox: the catalogue does not know the event "NEWS.TODAY", so it has no sample`)
}
