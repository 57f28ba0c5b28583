package keyring

import (
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"log/slog"

	"github.com/wxpay-go/wxpay/internal/redact"
)

// Merchant is sandbox.Merchant, which documents the fields.
type Merchant struct {
	ID          string            // merchant number
	Serial      string            // of Certificate: 40 upper-case hex digits
	PrivateKey  *rsa.PrivateKey   `json:"-"` // of the merchant API certificate
	APIv3Key    string            `json:"-"` // 32 characters
	Certificate *x509.Certificate `json:"-"` // merchant API certificate
}

// String names the merchant without its keys.
func (m Merchant) String() string {
	return fmt.Sprintf("merchant %s (certificate %s, keys not shown)", m.ID, m.Serial)
}

// Format prints what String returns for every verb, so that no key is printed by accident.
func (m Merchant) Format(s fmt.State, verb rune) { redact.Format(s, verb, m.String()) }

// MarshalText gives encodings what String returns.
func (m Merchant) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// LogValue is the merchant in a log: number and serial.
func (m Merchant) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", m.ID), slog.String("serial", m.Serial))
}
