package wxpay

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/wxpay-go/wxpay/internal/keyring"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/middleware"
)

// APICertificate is an API certificate of the caller with its private key. It prints redacted.
type APICertificate struct {
	// Serial is the certificate's serial: 40 upper-case hex digits, leading zeros kept. It may be
	// empty if Certificate is set.
	Serial string
	// PrivateKey belongs to the certificate; see [Merchant].
	PrivateKey crypto.Signer `json:"-"`
	// Certificate is apiclient_cert.pem ([LoadCertificate]). It is optional. It gives the serial,
	// and must belong to PrivateKey.
	Certificate *x509.Certificate `json:"-"`
}

// Format prints the serial under every verb.
func (c APICertificate) Format(s fmt.State, verb rune) { redact.Format(s, verb, c.text()) }

// MarshalText gives encodings what Format prints.
func (c APICertificate) MarshalText() ([]byte, error) { return []byte(c.text()), nil }

func (c APICertificate) text() string {
	return fmt.Sprintf("wxpay.APICertificate{Serial %s, key redacted}", keyring.Certificate(c).Number())
}

// KeyRing holds several API certificates of a merchant during a change from one to another. The
// current one signs requests; each decrypts the fields that are encrypted for it.
//
//	ring, err := wxpay.NewKeyRing(old)
//	client, err := wxpay.New(wxpay.Merchant{ID: "1900000109", KeyRing: ring}, …)
//	…
//	err = ring.Add(new)               // decrypts from now on
//	err = ring.Switch(new.Serial)     // signs from the next request on; no restart, no failed call
//	…
//	err = ring.Remove(old.Serial)     // when nothing encrypted for the old one is awaited any more
//
// A ring may serve several clients of one merchant. It is safe for concurrent use and prints
// redacted.
type KeyRing struct{ ring keyring.Ring }

var _ middleware.Identity = (*KeyRing)(nil)

// NewKeyRing returns a ring with current as its current certificate.
func NewKeyRing(current APICertificate, others ...APICertificate) (*KeyRing, error) {
	ring := new(KeyRing)
	for _, certificate := range append([]APICertificate{current}, others...) {
		if err := ring.Add(certificate); err != nil {
			return nil, err
		}
	}
	return ring, nil
}

// Add adds a certificate to the ring; it does not sign yet. A certificate already in the ring stays
// unchanged.
func (r *KeyRing) Add(certificate APICertificate) error {
	return r.ring.Add(keyring.Certificate(certificate))
}

// Switch makes the certificate with this serial the current one. Requests under way keep the
// certificate that signed them.
func (r *KeyRing) Switch(serial string) error { return r.ring.Switch(serial) }

// Remove removes a certificate from the ring. Removing the current one is an error.
func (r *KeyRing) Remove(serial string) error { return r.ring.Remove(serial) }

// Serials returns the serials in the ring, the current one first.
func (r *KeyRing) Serials() []string { return r.ring.Serials() }

// SigningKey returns the current certificate's serial and key.
func (r *KeyRing) SigningKey() (serial string, key crypto.Signer) { return r.ring.SigningKey() }

func (r *KeyRing) text() string {
	return fmt.Sprintf("wxpay.KeyRing{serials %s, keys redacted}", strings.Join(r.Serials(), ", "))
}

// Format prints the serials under every verb.
func (r *KeyRing) Format(s fmt.State, verb rune) { redact.Format(s, verb, r.text()) }

// MarshalText gives encodings what Format prints.
func (r *KeyRing) MarshalText() ([]byte, error) { return []byte(r.text()), nil }
