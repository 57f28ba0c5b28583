package sandbox

import (
	"crypto/rsa"
	"crypto/x509"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/keyring"
)

// KeyMode says which platform keys the merchant has.
type KeyMode int

const (
	// BothKeys: certificates and the WeChat Pay public key, as while a merchant changes from one to
	// the other. It is the default.
	BothKeys = KeyMode(keyring.BothKeys)
	// CertificatesOnly: the merchant has not applied for the public key. A response to a request
	// that names it is signed with a certificate.
	CertificatesOnly = KeyMode(keyring.CertificatesOnly)
	// PublicKeyOnly: the merchant never had certificates. The list of certificates is 404
	// RESOURCE_NOT_EXISTS.
	PublicKeyOnly = KeyMode(keyring.PublicKeyOnly)
)

// MarshalText is both, certificates or public-key.
func (m KeyMode) MarshalText() ([]byte, error) { return keyring.Mode(m).MarshalText() }

// UnmarshalText reads what MarshalText writes.
func (m *KeyMode) UnmarshalText(text []byte) error { return (*keyring.Mode)(m).UnmarshalText(text) }

// Keys are a merchant's keys on both sides. Its methods change them as the platform and the
// merchant do in reality; requests under way end with the keys that they found.
type Keys struct{ merchant *gate.Merchant }

// PublicKeyID returns the id of the WeChat Pay public key: PUB_KEY_ID_ and 32 digits.
func (k *Keys) PublicKeyID() string { return k.merchant.Keys.Platform().PublicKeyID }

// PublicKey returns the WeChat Pay public key, which verifies responses to requests whose
// Wechatpay-Serial names [Keys.PublicKeyID].
func (k *Keys) PublicKey() *rsa.PublicKey {
	k.have(PublicKeyOnly)
	return &k.merchant.Keys.Platform().PublicKey.PublicKey
}

// Certificates returns the platform certificates, the oldest first: two to begin with. The first
// signs responses to requests that name no key; the serial of the second, which expires last and is
// the one to encrypt with, begins with a zero.
func (k *Keys) Certificates() []*x509.Certificate {
	k.have(CertificatesOnly)
	return k.merchant.Keys.Platform().Issued()
}

// have completes the keys for those who cannot return an error.
func (k *Keys) have(mode KeyMode) {
	if err := k.merchant.Keys.Complete(keyring.Mode(mode)); err != nil && k.merchant.Book.Lost() == nil {
		panic(err) // no key could be made, which is for want of randomness
	}
}

// Root returns the certificate of the authority that issued all others.
func (k *Keys) Root() *x509.Certificate { return k.merchant.Keys.Platform().Authority.Certificate }

// Mode returns which platform keys the merchant has.
func (k *Keys) Mode() KeyMode { return KeyMode(k.merchant.Keys.Platform().Mode) }

// SetMode changes which platform keys the merchant has.
func (k *Keys) SetMode(mode KeyMode) error { return k.merchant.Keys.SetMode(keyring.Mode(mode)) }

// SetPublicKeyShare sets how many percent of the notifications are signed with the public key while
// the merchant has both kinds, 100 by default; a certificate signs the others. The platform raises
// it by itself over about seven days: 0.1, 1, 5, 10, 20, 50, 100. The share is kept exactly, not
// drawn.
func (k *Keys) SetPublicKeyShare(percent float64) error {
	return k.merchant.Keys.SetPublicKeyShare(percent)
}

// AddCertificate issues a platform certificate that is good for validity, and puts it at the end of
// the list. It signs nothing before [Keys.SignWith].
func (k *Keys) AddCertificate(validity time.Duration) (*x509.Certificate, error) {
	return k.merchant.Keys.AddCertificate(validity)
}

// SignWith signs percent of the messages with the certificate that serial names, and the others
// with the one that signed before, as in the last days of a replacement. From then on the platform
// chooses among certificates, whichever a request names. At 100 the replacement is done. The share
// is kept exactly, not drawn.
func (k *Keys) SignWith(serial string, percent float64) error {
	return k.merchant.Keys.SignWith(serial, percent)
}

// RemoveCertificate takes a platform certificate out of the list. A request with a field that is
// encrypted for it is rejected from then on. The one that signs cannot be removed.
func (k *Keys) RemoveCertificate(serial string) error {
	return k.merchant.Keys.RemoveCertificate(serial)
}

// ExpireCertificate makes the list show a platform certificate as one that ended a minute ago. It
// signs as before, which the platform would never do.
func (k *Keys) ExpireCertificate(serial string) error {
	return k.merchant.Keys.ExpireCertificate(serial)
}

// AddMerchantCertificate issues another API certificate to the merchant, as when the merchant
// replaces its own: requests signed with either are accepted. It returns the merchant with the new
// certificate.
func (k *Keys) AddMerchantCertificate() (Merchant, error) {
	m, err := k.merchant.Keys.AddMerchantCertificate()
	return Merchant(m), err
}

// AddMerchantKey accepts requests that the merchant signs with a key of its own, such as that of its
// real API certificate. It takes the public half alone, an RSA key of 2048 bits, and the serial of the
// certificate ([github.com/wxpay-go/wxpay/apiv3.Serial]).
func (k *Keys) AddMerchantKey(serial string, public *rsa.PublicKey) error {
	return k.merchant.Keys.AddMerchantKey(serial, public)
}

// RevokeMerchantCertificate ends an API certificate of the merchant: requests signed with it are
// 401 SIGN_ERROR.
func (k *Keys) RevokeMerchantCertificate(serial string) error {
	return k.merchant.Keys.RevokeMerchantCertificate(serial)
}
