package sandbox

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/internal/redact"
)

// Merchant is the merchant whom the sandbox knows: what a client needs to sign as it. It is printed without its keys.
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

// Merchant returns the merchant whom the sandbox knows. The values it points to must not be changed.
func (s *Sandbox) Merchant() Merchant { return s.merchant }

// PublicKeyID returns the id of the WeChat Pay public key: PUB_KEY_ID_ and 32 digits.
func (s *Sandbox) PublicKeyID() string { return s.platform.Load().publicKeyID }

// PublicKey returns the WeChat Pay public key, which verifies answers to requests whose Wechatpay-Serial names
// [Sandbox.PublicKeyID].
func (s *Sandbox) PublicKey() *rsa.PublicKey {
	s.have(PublicKeyOnly)
	return &s.platform.Load().publicKey.PublicKey
}

// Certificates returns the platform certificates, the oldest first: two to begin with. The first signs answers to requests
// that name no key; the serial of the second, which expires last and is the one to encrypt with, begins with a zero.
func (s *Sandbox) Certificates() []*x509.Certificate {
	s.have(CertificatesOnly)
	return slices.Clone(s.platform.Load().certificates)
}

// have is complete for those who cannot return an error.
func (s *Sandbox) have(mode KeyMode) {
	if err := s.complete(mode); err != nil && s.records.lost() == nil {
		panic(err) // no key could be made, which is for want of randomness
	}
}

// Root returns the certificate of the authority that issued all others.
func (s *Sandbox) Root() *x509.Certificate { return s.platform.Load().authority.certificate }

// Env returns the variables that connect a client, each as NAME=value: WXPAY_MCHID, WXPAY_SERIAL, WXPAY_PRIVATE_KEY (PEM
// text), WXPAY_APIV3_KEY, and unless the merchant has certificates only WXPAY_PUBLIC_KEY_ID and WXPAY_PUBLIC_KEY (PEM
// text).
func (s *Sandbox) Env() []string { return env(s.variables()) }

// LookupEnv looks one of the variables of [Sandbox.Env] up, in the manner of os.LookupEnv.
func (s *Sandbox) LookupEnv(key string) (string, bool) { return lookupEnv(s.variables(), key) }

// Env returns the variables of [Sandbox.Env], and WXPAY_BASE_URL.
func (s *Server) Env() []string { return env(s.variables()) }

// LookupEnv looks one of the variables of [Server.Env] up, in the manner of os.LookupEnv.
func (s *Server) LookupEnv(key string) (string, bool) { return lookupEnv(s.variables(), key) }

type variable struct{ name, value string }

func (s *Sandbox) variables() []variable {
	keys := s.platform.Load()
	list := []variable{
		{"WXPAY_MCHID", s.merchant.ID},
		{"WXPAY_SERIAL", s.merchant.Serial},
		{"WXPAY_PRIVATE_KEY", pemText("PRIVATE KEY", s.merchant.PrivateKey, x509.MarshalPKCS8PrivateKey)},
		{"WXPAY_APIV3_KEY", s.merchant.APIv3Key},
	}
	if keys.mode != CertificatesOnly {
		list = append(list, variable{"WXPAY_PUBLIC_KEY_ID", keys.publicKeyID},
			variable{"WXPAY_PUBLIC_KEY", pemText("PUBLIC KEY", keys.publicKey.Public(), x509.MarshalPKIXPublicKey)})
	}
	return list
}

func (s *Server) variables() []variable {
	return append(s.Sandbox.variables(), variable{"WXPAY_BASE_URL", s.URL})
}

func pemText(kind string, key any, marshal func(any) ([]byte, error)) string {
	der, err := marshal(key)
	if err != nil {
		panic(fmt.Sprintf("sandbox: a key cannot be written: %v", err)) // the keys were made here
	}
	return strings.TrimSuffix(string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})), "\n")
}

func env(variables []variable) []string {
	list := make([]string, len(variables))
	for i, v := range variables {
		list[i] = v.name + "=" + v.value
	}
	return list
}

func lookupEnv(variables []variable, key string) (string, bool) {
	for _, v := range variables {
		if v.name == key {
			return v.value, true
		}
	}
	return "", false
}
