package keyring

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/sparekey"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// platform is the keys at this moment. It is no atomic.Pointer, since the compiler compiles the methods
// of a generic type again for each package that can reach it.
type platform struct{ now atomic.Value }

func (p *platform) load() *Platform {
	keys, _ := p.now.Load().(*Platform)
	return keys
}

func (p *platform) store(keys *Platform) { p.now.Store(keys) }

// Platform is the platform's side of the keys at one moment: what it signs and decrypts with, and
// whose requests it accepts. It is never changed; Ring replaces it by a changed copy.
type Platform struct {
	Scheme       apiv3.Scheme
	Authority    *Authority
	PublicKeyID  string
	PublicKey    *rsa.PrivateKey
	Certificates []*Certificate           // listed, the oldest first
	Keys         map[string]*sparekey.Key // of every certificate and of the public key, by serial or id
	Mode         Mode
	signs        string  // the certificate that signs where nothing else is named
	shift        string  // the certificate that signatures go over to, empty when there is none
	shifted      float64 // percent of the signatures made with it
	steered      bool    // the platform chooses among certificates, whichever a request names
	share        float64 // percent of the notifications signed with the public key

	CallerID string                    // whose requests are accepted
	Callers  map[string]*rsa.PublicKey // by the serial of the caller's certificate
	Revoked  map[string]*rsa.PublicKey // certificates of the caller that were replaced
}

// complete adds the keys that a mode needs and that are not there yet.
func (p *Platform) complete(mode Mode, now time.Time) error {
	if mode != CertificatesOnly && p.PublicKey == nil {
		key := sparekey.Named(publicKeyName)
		private, err := key.Generate()
		if err != nil {
			return err
		}
		p.PublicKey, p.Keys[p.PublicKeyID] = private, key
	}
	if mode == PublicKeyOnly || p.signs != "" {
		return nil
	}
	for i, serial := range firstSerials() {
		from := now.AddDate(-yearsElapsed*(1-i), 0, -1)
		p.list(p.Authority.promise(serial, from, from.AddDate(yearsValid, 0, 0), sparekey.Named(firstKeyName(i))))
	}
	p.signs = p.Certificates[0].Serial
	return nil
}

// neededKeys are the platform's keys that a mode cannot do without, or all that it has.
func neededKeys(mode Mode, all bool) (keys []*sparekey.Key) {
	if mode != CertificatesOnly {
		keys = append(keys, sparekey.Named(publicKeyName))
	}
	if mode != PublicKeyOnly && all {
		keys = append(keys, sparekey.Named(firstKeyName(0)), sparekey.Named(firstKeyName(1)))
	}
	return keys
}

// nextKey is the key of the next certificate.
func (p *Platform) nextKey() *sparekey.Key {
	return sparekey.Named(fmt.Sprintf("platform certificate %d", len(p.Keys)))
}

// addCertificate puts a new certificate at the end of the list.
func (p *Platform) addCertificate(from, to time.Time) *Certificate {
	return p.list(p.Authority.promise(newSerial(0x2C), from, to, p.nextKey()))
}

func (p *Platform) list(c *Certificate) *Certificate {
	p.Certificates = append(p.Certificates, c)
	p.Keys[c.Serial] = c.key
	return c
}

// Issued returns the certificates in the list, which are issued if they were not.
func (p *Platform) Issued() []*x509.Certificate {
	var keys []*sparekey.Key
	for _, c := range p.Certificates {
		keys = append(keys, c.key)
	}
	if err := sparekey.Generate(keys...); err != nil {
		panic(err) // it is for want of randomness
	}
	var list []*x509.Certificate
	for _, c := range p.Certificates {
		list = append(list, c.issued())
	}
	return list
}

// find returns the place of a certificate in the list, -1 if it is not there.
func (p *Platform) find(serial string) int {
	return slices.IndexFunc(p.Certificates, func(c *Certificate) bool { return c.Serial == serial })
}

// Named reports whether a request may name the key.
func (p *Platform) Named(serial string) bool {
	if serial == p.PublicKeyID {
		return p.Mode != CertificatesOnly
	}
	return p.Mode != PublicKeyOnly && p.find(serial) >= 0
}

// certificate returns the serial of the certificate that signs, of which a part may go over to
// another.
func (p *Platform) certificate(draws counter) string {
	if p.shift != "" && hit(draws, p.shifted) {
		return p.shift
	}
	return p.signs
}

// counter counts what a percentage decides on.
type counter interface{ Add(uint64) uint64 }

// hit reports whether the next of many is within percent of them, spread evenly.
func hit(draws counter, percent float64) bool {
	if percent <= 0 || percent >= 100 {
		return percent >= 100
	}
	n := float64(draws.Add(1))
	return int64(n*percent/100) != int64((n-1)*percent/100)
}

// Sign puts the five headers of a signature by the key that serial names.
func (p *Platform) Sign(header http.Header, serial string, at time.Time, body []byte) {
	timestamp, nonce := strconv.FormatInt(at.Unix(), 10), say.Hex(32)
	message := apiv3.AppendResponseMessage(make([]byte, 0, len(body)+64), timestamp, nonce, body)
	signature, err := p.Scheme.Sign(p.Keys[serial].Private(), message)
	if err != nil {
		panic(fmt.Sprintf("sandbox: signing: %v", err)) // the keys were made here and fit the scheme
	}
	header[apiv3.HeaderTimestamp] = []string{timestamp}
	header[apiv3.HeaderNonce] = []string{nonce}
	header[apiv3.HeaderSerial] = []string{serial}
	header[apiv3.HeaderSignatureType] = []string{p.Scheme.SignatureType()}
	header[apiv3.HeaderSignature] = []string{base64.StdEncoding.EncodeToString(signature)}
}
