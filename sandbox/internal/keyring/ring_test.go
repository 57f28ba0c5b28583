package keyring_test

import (
	"crypto/x509"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/sparekey"
	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/keyring"
)

// made returns the names of the keys that the process has made, sorted.
func made() []string { return slices.Sorted(maps.Keys(sparekey.Made())) }

const merchantID = "1900000109"

var start = time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)

// Names of the keys that a ring needs.
const (
	ofMerchant = "merchant " + merchantID
	publicKey  = "public key"
	older      = "first platform certificate 0"
	newer      = "first platform certificate 1"
)

func newRing(t testing.TB, mode keyring.Mode) *keyring.Ring {
	t.Helper()
	r, err := keyring.New(merchantID, apiv3.RSA(), mode, start)
	require.NoError(t, err)
	records, clock := book.New(func() time.Time { return start })
	r.Open(records, clock)
	records.Close()
	return r
}

// A mode costs its own keys, and no others before somebody asks for them.
func TestKeysAreMadeWhenNeeded(t *testing.T) {
	sparekey.Forget()
	r := newRing(t, keyring.PublicKeyOnly)
	assert.Equal(t, []string{ofMerchant, publicKey}, made())
	assert.NotNil(t, r.Platform().PublicKey)
	assert.Empty(t, r.Platform().Certificates)
	require.NoError(t, r.SetMode(keyring.CertificatesOnly))
	assert.Equal(t, []string{ofMerchant, publicKey}, made(), "nothing was signed with a certificate")
	first := r.Platform().Issued()
	require.Len(t, first, 2)
	assert.Equal(t, []string{older, newer, ofMerchant, publicKey}, made())

	r = newRing(t, keyring.CertificatesOnly)
	assert.Nil(t, r.Platform().PublicKey)
	for i, c := range r.Platform().Issued() {
		assert.Equal(t, apiv3.Serial(first[i]), apiv3.Serial(c), "a process has one serial for each first certificate")
		assert.Equal(t, first[i].PublicKey, c.PublicKey, "and one key")
	}
	assert.Len(t, made(), 4)
	require.NoError(t, r.SetMode(keyring.BothKeys))
	assert.NotNil(t, r.Platform().PublicKey)

	sparekey.Forget()
	r = newRing(t, keyring.BothKeys)
	assert.Equal(t, []string{ofMerchant, publicKey}, made())
	header := make(http.Header)
	r.Platform().Sign(header, r.Signer(r.Platform(), ""), start, nil)
	assert.Equal(t, []string{older, ofMerchant, publicKey}, made(), "a response to a request that names no key")
	assert.Equal(t, r.Platform().Certificates[0].Serial, header.Get(apiv3.HeaderSerial))
	require.NoError(t, r.Generate())
	assert.Len(t, made(), 4)
}

// What is known of a certificate before it is issued is what it says then, to whoever looks at it first.
func TestCertificatesSayWhatWasPromised(t *testing.T) {
	r := newRing(t, keyring.BothKeys)
	p := r.Platform()
	var looking sync.WaitGroup
	seen := make([][]*x509.Certificate, 4)
	for i := range seen {
		looking.Add(1)
		go func() {
			defer looking.Done()
			seen[i] = p.Issued()
		}()
	}
	looking.Wait()
	for i, c := range p.Certificates {
		for _, issued := range seen {
			assert.Same(t, seen[0][i], issued[i])
		}
		assert.Equal(t, c.Serial, apiv3.Serial(seen[0][i]))
		assert.Equal(t, c.NotBefore, seen[0][i].NotBefore)
		assert.Equal(t, c.NotAfter, seen[0][i].NotAfter)
		assert.Equal(t, p.Keys[c.Serial].Private().Public(), seen[0][i].PublicKey)
	}
}

// What needs certificates makes them in a mode without.
func TestCertificatesAreMadeWhenNeeded(t *testing.T) {
	serial := newRing(t, keyring.CertificatesOnly).Platform().Certificates[1].Serial
	for name, change := range map[string]func(*keyring.Ring) error{
		"add":    func(r *keyring.Ring) error { _, err := r.AddCertificate(time.Hour); return err },
		"shift":  func(r *keyring.Ring) error { return r.SignWith(serial, 50) },
		"expire": func(r *keyring.Ring) error { return r.ExpireCertificate(serial) },
		"remove": func(r *keyring.Ring) error { return r.RemoveCertificate(serial) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRing(t, keyring.PublicKeyOnly)
			require.NoError(t, change(r))
			assert.NotEmpty(t, r.Platform().Certificates)
			assert.Equal(t, keyring.PublicKeyOnly, r.Platform().Mode)
		})
	}
}

// BenchmarkFirstKeys is what the first sandbox of a process costs more: its keys, as many as the
// mode needs.
func BenchmarkFirstKeys(b *testing.B) {
	for mode := keyring.BothKeys; mode <= keyring.PublicKeyOnly; mode++ {
		name, err := mode.MarshalText()
		require.NoError(b, err)
		b.Run(string(name), func(b *testing.B) {
			for b.Loop() {
				sparekey.Forget()
				newRing(b, mode)
			}
		})
	}
}
