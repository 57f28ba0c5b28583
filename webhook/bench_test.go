package webhook_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/webhook"
)

// floor is what one writes by hand with net/http and crypto: verify and decrypt one notification, without a check that
// could be left out.
type floor struct {
	keys map[string]*rsa.PublicKey
	key  []byte
}

type floorEvent struct {
	ID         string `json:"id"`
	CreateTime string `json:"create_time"`
	Type       string `json:"event_type"`
	Summary    string `json:"summary"`
	Resource   struct {
		OriginalType   string `json:"original_type"`
		Algorithm      string `json:"algorithm"`
		Ciphertext     string `json:"ciphertext"`
		AssociatedData string `json:"associated_data"`
		Nonce          string `json:"nonce"`
	} `json:"resource"`
	plaintext []byte
}

func (f *floor) parse(header http.Header, body []byte) (*floorEvent, error) {
	timestamp, nonce := header.Get("Wechatpay-Timestamp"), header.Get("Wechatpay-Nonce")
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return nil, err
	}
	if skew := time.Since(time.Unix(seconds, 0)); skew > 5*time.Minute || skew < -5*time.Minute {
		return nil, errors.New("stale")
	}
	key, ok := f.keys[header.Get("Wechatpay-Serial")]
	if !ok {
		return nil, errors.New("unknown key")
	}
	signature, err := base64.StdEncoding.DecodeString(header.Get("Wechatpay-Signature"))
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256([]byte(timestamp + "\n" + nonce + "\n" + string(body) + "\n"))
	if err := rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature); err != nil {
		return nil, err
	}
	e := new(floorEvent)
	if err := json.Unmarshal(body, e); err != nil {
		return nil, err
	}
	ciphertext, err := base64.StdEncoding.DecodeString(e.Resource.Ciphertext)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(f.key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	e.plaintext, err = gcm.Open(nil, []byte(e.Resource.Nonce), ciphertext, []byte(e.Resource.AssociatedData))
	return e, err
}

func (f *floor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err == nil {
		_, err = f.parse(r.Header, body)
	}
	if err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func newFloor() *floor {
	return &floor{keys: map[string]*rsa.PublicKey{publicKeyID: &platformKey().PublicKey}, key: []byte(apiv3Key)}
}

// Exact, up and down: who changes a figure says so here. Another Go may need a few more or less.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates too")
	}
	header, body := payment().build()
	h, f := newHandler(t), newFloor()
	deliver := again(t, header, body)
	deduped := newHandler(t, webhook.WithDeduper(forgetful{}))
	deduped.OnDefault(func(context.Context, *webhook.Event) error { return nil })
	byHand := testing.AllocsPerRun(50, func() {
		if _, err := f.parse(header, body); err != nil {
			t.Fatal(err)
		}
	})
	for _, tt := range []struct {
		name   string
		allocs float64
		run    func()
	}{
		{"Parse", 12, func() {
			if _, err := h.Parse(t.Context(), header, body); err != nil {
				t.Fatal(err)
			}
		}},
		{"a handler with a deduper", 42, func() {
			if status := deliver(deduped); status != http.StatusNoContent {
				t.Fatal(status)
			}
		}},
	} {
		allocs := math.Inf(1)
		for range 3 {
			allocs = min(allocs, testing.AllocsPerRun(50, tt.run))
		}
		t.Logf("%s: %.0f allocations, Parse by hand %.0f", tt.name, allocs, byHand)
		if strings.HasPrefix(runtime.Version(), "go1.26") {
			assert.Equal(t, tt.allocs, allocs, tt.name)
		} else {
			assert.InDelta(t, tt.allocs, allocs, 1+tt.allocs/4, tt.name)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	header, body := payment().build()
	b.Run("webhook", func(b *testing.B) {
		h := newHandler(b)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := h.Parse(context.Background(), header, body); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("floor", func(b *testing.B) {
		f := newFloor()
		b.ReportAllocs()
		for b.Loop() {
			if _, err := f.parse(header, body); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// forgetful lets every delivery through, so that the same one can be measured again.
type forgetful struct{}

func (forgetful) Claim(context.Context, string, string) (webhook.State, error) {
	return webhook.Claimed, nil
}
func (forgetful) Done(context.Context, string, string) error    { return nil }
func (forgetful) Release(context.Context, string, string) error { return nil }

// remembering is the built-in store under keys that never repeat.
type remembering struct {
	*webhook.Memory
	n atomic.Int64
}

func (m *remembering) Claim(ctx context.Context, key, owner string) (webhook.State, error) {
	return m.Memory.Claim(ctx, key+strconv.FormatInt(m.n.Add(1), 10), owner)
}

// discard is a ResponseWriter that keeps the status alone.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }

// again returns a function that delivers the same notification with the same memory.
func again(tb testing.TB, header http.Header, body []byte) func(http.Handler) (status int) {
	tb.Helper()
	reader := bytes.NewReader(body)
	r, err := http.NewRequest(http.MethodPost, "/notify", io.NopCloser(reader))
	require.NoError(tb, err)
	r.Header, r.ContentLength = header, int64(len(body))
	source, w := r.Body, &discard{header: make(http.Header)}
	return func(h http.Handler) int {
		reader.Reset(body)
		r.Body = source
		h.ServeHTTP(w, r)
		return w.status
	}
}

// BenchmarkHandler measures whole deliveries on all cores.
func BenchmarkHandler(b *testing.B) {
	header, body := payment().build()
	stale := payment()
	stale.at = stale.at.Add(-time.Hour)
	staleHeader, _ := stale.build()
	serve := func(b *testing.B, h http.Handler, header http.Header, status int) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			deliver := again(b, header, body)
			for pb.Next() {
				if got := deliver(h); got != status {
					b.Errorf("status %d", got)
					return
				}
			}
		})
	}
	handled := func(h *webhook.Handler) *webhook.Handler {
		h.OnDefault(func(context.Context, *webhook.Event) error { return nil })
		return h
	}
	b.Run("webhook", func(b *testing.B) {
		serve(b, handled(newHandler(b, webhook.WithDeduper(forgetful{}))), header, http.StatusNoContent)
	})
	b.Run("webhook-memory", func(b *testing.B) {
		store := &remembering{Memory: webhook.NewMemory(0, 0)}
		serve(b, handled(newHandler(b, webhook.WithDeduper(store))), header, http.StatusNoContent)
	})
	b.Run("floor", func(b *testing.B) { serve(b, newFloor(), header, http.StatusNoContent) })
	b.Run("junk", func(b *testing.B) { serve(b, handled(newHandler(b)), staleHeader, http.StatusUnauthorized) })
}
