package apiv3

import (
	"cmp"
	"crypto"
	"crypto/x509"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/visible"
)

// Errors of [KeySet.Find].
var (
	// ErrUnknownSerial means that no configured platform key has this serial.
	ErrUnknownSerial = fault.New("unknown platform key")
	// ErrExpired means that the platform certificate is outside its validity.
	ErrExpired = fault.New("platform certificate outside its validity")
)

// PlatformKey is a key of the platform: that of a platform certificate, or the WeChat Pay public
// key.
type PlatformKey struct {
	// Serial is the certificate's serial (40 upper-case hex digits) or the public key's id
	// (PUB_KEY_ID_…).
	Serial string
	// Key verifies the platform's signatures and encrypts for the platform.
	Key crypto.PublicKey
	// NotBefore and NotAfter bound the validity of a certificate. Both are zero for a public key,
	// which never expires.
	NotBefore, NotAfter time.Time
}

// CertificateKey returns the platform key of a certificate.
func CertificateKey(certificate *x509.Certificate) PlatformKey {
	return PlatformKey{
		Serial: Serial(certificate), Key: certificate.PublicKey,
		NotBefore: certificate.NotBefore, NotAfter: certificate.NotAfter,
	}
}

// IsCertificate reports whether the key belongs to a certificate.
func (k PlatformKey) IsCertificate() bool { return !k.NotAfter.IsZero() }

// valid reports whether the key may be used at now.
func (k PlatformKey) valid(now time.Time) bool {
	return !k.IsCertificate() || (!now.Before(k.NotBefore) && !now.After(k.NotAfter))
}

// checkSerial rejects a serial that no response can name.
func (k PlatformKey) checkSerial() error {
	err := visible.Word(k.Serial)
	switch {
	case k.Serial == "":
		return fmt.Errorf("%w: a platform key has no serial", ErrKey)
	case err != nil:
		return fmt.Errorf("%w: of the platform key's serial %s, %w", ErrKey, redact.Quote(k.Serial), err)
	case !k.IsCertificate() && !IsPublicKeyID(k.Serial):
		return fmt.Errorf("%w: %s is no id of a public key, which is %s and digits, as the merchant platform shows "+
			"it beside the key (CertificateKey is for certificates)", ErrKey, redact.Quote(k.Serial), publicKeyID)
	}
	return nil
}

// KeySet is an immutable set of platform keys of both kinds, by exact serial. The zero value is
// empty. To change a shared set, build a new one and swap the pointer.
type KeySet struct {
	keys         map[string]PlatformKey
	public       PlatformKey   // the first by id, zero if there is none
	certificates []PlatformKey // the one that expires last first
}

// NewKeySet returns a set of keys. The error is ErrKey for a serial that no response can name, a
// nil key, and two different keys under one serial.
func NewKeySet(keys ...PlatformKey) (*KeySet, error) {
	return new(KeySet).With(keys...)
}

// With returns a set with additional keys. A key with a known serial replaces the old one, which
// may change only the bounds of its validity.
func (s *KeySet) With(keys ...PlatformKey) (*KeySet, error) {
	grown := &KeySet{keys: make(map[string]PlatformKey, len(s.keys)+len(keys))}
	maps.Copy(grown.keys, s.keys)
	for _, key := range keys {
		if err := key.checkSerial(); err != nil {
			return nil, err
		}
		public, ok := key.Key.(interface{ Equal(crypto.PublicKey) bool })
		if !ok {
			return nil, fmt.Errorf("%w: platform key %s is %T, not a public key", ErrKey, key.Serial, key.Key)
		}
		if v := reflect.ValueOf(key.Key); v.Kind() == reflect.Pointer && v.IsNil() {
			return nil, fmt.Errorf("%w: platform key %s is nil", ErrKey, key.Serial)
		}
		if known, ok := grown.keys[key.Serial]; ok && !public.Equal(known.Key) {
			return nil, fmt.Errorf("%w: two different platform keys have the serial %s", ErrKey, key.Serial)
		}
		grown.keys[key.Serial] = key
	}
	for _, key := range grown.keys {
		switch {
		case key.IsCertificate():
			grown.certificates = append(grown.certificates, key)
		case grown.public.Serial == "" || key.Serial < grown.public.Serial:
			grown.public = key
		}
	}
	slices.SortFunc(grown.certificates, func(a, b PlatformKey) int {
		return cmp.Or(b.NotAfter.Compare(a.NotAfter), strings.Compare(a.Serial, b.Serial))
	})
	return grown, nil
}

// Len returns the number of keys.
func (s *KeySet) Len() int { return len(s.keys) }

// Find returns the key with exactly this serial. The error is ErrUnknownSerial without such a key,
// and ErrExpired for a certificate that is not valid at now: the platform never signs with one.
func (s *KeySet) Find(serial string, now time.Time) (PlatformKey, error) {
	key, ok := s.keys[serial]
	if !ok {
		return PlatformKey{}, ErrUnknownSerial
	}
	if !key.valid(now) {
		return PlatformKey{}, fmt.Errorf("%w (%s to %s)", ErrExpired, key.NotBefore.Format(time.DateOnly), key.NotAfter.Format(time.DateOnly))
	}
	return key, nil
}

// PublicKey returns the WeChat Pay public key, the first by id if there are several.
func (s *KeySet) PublicKey() (PlatformKey, bool) { return s.public, s.public.Serial != "" }

// Certificate returns the key of the certificate that is valid at now and expires last. Use it to
// encrypt.
func (s *KeySet) Certificate(now time.Time) (PlatformKey, bool) {
	for i := range s.certificates {
		if s.certificates[i].valid(now) {
			return s.certificates[i], true
		}
	}
	return PlatformKey{}, false
}

// All returns every key, public keys first, then certificates, the one that expires last first.
func (s *KeySet) All() []PlatformKey {
	all := make([]PlatformKey, 0, len(s.keys))
	for _, serial := range slices.Sorted(maps.Keys(s.keys)) {
		if key := s.keys[serial]; !key.IsCertificate() {
			all = append(all, key)
		}
	}
	return append(all, s.certificates...)
}
