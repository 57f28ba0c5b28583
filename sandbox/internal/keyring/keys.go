// Package keyring holds the keys of a sandbox: those of the platform, of its merchants and of the
// brand, which of them sign, and when the platform changes its certificates.
package keyring

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/sparekey"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// KeyBits is the size of every key that the platform issues.
const KeyBits = sparekey.Bits

// identity is what a merchant keeps in every sandbox of the process, besides the key.
type identity struct {
	serial   *big.Int // of the certificate
	apiv3Key string
}

// identities are what belongs to the merchants' keys, of which a process has one for each name.
// Those of the platform are shared by all sandboxes.
var identities struct {
	sync.Mutex
	known map[string]identity
}

// authorityKey issues all certificates. It is not of RSA, which would take longer to make and shows
// nowhere.
var authorityKey = sync.OnceValues(func() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) })

// firstSerials are those of the platform's first certificates.
var firstSerials = sync.OnceValue(func() [2]*big.Int { return [2]*big.Int{newSerial(0x4D), newSerial(0x0B)} })

// Names of keys.
const publicKeyName = "public key"

func firstKeyName(i int) string        { return fmt.Sprintf("first platform certificate %d", i) }
func merchantKeyName(id string) string { return "merchant " + id }

// identityOf returns the identity of a merchant.
func identityOf(merchantID string) identity {
	identities.Lock()
	defer identities.Unlock()
	who, known := identities.known[merchantID]
	if !known {
		who = identity{newSerial(0x5A), say.Hex(apiv3.KeySize)}
		if identities.known == nil {
			identities.known = make(map[string]identity)
		}
		identities.known[merchantID] = who
	}
	return who
}

// newSerial returns a random serial of 20 bytes that begins with first, which must be below 0x80:
// X.509 serials are positive.
func newSerial(first byte) *big.Int {
	b := make([]byte, 20)
	rand.Read(b)
	b[0] = first
	return new(big.Int).SetBytes(b)
}

// publicKeyID makes the id of a WeChat Pay public key out of a number of at most 10 digits.
func publicKeyID(id string) string {
	return "PUB_KEY_ID_01" + strings.Repeat("0", 10-len(id)) + id + "20250101000000000001"
}

var platformSubject = pkix.Name{CommonName: "Tenpay.com sign", Organization: []string{"Tenpay.com"}, Country: []string{"CN"}}

func merchantSubject(id string) pkix.Name {
	return pkix.Name{CommonName: id, Organization: []string{"微信商户系统"}, Country: []string{"CN"}}
}

// Certificate is a certificate of the platform, which is issued when somebody first looks at it:
// most sandboxes live without, and save the time of its key.
type Certificate struct {
	Serial              string
	NotBefore, NotAfter time.Time
	key                 *sparekey.Key
	issued              func() *x509.Certificate
}

// certificateOf is a certificate that was issued before.
func certificateOf(c *x509.Certificate, key *sparekey.Key) *Certificate {
	return &Certificate{apiv3.Serial(c), c.NotBefore, c.NotAfter, key, func() *x509.Certificate { return c }}
}

// Authority issues every certificate.
type Authority struct {
	Certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(key *ecdsa.PrivateKey, now time.Time) (*Authority, error) {
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Tenpay.com Root CA", Organization: []string{"Tenpay.com"}, Country: []string{"CN"}},
		NotBefore: now.AddDate(-10, 0, 0), NotAfter: now.AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, root, root, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("sandbox: issuing the root certificate: %w", err)
	}
	root, err = x509.ParseCertificate(der)
	return &Authority{root, key}, err
}

func (a *Authority) issue(serial *big.Int, subject pkix.Name, from, to time.Time, key *rsa.PrivateKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial, Subject: subject, NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageDataEncipherment,
	}, a.Certificate, &key.PublicKey, a.key)
	if err != nil {
		return nil, fmt.Errorf("sandbox: issuing a certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

// promise returns a certificate of the platform that is still to be issued.
func (a *Authority) promise(serial *big.Int, from, to time.Time, key *sparekey.Key) *Certificate {
	seconds := func(at time.Time) time.Time { return at.UTC().Truncate(time.Second) } // as a certificate has them
	return &Certificate{apiv3.Serial(&x509.Certificate{SerialNumber: serial}), seconds(from), seconds(to), key, sync.OnceValue(func() *x509.Certificate {
		c, err := a.issue(serial, platformSubject, from, to, key.Private())
		if err != nil {
			panic(err) // the keys were made here
		}
		return c
	})}
}

// Validity of the certificates, in years around the time when they are made. The older platform
// certificate is in its last year, as during a change-over.
const (
	yearsValid   = 5
	yearsElapsed = 4
)
