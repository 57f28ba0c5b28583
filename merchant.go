package wxpay

import (
	"crypto"
	"crypto/x509"
	"fmt"

	"github.com/wxpay-go/wxpay/internal/keyring"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Merchant is the caller: a merchant number with its API certificate. A service provider signs with
// its own certificate, even for a sub-merchant. A brand that calls for itself, under /brand/, is
// also a Merchant, with its brand id and WithScheme(apiv3.Brand()); see [WithScheme]. It prints
// redacted.
type Merchant struct {
	// ID is the merchant number (mchid) or the brand id (brand_id), decimal digits.
	ID string
	// Serial is the serial of the API certificate: 40 upper-case hex digits, leading zeros kept.
	// The merchant platform shows it under account centre, API security; openssl x509 -in
	// apiclient_cert.pem -noout -serial prints it. It may be empty if Certificate is set.
	Serial string
	// PrivateKey belongs to that certificate (apiclient_key.pem). It may be any crypto.Signer:
	// [LoadPrivateKey] reads a file; a KMS, an HSM or libcrypto (contrib/openssl) works too. A
	// signer with the method of [middleware.ContextSigner] gets the call's context; any other
	// signer, except an RSA key in memory, signs on a goroutine, which an ended call leaves behind.
	// To decrypt fields it must also be a crypto.Decrypter; nothing else requires that.
	PrivateKey crypto.Signer `json:"-"`
	// Certificate is the API certificate itself (apiclient_cert.pem, [LoadCertificate]). It is
	// optional. It gives the serial, and must belong to PrivateKey and to this merchant.
	Certificate *x509.Certificate `json:"-"`
	// KeyRing replaces Serial, PrivateKey and Certificate. It holds several API certificates and
	// can switch between them while the client is in use.
	KeyRing *KeyRing `json:"-"`
	// APIv3Key is the 32-byte key as typed in the merchant platform; for a brand it is the brand's
	// key. Only notifications and platform certificates need it; otherwise leave it empty.
	APIv3Key string `json:"-"`
}

// Format prints number and serial, and no key, under every verb.
func (m Merchant) Format(s fmt.State, verb rune) { redact.Format(s, verb, m.text()) }

// MarshalText gives encodings what Format prints.
func (m Merchant) MarshalText() ([]byte, error) { return []byte(m.text()), nil }

func (m Merchant) text() string {
	return fmt.Sprintf("wxpay.Merchant{ID %s, Serial %s, keys redacted}", m.ID, m.serial())
}

func (m Merchant) serial() string {
	if m.KeyRing != nil && !m.KeyRing.ring.Empty() {
		return m.KeyRing.ring.Current().Serial
	}
	return m.caller().Number()
}

// caller returns m as a keyring.Caller, which checks it.
func (m Merchant) caller() keyring.Caller {
	caller := keyring.Caller{
		ID: m.ID, APIv3Key: m.APIv3Key,
		Certificate: keyring.Certificate{Serial: m.Serial, PrivateKey: m.PrivateKey, Certificate: m.Certificate},
	}
	if m.KeyRing != nil {
		caller.Ring = &m.KeyRing.ring
	}
	return caller
}
