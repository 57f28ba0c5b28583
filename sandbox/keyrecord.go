package sandbox

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/wxpay-go/wxpay/apiv3"
)

// keyRecord is the keys of both sides as a store has them. Keys are in DER: private ones in PKCS #8, public ones in PKIX.
type keyRecord struct {
	MerchantKey         []byte            `json:"merchant_key"`
	MerchantCertificate []byte            `json:"merchant_certificate"`
	APIv3Key            string            `json:"apiv3_key"`
	AuthorityKey        []byte            `json:"authority_key"`
	Authority           []byte            `json:"authority"`
	PublicKeyID         string            `json:"public_key_id"`
	Certificates        [][]byte          `json:"certificates"`
	Keys                map[string][]byte `json:"keys"`
	Mode                KeyMode           `json:"mode"`
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

// keyRecord returns the merchant's keys with the platform's side p.
func (t *tenant) keyRecord(p *platform) keyRecord {
	public := func(keys map[string]*rsa.PublicKey) map[string][]byte {
		ders := make(map[string][]byte, len(keys))
		for serial, key := range keys {
			ders[serial] = derOf(x509.MarshalPKIXPublicKey, key)
		}
		return ders
	}
	k := keyRecord{
		MerchantKey: derOf(x509.MarshalPKCS8PrivateKey, t.merchant.PrivateKey), MerchantCertificate: t.merchant.Certificate.Raw, APIv3Key: t.merchant.APIv3Key,
		AuthorityKey: derOf(x509.MarshalPKCS8PrivateKey, p.authority.key), Authority: p.authority.certificate.Raw,
		PublicKeyID: p.publicKeyID, Keys: make(map[string][]byte, len(p.keys)), Mode: p.mode, Signs: p.signs, Shift: p.shift, Shifted: p.shifted,
		Steered: p.steered, Share: p.share, Callers: public(p.callers), Revoked: public(p.revoked),
	}
	for serial, key := range p.keys {
		k.Keys[serial] = derOf(x509.MarshalPKCS8PrivateKey, key)
	}
	for _, certificate := range p.certificates {
		k.Certificates = append(k.Certificates, certificate.Raw)
	}
	return k
}

// install gives a merchant the keys that a store has.
func (s *Sandbox) install(k keyRecord) error {
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
	m := Merchant{ID: s.merchant.ID, PrivateKey: private(k.MerchantKey), APIv3Key: k.APIv3Key, Certificate: certificate(k.MerchantCertificate)}
	authorityKey, err := x509.ParsePKCS8PrivateKey(k.AuthorityKey)
	signer, ok := authorityKey.(*ecdsa.PrivateKey)
	if err == nil && !ok {
		err = errors.New("the key of the authority is not one of ECDSA")
	}
	errs = append(errs, err)
	p := &platform{
		scheme: s.scheme, authority: &authority{certificate(k.Authority), signer}, publicKeyID: k.PublicKeyID, keys: make(map[string]crypto.Signer, len(k.Keys)),
		mode: k.Mode, signs: k.Signs, shift: k.Shift, shifted: k.Shifted, steered: k.Steered, share: k.Share,
		callerID: s.merchant.ID, callers: public(k.Callers), revoked: public(k.Revoked),
	}
	for serial, der := range k.Keys {
		key := private(der)
		if p.keys[serial] = key; serial == k.PublicKeyID {
			p.publicKey = key
		}
	}
	for _, der := range k.Certificates {
		p.certificates = append(p.certificates, certificate(der))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if p.mode != CertificatesOnly && p.publicKey == nil || p.mode != PublicKeyOnly && p.keys[p.signs] == nil {
		return errors.New("a key is missing")
	}
	m.Serial = apiv3.Serial(m.Certificate)
	s.merchant = m
	s.platform.Store(p)
	return nil
}
