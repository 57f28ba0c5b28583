// Package keyring holds a caller's own API certificates: it checks them, gives the one that signs, and decrypts with any
// of them.
package keyring

import (
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/publickey"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Ring holds certificates, one of which signs. The zero value is empty. It is safe for concurrent use.
type Ring struct {
	state atomic.Value // a state; an atomic.Pointer would be compiled again for each package that can reach it

	mu     sync.Mutex   // serialises changes
	scheme apiv3.Scheme // of the clients that use the ring; nil until there is one
	id     string       // their merchant number or brand id
}

// state is a ring's content at one moment; it is never changed. The first certificate is the current one.
type state []Certificate

func (s state) find(serial string) int {
	return slices.IndexFunc(s, func(c Certificate) bool { return c.Serial == serial })
}

// load returns the ring's content.
func (r *Ring) load() state {
	now, _ := r.state.Load().(state)
	return now
}

// Of returns a ring with one certificate, which was checked.
func Of(certificate Certificate) *Ring {
	r := new(Ring)
	r.state.Store(state{certificate})
	return r
}

// Empty reports whether the ring holds no certificate.
func (r *Ring) Empty() bool { return len(r.load()) == 0 }

// Add puts a certificate into the ring, without signing with it yet, unless it is the first. One that is in the ring
// already stays as it is.
func (r *Ring) Add(certificate Certificate) error {
	certificate, err := certificate.Checked("APICertificate")
	if err != nil {
		return fmt.Errorf("wxpay: the certificate is not usable: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.scheme != nil {
		if err := certificate.Fits(r.scheme, r.id); err != nil {
			return fmt.Errorf("wxpay: the certificate %s is not usable: %w", certificate.Serial, err)
		}
	}
	now := r.load()
	if i := now.find(certificate.Serial); i >= 0 {
		if !publickey.Equal(now[i].PrivateKey.Public(), certificate.PrivateKey.Public()) {
			return fmt.Errorf("wxpay: the ring holds another private key for the certificate %s", certificate.Serial)
		}
		return nil
	}
	now = append(slices.Clip(now), certificate)
	r.state.Store(now)
	return nil
}

// Switch makes the certificate that serial names the current one.
func (r *Ring) Switch(serial string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := slices.Clone(r.load())
	i := now.find(serial)
	if i < 0 {
		return fmt.Errorf("wxpay: the ring holds no certificate %s: Add it first", redact.Quote(serial))
	}
	now[0], now[i] = now[i], now[0]
	r.state.Store(now)
	return nil
}

// Remove takes a certificate out of the ring. The current one cannot be removed.
func (r *Ring) Remove(serial string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := slices.Clone(r.load())
	switch i := now.find(serial); {
	case i < 0:
		return fmt.Errorf("wxpay: the ring holds no certificate %s", redact.Quote(serial))
	case i == 0:
		return fmt.Errorf("wxpay: the certificate %s signs: Switch to another before removing it", serial)
	default:
		now = slices.Delete(now, i, i+1)
	}
	r.state.Store(now)
	return nil
}

// Serials returns the serials in the ring, the current one first.
func (r *Ring) Serials() []string {
	var serials []string
	for _, certificate := range r.load() {
		serials = append(serials, certificate.Serial)
	}
	return serials
}

// Current returns the certificate that signs. The ring must not be empty.
func (r *Ring) Current() Certificate { return r.load()[0] }

// SigningKey returns the current certificate's serial and key, in the form of middleware.Identity.
func (r *Ring) SigningKey() (serial string, key crypto.Signer) {
	current := r.Current()
	return current.Serial, current.PrivateKey
}

// Owns reports whether a platform key is one of the ring's.
func (r *Ring) Owns(key apiv3.PlatformKey) bool {
	return slices.ContainsFunc(r.load(), func(c Certificate) bool {
		return key.Serial == c.Serial || publickey.Equal(key.Key, c.PrivateKey.Public())
	})
}

// Fits reports the certificates that cannot serve a scheme, or that were issued to another merchant than id.
func (r *Ring) Fits(scheme apiv3.Scheme, id string) (problems []error) {
	for _, certificate := range r.load() {
		if err := certificate.Fits(scheme, id); err != nil {
			problems = append(problems, err)
		}
	}
	return problems
}

// Serve ties the ring to a caller and its scheme, and checks its certificates against them. Certificates added later are
// checked as well.
func (r *Ring) Serve(scheme apiv3.Scheme, id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.scheme != nil && (r.id != id || r.scheme.Name() != scheme.Name()) {
		return fmt.Errorf("the ring is in use for another caller, %s %s: make one for each", r.scheme.Identity(), redact.Quote(r.id))
	}
	err := errors.Join(r.Fits(scheme, id)...)
	if err == nil {
		r.scheme, r.id = scheme, id
	}
	return err
}

// Decrypt opens a ciphertext in base64 that was made for one of the certificates: the one that serial names is tried first.
// (Which of several certificates the platform takes is not documented; that of the request is the natural one.)
func (r *Ring) Decrypt(scheme apiv3.Scheme, serial string, ciphertext []byte) ([]byte, error) {
	encrypted, err := base64.StdEncoding.Strict().AppendDecode(nil, ciphertext)
	if err != nil {
		return nil, errors.New("it is not base64")
	}
	now := r.load()
	first := max(0, now.find(serial))
	for i := range now {
		certificate := now[(first+i)%len(now)]
		plain, failure := certificate.decrypt(scheme, encrypted)
		if failure == nil {
			return plain, nil
		}
		if err == nil {
			err = failure
		}
	}
	return nil, err
}

func (c Certificate) decrypt(scheme apiv3.Scheme, ciphertext []byte) ([]byte, error) {
	decrypter, ok := c.PrivateKey.(crypto.Decrypter)
	if !ok {
		return nil, fmt.Errorf("the private key of certificate %s is a %T, which signs and does not decrypt: bring one that is a crypto.Decrypter", c.Serial, c.PrivateKey)
	}
	return scheme.Decrypt(decrypter, ciphertext)
}
