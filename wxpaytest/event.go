package wxpaytest

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/webhook"
)

// Receiver returns the merchant that receives the notifications of this package, for webhook.New.
func Receiver(t testing.TB) webhook.Merchant {
	t.Helper()
	keys := keysOf(t)
	set, err := apiv3.NewKeySet(apiv3.PlatformKey{Serial: publicKeyID, Key: keys.platform.Public()})
	if err != nil {
		t.Fatalf("wxpaytest: %v", err)
	}
	return webhook.Merchant{
		ID: MchID, APIv3Key: apiv3Key, Keys: webhook.Static(set), PrivateKey: keys.merchant, Serial: merchantSerial,
	}
}

// Event returns an event as a function of [webhook.Handler.On] gets it: verified and decrypted.
// resource is its decrypted content, in the forms that [Answer] takes.
func Event(t testing.TB, eventType string, resource any) *webhook.Event {
	t.Helper()
	handler, err := webhook.New(Receiver(t))
	if err != nil {
		t.Fatalf("wxpaytest: %v", err)
	}
	header, body := notification(t, time.Now(), eventType, resource)
	event, err := handler.Parse(t.Context(), header, body)
	if err != nil {
		t.Fatalf("wxpaytest: the event %s: %v", eventType, err)
	}
	return event
}

// Notification returns the request that delivers an event to the handler of [Receiver], signed and
// encrypted. Each has an id of its own; deliver one request twice to test a repeated delivery (with
// the body restored).
func Notification(t testing.TB, eventType string, resource any) *http.Request {
	t.Helper()
	return NotificationAt(t, time.Now(), eventType, resource)
}

// NotificationAt is [Notification] signed at another time, for a handler with webhook.WithClock.
func NotificationAt(t testing.TB, at time.Time, eventType string, resource any) *http.Request {
	t.Helper()
	header, body := notification(t, at, eventType, resource)
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	r.Header = header
	return r
}

func notification(t testing.TB, at time.Time, eventType string, resource any) (http.Header, []byte) {
	t.Helper()
	original := "transaction"
	if known, ok := catalog.V3().Event(eventType); ok && len(known.OriginalTypes) > 0 {
		original = known.OriginalTypes[0]
	}
	nonce := rand.Text()[:12]
	sealed, err := apiv3.SealAESGCM([]byte(apiv3Key), []byte(nonce), []byte(original), bodyOf(resource))
	if err != nil {
		t.Fatalf("wxpaytest: %v", err)
	}
	body, err := json.Marshal(map[string]any{
		"id": "EV-" + rand.Text(), "create_time": at.Format(time.RFC3339), "resource_type": "encrypt-resource",
		"event_type": eventType, "summary": "wxpaytest", "resource": map[string]string{
			"original_type": original, "algorithm": apiv3.AlgorithmAESGCM, "nonce": nonce, "associated_data": original,
			"ciphertext": base64.StdEncoding.EncodeToString(sealed),
		},
	})
	if err != nil {
		t.Fatalf("wxpaytest: %v", err)
	}
	header := http.Header{"Content-Type": {"application/json"}, apiv3.HeaderRequestID: {rand.Text()}}
	sign(t, header, strconv.FormatInt(at.Unix(), 10), body)
	return header, body
}
