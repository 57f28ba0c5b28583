package sandbox

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
)

// keyBits is the size of every key that the platform issues.
const keyBits = 2048

// material is what costs time to make, and so is made once per process: the keys of the platform, shared by all
// sandboxes, and those of one merchant.
type material struct {
	*platformKeys
	merchant       *rsa.PrivateKey
	merchantSerial *big.Int
	apiv3Key       string
}

type platformKeys struct {
	authority    *ecdsa.PrivateKey // issues all certificates; not RSA, which would take longer to make and shows nowhere
	public       *rsa.PrivateKey   // private half of the WeChat Pay public key
	certificates [2]*rsa.PrivateKey
	serials      [2]*big.Int
}

var cache struct {
	sync.Mutex
	platform  func() (*platformKeys, error)
	merchants map[string]func() (*material, error)
}

// keysOf returns the keys of a merchant, which the first call for it generates, in parallel.
func keysOf(merchantID string) (*material, error) {
	cache.Lock()
	if cache.merchants == nil {
		cache.platform = sync.OnceValues(newPlatformKeys)
		cache.merchants = make(map[string]func() (*material, error))
	}
	get := cache.merchants[merchantID]
	if get == nil {
		platform := cache.platform
		get = sync.OnceValues(func() (*material, error) { return newMaterial(platform) })
		cache.merchants[merchantID] = get
	}
	cache.Unlock()
	return get()
}

func newMaterial(platform func() (*platformKeys, error)) (*material, error) {
	m := &material{apiv3Key: hexText(apiv3.KeySize), merchantSerial: newSerial(0x5A)}
	err := inParallel(
		func() (err error) { m.platformKeys, err = platform(); return err },
		func() (err error) { m.merchant, err = rsa.GenerateKey(rand.Reader, keyBits); return err },
	)
	return m, err
}

func newPlatformKeys() (*platformKeys, error) {
	p := &platformKeys{serials: [2]*big.Int{newSerial(0x4D), newSerial(0x0B)}}
	generate := func(to **rsa.PrivateKey) func() error {
		return func() (err error) { *to, err = rsa.GenerateKey(rand.Reader, keyBits); return err }
	}
	err := inParallel(
		generate(&p.public), generate(&p.certificates[0]), generate(&p.certificates[1]),
		func() (err error) { p.authority, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); return err },
	)
	return p, err
}

// inParallel runs the steps at the same time and returns the first error in their order.
func inParallel(steps ...func() error) error {
	errs := make([]error, len(steps))
	var wait sync.WaitGroup
	for i, step := range steps {
		wait.Go(func() { errs[i] = step() })
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return fmt.Errorf("sandbox: generating keys: %w", err)
		}
	}
	return nil
}

// newSerial returns a random serial of 20 bytes that begins with first, which must be below 0x80: X.509 serials are
// positive.
func newSerial(first byte) *big.Int {
	b := make([]byte, 20)
	rand.Read(b)
	b[0] = first
	return new(big.Int).SetBytes(b)
}

// hexText returns n random upper-case hex digits; n is even.
func hexText(n int) string {
	b := make([]byte, n/2)
	rand.Read(b)
	return strings.ToUpper(hex.EncodeToString(b))
}

// platform is the platform's side of the keys, as one sandbox holds them.
type platform struct {
	publicKeyID   string
	publicKey     *rsa.PrivateKey
	publicSPKI    []byte
	merchantPKCS8 []byte
	certificates  []*x509.Certificate
	keys          map[string]crypto.Signer // by certificate serial or public key id
	signs         string                   // the serial that signs when a request names none
}

// Validity of the certificates, in years around the time when the sandbox was made. The older platform certificate is
// in its last year, as during a change-over.
const (
	yearsValid   = 5
	yearsElapsed = 4
)

// issue makes the certificates and puts both sides together.
func (m *material) issue(merchantID string, now time.Time) (Merchant, *platform, error) {
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Tenpay.com Root CA", Organization: []string{"Tenpay.com"}, Country: []string{"CN"}},
		NotBefore: now.AddDate(-10, 0, 0), NotAfter: now.AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	certificate := func(serial *big.Int, subject pkix.Name, notBefore time.Time, key *rsa.PrivateKey) (*x509.Certificate, error) {
		der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
			SerialNumber: serial, Subject: subject, NotBefore: notBefore, NotAfter: notBefore.AddDate(yearsValid, 0, 0),
			KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageDataEncipherment,
		}, authority, &key.PublicKey, m.authority)
		if err != nil {
			return nil, fmt.Errorf("sandbox: issuing a certificate: %w", err)
		}
		return x509.ParseCertificate(der)
	}
	p := &platform{
		publicKeyID: "PUB_KEY_ID_01" + strings.Repeat("0", 10-len(merchantID)) + merchantID + "20250101000000000001",
		publicKey:   m.public, keys: make(map[string]crypto.Signer, 3),
	}
	p.keys[p.publicKeyID] = m.public
	for i, key := range m.certificates {
		subject := pkix.Name{CommonName: "Tenpay.com sign", Organization: []string{"Tenpay.com"}, Country: []string{"CN"}}
		c, err := certificate(m.serials[i], subject, now.AddDate(-yearsElapsed*(1-i), 0, -1), key)
		if err != nil {
			return Merchant{}, nil, err
		}
		p.certificates = append(p.certificates, c)
		p.keys[apiv3.Serial(c)] = key
	}
	p.signs = apiv3.Serial(p.certificates[0])

	own, err := certificate(m.merchantSerial, pkix.Name{CommonName: merchantID, Organization: []string{"微信商户系统"}, Country: []string{"CN"}}, now.AddDate(-1, 0, 0), m.merchant)
	if err != nil {
		return Merchant{}, nil, err
	}
	if p.merchantPKCS8, err = x509.MarshalPKCS8PrivateKey(m.merchant); err != nil {
		return Merchant{}, nil, fmt.Errorf("sandbox: %w", err)
	}
	if p.publicSPKI, err = x509.MarshalPKIXPublicKey(&m.public.PublicKey); err != nil {
		return Merchant{}, nil, fmt.Errorf("sandbox: %w", err)
	}
	return Merchant{ID: merchantID, Serial: apiv3.Serial(own), PrivateKey: m.merchant, APIv3Key: m.apiv3Key, Certificate: own}, p, nil
}
