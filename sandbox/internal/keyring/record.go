package keyring

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/sparekey"
)

// record is the keys of both sides as a store has them. Keys are in DER: private ones in PKCS #8,
// public ones in PKIX.
type record struct {
	MerchantKey         []byte            `json:"merchant_key"`
	MerchantCertificate []byte            `json:"merchant_certificate"`
	APIv3Key            string            `json:"apiv3_key"`
	AuthorityKey        []byte            `json:"authority_key"`
	Authority           []byte            `json:"authority"`
	PublicKeyID         string            `json:"public_key_id"`
	Certificates        [][]byte          `json:"certificates"`
	Keys                map[string][]byte `json:"keys"`
	Mode                Mode              `json:"mode"`
	Signs               string            `json:"signs"`
	Shift               string            `json:"shift,omitempty"`
	Shifted             float64           `json:"shifted,omitempty"`
	Steered             bool              `json:"steered,omitempty"`
	Share               float64           `json:"share"`
	Callers             map[string][]byte `json:"callers"`
	Revoked             map[string][]byte `json:"revoked,omitempty"`
}

func derOf(marshal func(any) ([]byte, error), key any) []byte {
	der, err := marshal(key)
	if err != nil {
		panic(fmt.Sprintf("sandbox: a key cannot be written: %v", err)) // the keys were made here
	}
	return der
}

// recordOf returns the merchant's keys with the platform's side p.
func recordOf(m Merchant, p *Platform) record {
	public := func(keys map[string]*rsa.PublicKey) map[string][]byte {
		ders := make(map[string][]byte, len(keys))
		for serial, key := range keys {
			ders[serial] = derOf(x509.MarshalPKIXPublicKey, key)
		}
		return ders
	}
	k := record{
		MerchantKey: derOf(x509.MarshalPKCS8PrivateKey, m.PrivateKey), MerchantCertificate: m.Certificate.Raw, APIv3Key: m.APIv3Key,
		AuthorityKey: derOf(x509.MarshalPKCS8PrivateKey, p.Authority.key), Authority: p.Authority.Certificate.Raw,
		PublicKeyID: p.PublicKeyID, Keys: make(map[string][]byte, len(p.Keys)), Mode: p.Mode, Signs: p.signs, Shift: p.shift, Shifted: p.shifted,
		Steered: p.steered, Share: p.share, Callers: public(p.Callers), Revoked: public(p.Revoked),
	}
	for serial, key := range p.Keys {
		k.Keys[serial] = derOf(x509.MarshalPKCS8PrivateKey, key.Private())
	}
	for _, certificate := range p.Issued() {
		k.Certificates = append(k.Certificates, certificate.Raw)
	}
	return k
}

// read returns both sides of the keys.
func (k record) read(merchantID string, scheme apiv3.Scheme) (Merchant, *Platform, error) {
	var errs []error
	private := func(der []byte) *rsa.PrivateKey {
		key, err := x509.ParsePKCS8PrivateKey(der)
		rsaKey, ok := key.(*rsa.PrivateKey)
		if err == nil && !ok {
			err = errors.New("a key is not one of RSA")
		}
		errs = append(errs, err)
		return rsaKey
	}
	public := func(ders map[string][]byte) map[string]*rsa.PublicKey {
		keys := make(map[string]*rsa.PublicKey, len(ders))
		for serial, der := range ders {
			key, err := x509.ParsePKIXPublicKey(der)
			rsaKey, ok := key.(*rsa.PublicKey)
			if err == nil && !ok {
				err = errors.New("a key is not one of RSA")
			}
			errs, keys[serial] = append(errs, err), rsaKey
		}
		return keys
	}
	certificate := func(der []byte) *x509.Certificate {
		c, err := x509.ParseCertificate(der)
		errs = append(errs, err)
		return c
	}
	m := Merchant{ID: merchantID, PrivateKey: private(k.MerchantKey), APIv3Key: k.APIv3Key, Certificate: certificate(k.MerchantCertificate)}
	authorityKey, err := x509.ParsePKCS8PrivateKey(k.AuthorityKey)
	signer, ok := authorityKey.(*ecdsa.PrivateKey)
	if err == nil && !ok {
		err = errors.New("the key of the authority is not one of ECDSA")
	}
	errs = append(errs, err)
	p := &Platform{
		Scheme: scheme, Authority: &Authority{certificate(k.Authority), signer}, PublicKeyID: k.PublicKeyID, Keys: make(map[string]*sparekey.Key, len(k.Keys)),
		Mode: k.Mode, signs: k.Signs, shift: k.Shift, shifted: k.Shifted, steered: k.Steered, share: k.Share,
		CallerID: merchantID, Callers: public(k.Callers), Revoked: public(k.Revoked),
	}
	for serial, der := range k.Keys {
		key := private(der)
		if p.Keys[serial] = sparekey.Of(key); serial == k.PublicKeyID {
			p.PublicKey = key
		}
	}
	for _, der := range k.Certificates {
		if c := certificate(der); c != nil {
			p.Certificates = append(p.Certificates, certificateOf(c, p.Keys[apiv3.Serial(c)]))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return Merchant{}, nil, err
	}
	if slices.ContainsFunc(p.Certificates, func(c *Certificate) bool { return c.key == nil }) || p.Mode != CertificatesOnly && p.PublicKey == nil || p.Mode != PublicKeyOnly && p.Keys[p.signs] == nil {
		return Merchant{}, nil, errors.New("a key is missing")
	}
	m.Serial = apiv3.Serial(m.Certificate)
	return m, p, nil
}

// rotation is when the platform changes its certificates by itself.
type rotation struct {
	Since time.Time `json:"since"` // when Next was determined
	Next  time.Time `json:"next,omitzero"`
}

// Due is when that is.
func (r rotation) Due() time.Time { return r.Next }

// takeover is how long before its end the certificate that signs makes way for another.
const takeover = 10 * 24 * time.Hour

// rotation returns the next time at which a certificate ends, or the one that signs makes way.
func (p *Platform) rotation(now time.Time) rotation {
	r := rotation{Since: now}
	consider := func(at time.Time) {
		if at.After(now) && (r.Next.IsZero() || at.Before(r.Next)) {
			r.Next = at
		}
	}
	for _, c := range p.Certificates {
		consider(c.NotAfter)
		if c.Serial == p.signs {
			consider(c.NotAfter.Add(-takeover))
		}
	}
	return r
}
