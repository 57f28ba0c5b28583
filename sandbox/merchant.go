package sandbox

import (
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"log/slog"

	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/sandbox/internal/keyring"
)

// Merchant is the merchant whom the sandbox knows: what a client needs to sign as it. It is printed
// without its keys.
type Merchant struct {
	ID          string            // merchant number
	Serial      string            // of Certificate: 40 upper-case hex digits
	PrivateKey  *rsa.PrivateKey   `json:"-"` // of the merchant API certificate
	APIv3Key    string            `json:"-"` // 32 characters
	Certificate *x509.Certificate `json:"-"` // merchant API certificate
}

// String names the merchant without its keys.
func (m Merchant) String() string { return keyring.Merchant(m).String() }

// Format prints what String returns for every verb, so that no key is printed by accident.
func (m Merchant) Format(s fmt.State, verb rune) { redact.Format(s, verb, m.String()) }

// MarshalText gives encodings what String returns.
func (m Merchant) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// LogValue is the merchant in a log: number and serial.
func (m Merchant) LogValue() slog.Value { return keyring.Merchant(m).LogValue() }

// Brand is the brand whom the sandbox knows: what a client needs to call as it under /brand/. It is
// printed without its keys.
type Brand struct {
	ID          string            // brand id
	Serial      string            // of Certificate: 40 upper-case hex digits
	PrivateKey  *rsa.PrivateKey   `json:"-"` // of the brand's API certificate
	Certificate *x509.Certificate `json:"-"` // brand API certificate
	Key         string            `json:"-"` // 32 characters, of notifications
	PublicKeyID string            // of the brand's WeChat Pay public key
	PublicKey   *rsa.PublicKey    `json:"-"` // verifies responses
}

// String names the brand without its keys.
func (b Brand) String() string { return keyring.Brand(b).String() }

// Format prints what String returns for every verb, so that no key is printed by accident.
func (b Brand) Format(s fmt.State, verb rune) { redact.Format(s, verb, b.String()) }

// MarshalText gives encodings what String returns.
func (b Brand) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// LogValue is the brand in a log: id and serial.
func (b Brand) LogValue() slog.Value { return keyring.Brand(b).LogValue() }
