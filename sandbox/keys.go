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
	spare     map[string]func() (*rsa.PrivateKey, error)
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

// platform is the platform's side of the keys at one moment: what it signs and decrypts with, and whose requests it
// accepts. It is never changed; see [Sandbox.change].
type platform struct {
	scheme       apiv3.Scheme
	authority    *authority
	publicKeyID  string
	publicKey    *rsa.PrivateKey
	certificates []*x509.Certificate      // listed, the oldest first
	keys         map[string]crypto.Signer // of every certificate and of the public key, by serial or id
	mode         KeyMode
	signs        string  // the certificate that signs where nothing else is named
	shift        string  // the certificate that signatures go over to, empty when there is none
	shifted      float64 // percent of the signatures made with it
	steered      bool    // the platform chooses among certificates, whichever a request names
	share        float64 // percent of the notifications signed with the public key

	callerID string                    // whose requests are accepted
	callers  map[string]*rsa.PublicKey // by the serial of the caller's certificate
	revoked  map[string]*rsa.PublicKey // certificates of the caller that were replaced
}

// Validity of the certificates, in years around the time when the sandbox was made. The older platform certificate is
// in its last year, as during a change-over.
const (
	yearsValid   = 5
	yearsElapsed = 4
)

// issue makes the certificates and puts both sides together.
func (m *material) issue(merchantID string, scheme apiv3.Scheme, now time.Time) (Merchant, *platform, error) {
	authority, err := newAuthority(m.authority, now)
	if err != nil {
		return Merchant{}, nil, err
	}
	p := &platform{
		scheme: scheme, authority: authority, publicKeyID: publicKeyID(merchantID), publicKey: m.public, keys: make(map[string]crypto.Signer, 3),
		callerID: merchantID, callers: make(map[string]*rsa.PublicKey, 1),
	}
	p.keys[p.publicKeyID] = m.public
	for i, key := range m.certificates {
		from := now.AddDate(-yearsElapsed*(1-i), 0, -1)
		c, err := authority.issue(m.serials[i], platformSubject, from, from.AddDate(yearsValid, 0, 0), key)
		if err != nil {
			return Merchant{}, nil, err
		}
		p.certificates = append(p.certificates, c)
		p.keys[apiv3.Serial(c)] = key
	}
	p.signs = apiv3.Serial(p.certificates[0])

	from := now.AddDate(-1, 0, 0)
	own, err := authority.issue(m.merchantSerial, merchantSubject(merchantID), from, from.AddDate(yearsValid, 0, 0), m.merchant)
	if err != nil {
		return Merchant{}, nil, err
	}
	p.callers[apiv3.Serial(own)] = &m.merchant.PublicKey
	return Merchant{ID: merchantID, Serial: apiv3.Serial(own), PrivateKey: m.merchant, APIv3Key: m.apiv3Key, Certificate: own}, p, nil
}

// publicKeyID makes the id of a WeChat Pay public key out of a number of at most 10 digits.
func publicKeyID(id string) string {
	return "PUB_KEY_ID_01" + strings.Repeat("0", 10-len(id)) + id + "20250101000000000001"
}

var platformSubject = pkix.Name{CommonName: "Tenpay.com sign", Organization: []string{"Tenpay.com"}, Country: []string{"CN"}}

func merchantSubject(id string) pkix.Name {
	return pkix.Name{CommonName: id, Organization: []string{"微信商户系统"}, Country: []string{"CN"}}
}

// authority issues every certificate.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(key *ecdsa.PrivateKey, now time.Time) (*authority, error) {
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
	return &authority{root, key}, err
}

func (a *authority) issue(serial *big.Int, subject pkix.Name, from, to time.Time, key *rsa.PrivateKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: serial, Subject: subject, NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageDataEncipherment,
	}, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		return nil, fmt.Errorf("sandbox: issuing a certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

// spareKey returns the key that goes by a name, which the first call of the process generates.
func spareKey(name string) (*rsa.PrivateKey, error) {
	cache.Lock()
	if cache.spare == nil {
		cache.spare = make(map[string]func() (*rsa.PrivateKey, error))
	}
	get := cache.spare[name]
	if get == nil {
		get = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, keyBits) })
		cache.spare[name] = get
	}
	cache.Unlock()
	key, err := get()
	if err != nil {
		return nil, fmt.Errorf("sandbox: generating a key: %w", err)
	}
	return key, nil
}
