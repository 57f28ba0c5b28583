package middleware

import (
	"crypto"
	"fmt"

	"github.com/wxpay-go/wxpay/internal/redact"
)

// Identity returns the caller's signing key and the serial of its certificate. Sign calls it for
// every request, so that a new certificate can take over while calls are under way.
type Identity interface {
	SigningKey() (serial string, key crypto.Signer)
}

// Certificate is a fixed Identity. It prints redacted.
type Certificate struct {
	Serial string        // of the certificate that belongs to Key
	Key    crypto.Signer // signs; may live in a file, a KMS or an HSM
}

// Format prints the serial under every verb.
func (c Certificate) Format(s fmt.State, verb rune) { redact.Format(s, verb, c.text()) }

// MarshalText returns the text that Format prints.
func (c Certificate) MarshalText() ([]byte, error) { return []byte(c.text()), nil }

func (c Certificate) text() string {
	return "middleware.Certificate{Serial " + c.Serial + ", key redacted}"
}

// SigningKey returns serial and key.
func (c Certificate) SigningKey() (serial string, key crypto.Signer) { return c.Serial, c.Key }
