package keylist_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/keylist"
	"github.com/wxpay-go/wxpay/middleware"
)

const (
	apiv3Key = "SECRETapiv3keySECRETapiv3key0123"
	publicID = "PUB_KEY_ID_0119000001092099010100000000000001"
)

// testKeys are two keys of the platform and a short one.
var testKeys = sync.OnceValue(func() (keys struct{ first, second, short *rsa.PrivateKey }) {
	for bits, key := range map[int][]**rsa.PrivateKey{2048: {&keys.first, &keys.second}, 1024: {&keys.short}} {
		for _, to := range key {
			made, err := rsa.GenerateKey(rand.Reader, bits)
			if err != nil {
				panic(err)
			}
			*to = made
		}
	}
	return keys
})

// entry is a certificate of a list.
type entry struct {
	key         *rsa.PrivateKey
	serial      int64
	from, until time.Duration // from now
	edit        func(map[string]any)
}

func serialOf(n int64) string {
	return fmt.Sprintf("%040X", new(big.Int).Add(new(big.Int).Lsh(big.NewInt(0x5B), 152), big.NewInt(n)))
}

// platform answers reads of the list.
type platform struct {
	t       testing.TB
	signer  entry
	entries []entry
	behind  time.Duration // of its clock
	fails   error         // in place of a response
	delay   time.Duration
	panics  any

	mu    sync.Mutex
	reads int
	until context.Context // of the last read
}

// body returns the list, encrypted with apiv3Key.
func (p *platform) body() []byte {
	var data []any
	for _, e := range p.entries {
		number, ok := new(big.Int).SetString(serialOf(e.serial), 16)
		require.True(p.t, ok)
		template := &x509.Certificate{
			SerialNumber: number, Subject: pkix.Name{CommonName: "Tenpay.com sign"},
			NotBefore: time.Now().Add(e.from), NotAfter: time.Now().Add(e.until),
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, &e.key.PublicKey, e.key)
		require.NoError(p.t, err)
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		sealed, err := apiv3.SealAESGCM([]byte(apiv3Key), []byte("123456789012"), []byte("certificate"), text)
		require.NoError(p.t, err)
		item := map[string]any{"serial_no": serialOf(e.serial), "encrypt_certificate": map[string]any{
			"algorithm": "AEAD_AES_256_GCM", "nonce": "123456789012", "associated_data": "certificate",
			"ciphertext": base64.StdEncoding.EncodeToString(sealed),
		}}
		if e.edit != nil {
			e.edit(item)
		}
		data = append(data, item)
	}
	body, err := json.Marshal(map[string]any{"data": data})
	require.NoError(p.t, err)
	return body
}

// RoundTrip answers with the signed list.
func (p *platform) RoundTrip(req *http.Request) (*http.Response, error) {
	p.mu.Lock()
	p.reads++
	p.until = req.Context()
	fails, panics, delay := p.fails, p.panics, p.delay
	p.mu.Unlock()
	select {
	case <-time.After(delay):
	case <-req.Context().Done():
		return nil, context.Cause(req.Context())
	}
	switch {
	case panics != nil:
		panic(panics)
	case fails != nil:
		return nil, fails
	}
	body := p.body()
	s := apiv3.Signature{
		Serial: serialOf(p.signer.serial), Timestamp: strconv.FormatInt(time.Now().Add(-p.behind).Unix(), 10), Nonce: "nonce",
	}
	raw, err := apiv3.RSA().Sign(p.signer.key, apiv3.AppendResponseMessage(nil, s.Timestamp, s.Nonce, body))
	require.NoError(p.t, err)
	return &http.Response{
		StatusCode: http.StatusOK, Request: req, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		Header: http.Header{
			apiv3.HeaderSerial: {s.Serial}, apiv3.HeaderTimestamp: {s.Timestamp}, apiv3.HeaderNonce: {s.Nonce},
			apiv3.HeaderSignature: {base64.StdEncoding.EncodeToString(raw)},
		},
	}, nil
}

func (p *platform) set(change func(*platform)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

func (p *platform) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reads
}

// failure is the error that callers get.
type failure struct {
	cause error
	next  time.Time
}

func (f *failure) Error() string { return f.cause.Error() }
func (f *failure) Unwrap() error { return f.cause }

// panicked is the error of a panic.
type panicked struct{ value any }

func (p *panicked) Error() string { return fmt.Sprintf("panicked with %v", p.value) }

// source returns the source that reads p's list, verified as a client verifies it.
func (p *platform) source(edits ...func(*keylist.Source)) keylist.Source {
	source := keylist.Source{
		Settings: keylist.Settings{Interval: 6 * time.Hour},
		MchID:    "1900000109", Key: func() string { return apiv3Key }, Scheme: apiv3.RSA(),
		Reader: func(keys middleware.Keys) keylist.Read {
			verified := middleware.Verify(&middleware.VerifyConfig{Scheme: apiv3.RSA(), Keys: keys, Clock: time.Now, MaxResponse: 1 << 20})(p)
			return func(ctx context.Context) (http.Header, []byte, error) {
				call := middleware.Call{Method: http.MethodGet, Template: "/v3/certificates"}
				req, err := http.NewRequestWithContext(middleware.WithCall(ctx, &call), call.Method, "https://api.mch.weixin.qq.com/v3/certificates", nil)
				require.NoError(p.t, err)
				res, err := verified.RoundTrip(req)
				if err != nil {
					return nil, nil, p.explain(err)
				}
				body, _, err := middleware.ReadBody(res)
				return res.Header, body, err
			}
		},
		Failed:   func(cause error, next time.Time) error { return &failure{cause, next} },
		Panicked: func(value any) error { return &panicked{value} },
	}
	for _, edit := range edits {
		edit(&source)
	}
	return source
}

// explain is err, or that there is no list where the platform said so.
func (p *platform) explain(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if errors.Is(p.fails, keylist.ErrNone) {
		return p.fails
	}
	return err
}

// follow returns keys that follow p's list and hold fixed from the beginning.
func (p *platform) follow(share float64, fixed []apiv3.PlatformKey, edits ...func(*keylist.Source)) *keylist.Keys {
	set, err := apiv3.NewKeySet(fixed...)
	require.NoError(p.t, err)
	keys := keylist.New(set, time.Now, share)
	keys.Follow(p.source(edits...))
	return keys
}

func usual(t testing.TB) *platform {
	first := entry{testKeys().first, 1, -time.Hour, 1000 * time.Hour, nil}
	return &platform{t: t, signer: first, entries: []entry{first, {testKeys().second, 2, -time.Hour, 2000 * time.Hour, nil}}}
}

func logged(to io.Writer) func(*keylist.Source) {
	return func(s *keylist.Source) { s.Logger = slog.New(slog.NewJSONHandler(to, nil)) }
}
