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

// identity is what a merchant keeps in every sandbox of the process, besides the key.
type identity struct {
	serial   *big.Int // of the certificate
	apiv3Key string
}

// cache is what costs time to make, and so is made once per process, when it is first needed: keys by what they are for, and what
// belongs to them. Those of the platform are shared by all sandboxes.
var cache struct {
	sync.Mutex
	keys       map[string]func() (*rsa.PrivateKey, error)
	identities map[string]identity
}

// authorityKey issues all certificates. It is not of RSA, which would take longer to make and shows nowhere.
var authorityKey = sync.OnceValues(func() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) })

// firstSerials are those of the platform's first certificates.
var firstSerials = sync.OnceValue(func() [2]*big.Int { return [2]*big.Int{newSerial(0x4D), newSerial(0x0B)} })

// Names of keys in the cache.
const publicKeyName = "public key"

func firstKeyName(i int) string        { return fmt.Sprintf("first platform certificate %d", i) }
func merchantKeyName(id string) string { return "merchant " + id }

// identityOf returns the identity of a merchant.
func identityOf(merchantID string) identity {
	cache.Lock()
	defer cache.Unlock()
	who, known := cache.identities[merchantID]
	if !known {
		who = identity{newSerial(0x5A), hexText(apiv3.KeySize)}
		if cache.identities == nil {
			cache.identities = make(map[string]identity)
		}
		cache.identities[merchantID] = who
	}
	return who
}

// neededKeys are the names of the platform's keys that a mode cannot do without.
func neededKeys(mode KeyMode) (names []string) {
	if mode != CertificatesOnly {
		names = append(names, publicKeyName)
	}
	if mode != PublicKeyOnly {
		names = append(names, firstKeyName(0), firstKeyName(1))
	}
	return names
}

// generate makes keys that are not there yet, in parallel.
func generate(names ...string) error {
	steps := make([]func() error, len(names))
	for i, name := range names {
		steps[i] = func() error { _, err := spareKey(name); return err }
	}
	return inParallel(steps...)
}

// inParallel runs the steps at the same time and returns the first error in their order.
func inParallel(steps ...func() error) error {
	errs := make([]error, len(steps))
	var wait sync.WaitGroup
	for i, step := range steps {
		wait.Add(1)
		go func() {
			defer wait.Done()
			errs[i] = step()
		}()
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

// Validity of the certificates, in years around the time when they are made. The older platform certificate is
// in its last year, as during a change-over.
const (
	yearsValid   = 5
	yearsElapsed = 4
)

// issue makes a merchant and the platform's side of their keys, as far as the mode needs them.
func issue(merchantID string, scheme apiv3.Scheme, mode KeyMode, now time.Time) (Merchant, *platform, error) {
	if err := generate(append(neededKeys(mode), merchantKeyName(merchantID))...); err != nil {
		return Merchant{}, nil, err
	}
	key, err := spareKey(merchantKeyName(merchantID))
	if err != nil {
		return Merchant{}, nil, err
	}
	if err := scheme.CheckPublicKey(key.Public()); err != nil {
		return Merchant{}, nil, fmt.Errorf("sandbox: WithScheme: the scheme must work with RSA keys of %d bits: %w", keyBits, err)
	}
	signer, err := authorityKey()
	if err != nil {
		return Merchant{}, nil, fmt.Errorf("sandbox: generating keys: %w", err)
	}
	authority, err := newAuthority(signer, now)
	if err != nil {
		return Merchant{}, nil, err
	}
	p := &platform{
		scheme: scheme, authority: authority, publicKeyID: publicKeyID(merchantID), keys: make(map[string]crypto.Signer, 3), mode: mode, share: 100,
		callerID: merchantID, callers: make(map[string]*rsa.PublicKey, 1),
	}
	if err := p.complete(mode, now); err != nil {
		return Merchant{}, nil, err
	}
	who, from := identityOf(merchantID), now.AddDate(-1, 0, 0)
	own, err := authority.issue(who.serial, merchantSubject(merchantID), from, from.AddDate(yearsValid, 0, 0), key)
	if err != nil {
		return Merchant{}, nil, err
	}
	p.callers[apiv3.Serial(own)] = &key.PublicKey
	return Merchant{ID: merchantID, Serial: apiv3.Serial(own), PrivateKey: key, APIv3Key: who.apiv3Key, Certificate: own}, p, nil
}

// complete adds the keys that a mode needs and that are not there yet.
func (p *platform) complete(mode KeyMode, now time.Time) error {
	if mode != CertificatesOnly && p.publicKey == nil {
		key, err := spareKey(publicKeyName)
		if err != nil {
			return err
		}
		p.publicKey, p.keys[p.publicKeyID] = key, key
	}
	if mode == PublicKeyOnly || p.signs != "" {
		return nil
	}
	for i, serial := range firstSerials() {
		key, err := spareKey(firstKeyName(i))
		if err != nil {
			return err
		}
		from := now.AddDate(-yearsElapsed*(1-i), 0, -1)
		c, err := p.authority.issue(serial, platformSubject, from, from.AddDate(yearsValid, 0, 0), key)
		if err != nil {
			return err
		}
		p.certificates = append(p.certificates, c)
		p.keys[apiv3.Serial(c)] = key
	}
	p.signs = apiv3.Serial(p.certificates[0])
	return nil
}

// complete makes sure that the platform has the keys of a mode, whichever mode the merchant is in.
func (s *Sandbox) complete(mode KeyMode) error {
	if p := s.platform.Load(); (mode == CertificatesOnly || p.publicKey != nil) && (mode == PublicKeyOnly || p.signs != "") {
		return nil
	}
	if err := generate(neededKeys(mode)...); err != nil { // beforehand, while nobody has to wait
		return err
	}
	return s.change(func(p *platform) error { return p.complete(mode, s.clock()) })
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
	if cache.keys == nil {
		cache.keys = make(map[string]func() (*rsa.PrivateKey, error))
	}
	get := cache.keys[name]
	if get == nil {
		get = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, keyBits) })
		cache.keys[name] = get
	}
	cache.Unlock()
	key, err := get()
	if err != nil {
		return nil, fmt.Errorf("sandbox: generating a key: %w", err)
	}
	return key, nil
}
