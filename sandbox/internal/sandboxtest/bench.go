// Package sandboxtest gives tests of the sandbox's packages a merchant: the parts that the façade
// assembles, over a clock that moves only when the test says so. Signatures are hashes, since RSA
// is slow; encryption is real.
package sandboxtest

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/journal"
	"github.com/wxpay-go/wxpay/sandbox/internal/keyring"
	"github.com/wxpay-go/wxpay/sandbox/internal/post"
	"github.com/wxpay-go/wxpay/sandbox/internal/trouble"
)

// MerchantID is the number of the merchant of every bench.
const MerchantID = "1900000109"

// Start is the time at which every bench begins. In Beijing it is 20:00.
var Start = time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)

// Bench is one merchant, whose notifications are all accepted. It is not safe for concurrent use.
type Bench struct {
	*gate.Merchant
	t testing.TB
}

// New returns a bench that a test opens flows on. When the test ends, a snapshot must be readable
// and lead to the same snapshot again. That does not show a field that no snapshot has: for that,
// call Reload between two responses.
func New(t testing.TB) *Bench {
	t.Helper()
	scheme := hashed{apiv3.RSA()}
	keys, err := keyring.New(MerchantID, scheme, keyring.PublicKeyOnly, Start)
	require.NoError(t, err)
	records, clock := book.New(func() time.Time { return Start })
	require.NoError(t, clock.Freeze())
	numbers, brand := book.OpenNumbers(records, 0), new(keyring.BrandRing)
	g := &gate.Gate{
		Book: records, Clock: clock, Numbers: numbers, Journal: journal.New(journal.Entries, journal.Bytes), Faults: trouble.Seed(0),
		Rules: gate.NewRules(), Office: post.Open(records, clock, numbers, brand, nil), Brand: brand, Scheme: scheme,
	}
	require.NoError(t, g.Rules.Set(false, []gate.Rule{gate.Rates}))
	g.Office.DeliverTo(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}))
	b := &Bench{Merchant: g.Enlist(keys), t: t}
	t.Cleanup(func() {
		g.Office.Idle()
		g.Office.Close()
		records.Close()
		if !t.Failed() {
			before := b.snapshot()
			b.Reload()
			require.JSONEq(t, string(before), string(b.snapshot()), "a snapshot changes the records")
		}
	})
	return b
}

// Meanwhile repeats do on a goroutine of its own, with rising numbers from 0, until the test calls
// stop. So the race detector sees what requests read while do changes it.
func Meanwhile(do func(i int)) (stop func()) {
	asked, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-asked:
				return
			default:
				do(i)
			}
		}
	}()
	return func() {
		close(asked)
		<-stopped
	}
}

// Pass moves the clock forward. All that is due by then happens, and all notifications are
// delivered.
func (b *Bench) Pass(d time.Duration) {
	b.t.Helper()
	require.NoError(b.t, b.Clock.Jump(d, b.Office.Idle))
}

func (b *Bench) snapshot() []byte {
	b.t.Helper()
	text, err := b.Clock.Snapshot()
	require.NoError(b.t, err)
	return text
}

// Reload empties all records and brings them back from a snapshot. Only what the records hold is
// left. It waits for deliveries first, whose results would be lost otherwise.
func (b *Bench) Reload() {
	b.t.Helper()
	b.Office.Idle()
	read, _, err := b.Clock.ReadSnapshot(b.snapshot())
	require.NoError(b.t, err)
	require.NoError(b.t, b.Clock.Reset(func() {}))
	require.NoError(b.t, b.Clock.Restore(read, func() {}))
}

// EncryptForPlatform encrypts a field of a request.
func (b *Bench) EncryptForPlatform(plain string) string {
	return keyring.Encrypt(b.Scheme, b.Keys.Platform().PublicKey.Public(), plain)
}

// Decrypt decrypts a field of a response or of a notification, which must be encrypted for the
// merchant.
func (b *Bench) Decrypt(field any) string {
	b.t.Helper()
	text, ok := field.(string)
	require.True(b.t, ok, "an encrypted field is a text, not %T", field)
	ciphertext, err := base64.StdEncoding.DecodeString(text)
	require.NoError(b.t, err)
	plain, err := b.Scheme.Decrypt(b.Keys.Merchant().PrivateKey, ciphertext)
	require.NoError(b.t, err)
	return string(plain)
}

// Notified returns the resources of the notifications of an event, the oldest first.
func (b *Bench) Notified(event string) (list []map[string]any) {
	b.t.Helper()
	b.Office.Idle()
	for _, d := range b.Office.Deliveries() {
		if d.Event != event {
			continue
		}
		require.Equal(b.t, post.Delivered, d.State, d.Reason)
		var body struct {
			Resource struct {
				Nonce          string `json:"nonce"`
				Ciphertext     string `json:"ciphertext"`
				AssociatedData string `json:"associated_data"`
			} `json:"resource"`
		}
		require.NoError(b.t, json.Unmarshal(d.Body, &body))
		ciphertext, err := base64.StdEncoding.DecodeString(body.Resource.Ciphertext)
		require.NoError(b.t, err)
		key := []byte(b.Keys.Merchant().APIv3Key)
		plain, err := apiv3.OpenAESGCM(key, []byte(body.Resource.Nonce), []byte(body.Resource.AssociatedData), ciphertext)
		require.NoError(b.t, err)
		var resource map[string]any
		require.NoError(b.t, json.Unmarshal(plain, &resource))
		list = append(list, resource)
	}
	return list
}
