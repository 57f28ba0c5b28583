package keyring

import (
	"fmt"
	"slices"
	"strings"
)

// Mode says which platform keys the merchant has.
type Mode int

const (
	// BothKeys: certificates and the WeChat Pay public key, as while a merchant changes from one to
	// the other. It is the default.
	BothKeys Mode = iota
	// CertificatesOnly: the merchant has not applied for the public key. A response to a request
	// that names it is signed with a certificate.
	CertificatesOnly
	// PublicKeyOnly: the merchant never had certificates. The list of certificates is 404
	// RESOURCE_NOT_EXISTS.
	PublicKeyOnly
)

// modes are the modes as text.
var modes = []string{BothKeys: "both", CertificatesOnly: "certificates", PublicKeyOnly: "public-key"}

// MarshalText is both, certificates or public-key.
func (m Mode) MarshalText() ([]byte, error) {
	if err := m.Check(); err != nil {
		return nil, err
	}
	return []byte(modes[m]), nil
}

// UnmarshalText reads what MarshalText writes.
func (m *Mode) UnmarshalText(text []byte) error {
	i := slices.Index(modes, string(text))
	if i < 0 {
		return fmt.Errorf("sandbox: there is no key mode %q; there are %s", text, strings.Join(modes, ", "))
	}
	*m = Mode(i)
	return nil
}

// Check returns an error for a number that is no mode.
func (m Mode) Check() error {
	if m < BothKeys || m > PublicKeyOnly {
		return fmt.Errorf("sandbox: %d is no KeyMode", m)
	}
	return nil
}
