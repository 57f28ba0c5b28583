package keyring

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"sync/atomic"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/sparekey"
	"github.com/wxpay-go/wxpay/sandbox/internal/book"
)

// Ring is the keys of a merchant, on both sides.
type Ring struct {
	merchant Merchant
	platform platform
	shifts   atomic.Uint64 // signatures that SignWith decided on
	shares   atomic.Uint64 // signatures that the share of the public key decided on

	scheme    apiv3.Scheme
	book      *book.Book
	clock     *book.Clock
	keys      book.Table[record]   // one, under the empty key, if there is a store
	rotations book.Table[rotation] // one, under the empty key
}

// Known returns the ring of a merchant without keys, which are in the store; see Install.
func Known(merchantID string, scheme apiv3.Scheme) *Ring {
	return &Ring{merchant: Merchant{ID: merchantID}, scheme: scheme}
}

// New returns the ring of a new merchant, as far as the mode needs keys. It takes time, so nothing
// may be locked.
func New(merchantID string, scheme apiv3.Scheme, mode Mode, now time.Time) (*Ring, error) {
	r := Known(merchantID, scheme)
	merchant, keys, err := issue(merchantID, scheme, mode, now)
	r.merchant = merchant
	r.platform.store(keys)
	return r, err
}

// Open adds the ring's tables to a book.
func (r *Ring) Open(b *book.Book, clock *book.Clock) {
	r.book, r.clock = b, clock
	r.keys = book.OpenTable[record](b, r.merchant.ID, "keys")
	r.rotations = book.OpenTable[rotation](b, r.merchant.ID, "rotations")
	r.rotations.OnDue(r.rotate)
}

// Keep writes the keys of a new merchant down. The book must be begun.
func (r *Ring) Keep() { r.keep(r.platform.load(), r.clock.Now()) }

// Install takes the keys that a store has.
func (r *Ring) Install() error {
	keys, ok := r.keys.Get("")
	if !ok {
		return fmt.Errorf("sandbox: the store has no keys of the merchant %s", r.merchant.ID)
	}
	merchant, platform, err := keys.read(r.merchant.ID, r.scheme)
	if err != nil {
		return fmt.Errorf("sandbox: the store: the keys of the merchant %s: %w", r.merchant.ID, err)
	}
	r.merchant = merchant
	r.platform.store(platform)
	return nil
}

// Merchant returns the merchant's side.
func (r *Ring) Merchant() Merchant { return r.merchant }

// Platform returns the platform's side as it is now.
func (r *Ring) Platform() *Platform { return r.platform.load() }

// Encrypt encrypts a value for the merchant.
func (r *Ring) Encrypt(value string) string {
	return Encrypt(r.scheme, r.merchant.PrivateKey.Public(), value)
}

// Encrypt encrypts a value that is short enough for the key.
func Encrypt(scheme apiv3.Scheme, public crypto.PublicKey, value string) string {
	ciphertext, err := scheme.Encrypt(public, []byte(value))
	if err != nil {
		panic(fmt.Sprintf("sandbox: encrypting a field: %v", err)) // it was decrypted from no larger a ciphertext
	}
	return base64.StdEncoding.EncodeToString(ciphertext)
}

// issue makes a merchant and the platform's side of their keys, as far as the mode needs them.
func issue(merchantID string, scheme apiv3.Scheme, mode Mode, now time.Time) (Merchant, *Platform, error) {
	own := sparekey.Named(merchantKeyName(merchantID))
	if err := sparekey.Generate(append(neededKeys(mode, false), own)...); err != nil {
		return Merchant{}, nil, err
	}
	key := own.Private()
	if err := scheme.CheckPublicKey(key.Public()); err != nil {
		return Merchant{}, nil, fmt.Errorf("sandbox: WithScheme: the scheme must work with RSA keys of %d bits: %w", KeyBits, err)
	}
	signer, err := authorityKey()
	if err != nil {
		return Merchant{}, nil, fmt.Errorf("sandbox: generating keys: %w", err)
	}
	authority, err := newAuthority(signer, now)
	if err != nil {
		return Merchant{}, nil, err
	}
	p := &Platform{
		Scheme: scheme, Authority: authority, PublicKeyID: publicKeyID(merchantID), Keys: make(map[string]*sparekey.Key, 3), Mode: mode, share: 100,
		CallerID: merchantID, Callers: make(map[string]*rsa.PublicKey, 1),
	}
	if err := p.complete(mode, now); err != nil {
		return Merchant{}, nil, err
	}
	who, from := identityOf(merchantID), now.AddDate(-1, 0, 0)
	certificate, err := authority.issue(who.serial, merchantSubject(merchantID), from, from.AddDate(yearsValid, 0, 0), key)
	if err != nil {
		return Merchant{}, nil, err
	}
	p.Callers[apiv3.Serial(certificate)] = &key.PublicKey
	return Merchant{ID: merchantID, Serial: apiv3.Serial(certificate), PrivateKey: key, APIv3Key: who.apiv3Key, Certificate: certificate}, p, nil
}

// Generate makes the keys that nobody needed so far: a store takes all of them. It takes time, so
// nothing may be locked.
func (r *Ring) Generate() error {
	return sparekey.Generate(slices.Collect(maps.Values(r.platform.load().Keys))...)
}

// Complete makes sure that the platform has the keys of a mode, whichever mode the merchant is in.
func (r *Ring) Complete(mode Mode) error {
	if p := r.platform.load(); (mode == CertificatesOnly || p.PublicKey != nil) && (mode == PublicKeyOnly || p.signs != "") {
		return nil
	}
	if err := sparekey.Generate(neededKeys(mode, r.book.Stores())...); err != nil { // beforehand, while nobody has to wait
		return err
	}
	return r.change(func(p *Platform) error { return p.complete(mode, r.clock.Now()) })
}

// SetMode changes which platform keys the merchant has. Requests under way end with the keys they
// found.
func (r *Ring) SetMode(mode Mode) error {
	if err := mode.Check(); err != nil {
		return err
	}
	if err := r.Complete(mode); err != nil {
		return err
	}
	return r.change(func(p *Platform) error {
		p.Mode = mode
		return nil
	})
}

// SetPublicKeyShare sets how many percent of the notifications are signed with the public key while
// the merchant has both kinds, 100 by default; a certificate signs the others. The platform raises
// it by itself over about seven days: 0.1, 1, 5, 10, 20, 50, 100. The share is kept exactly, not
// drawn.
func (r *Ring) SetPublicKeyShare(percent float64) error {
	return r.change(func(p *Platform) error {
		p.share = percent
		return checkPercent(percent)
	})
}

// AddCertificate issues a platform certificate that is good for validity, and puts it at the end of
// the list. It signs nothing before SignWith.
func (r *Ring) AddCertificate(validity time.Duration) (*x509.Certificate, error) {
	if validity <= 0 {
		return nil, fmt.Errorf("sandbox: AddCertificate: the validity is %s, it must be positive", validity)
	}
	if err := r.Complete(CertificatesOnly); err != nil {
		return nil, err
	}
	if err := sparekey.Generate(r.platform.load().nextKey()); err != nil { // beforehand, while nobody has to wait
		return nil, err
	}
	var added *Certificate
	err := r.change(func(p *Platform) error {
		now := r.clock.Now()
		added = p.addCertificate(now.Add(-time.Minute), now.Add(validity))
		return nil
	})
	return added.issued(), err
}

// SignWith signs percent of the signatures with the certificate that serial names, and the others
// with the one that signed before, as in the last days of a replacement. From then on the platform
// chooses among certificates, whichever a request names. At 100 the replacement is done. The share
// is kept exactly, not drawn.
func (r *Ring) SignWith(serial string, percent float64) error {
	if err := r.Complete(CertificatesOnly); err != nil {
		return err
	}
	return r.change(func(p *Platform) error {
		if p.find(serial) < 0 {
			return fmt.Errorf("sandbox: SignWith: %q is no certificate in the list", serial)
		}
		p.shift, p.shifted, p.steered = serial, percent, true
		if percent == 100 {
			p.signs, p.shift, p.shifted = serial, "", 0
		}
		return checkPercent(percent)
	})
}

// RemoveCertificate takes a platform certificate out of the list. A request with a field that is
// encrypted for it is refused from then on. The one that signs cannot be removed.
func (r *Ring) RemoveCertificate(serial string) error {
	if err := r.Complete(CertificatesOnly); err != nil {
		return err
	}
	return r.change(func(p *Platform) error {
		i := p.find(serial)
		switch {
		case i < 0:
			return fmt.Errorf("sandbox: RemoveCertificate: %q is no certificate in the list", serial)
		case serial == p.signs || serial == p.shift:
			return fmt.Errorf("sandbox: RemoveCertificate: %s signs; SignWith another first", serial)
		}
		p.Certificates = slices.Delete(p.Certificates, i, i+1)
		return nil
	})
}

// ExpireCertificate has the list show a platform certificate as one that ended a minute ago. It
// signs as before, which the platform would never do.
func (r *Ring) ExpireCertificate(serial string) error {
	if err := r.Complete(CertificatesOnly); err != nil {
		return err
	}
	return r.change(func(p *Platform) error {
		i := p.find(serial)
		if i < 0 {
			return fmt.Errorf("sandbox: ExpireCertificate: %q is no certificate in the list", serial)
		}
		old, end := p.Certificates[i], r.clock.Now().Add(-time.Minute)
		number, _ := new(big.Int).SetString(old.Serial, 16)
		p.Certificates[i] = p.Authority.promise(number, end.AddDate(-yearsValid, 0, 0), end, old.key)
		return nil
	})
}

// AddMerchantCertificate issues another API certificate to the merchant, as when the merchant
// replaces its own: requests signed with either are accepted. It returns the merchant with the new
// certificate.
func (r *Ring) AddMerchantCertificate() (Merchant, error) {
	added, present := r.merchant, r.platform.load()
	key, err := sparekey.Named(fmt.Sprintf("merchant %s certificate %d", r.merchant.ID, len(present.Callers)+len(present.Revoked))).Generate()
	if err != nil {
		return added, err
	}
	added.PrivateKey = key
	err = r.change(func(p *Platform) (err error) {
		now := r.clock.Now()
		if added.Certificate, err = p.Authority.issue(newSerial(0x6B), merchantSubject(r.merchant.ID), now.Add(-time.Minute), now.AddDate(yearsValid, 0, 0), added.PrivateKey); err != nil {
			return err
		}
		added.Serial = apiv3.Serial(added.Certificate)
		p.Callers[added.Serial] = &added.PrivateKey.PublicKey
		return nil
	})
	return added, err
}

// AddMerchantKey accepts requests that are signed with a key of the merchant's own, under the serial
// of its API certificate.
func (r *Ring) AddMerchantKey(serial string, public *rsa.PublicKey) error {
	switch {
	case !apiv3.IsSerial(serial):
		return fmt.Errorf("sandbox: AddMerchantKey: the serial %s is not 40 upper-case hex digits", redact.Quote(serial))
	case public == nil || public.N == nil || public.N.BitLen() != KeyBits:
		return fmt.Errorf("sandbox: AddMerchantKey: the key is not an RSA key of %d bits", KeyBits)
	}
	return r.change(func(p *Platform) error {
		if p.Callers[serial] != nil || p.Revoked[serial] != nil {
			return fmt.Errorf("sandbox: AddMerchantKey: the merchant already has a certificate with the serial %s", serial)
		}
		p.Callers[serial] = public
		return nil
	})
}

// RevokeMerchantCertificate ends an API certificate of the merchant: requests signed with it are
// 401 SIGN_ERROR.
func (r *Ring) RevokeMerchantCertificate(serial string) error {
	return r.change(func(p *Platform) error {
		if p.Callers[serial] == nil {
			return fmt.Errorf("sandbox: RevokeMerchantCertificate: the merchant has no certificate %q", serial)
		}
		p.Revoked[serial] = p.Callers[serial]
		delete(p.Callers, serial)
		return nil
	})
}

// Notifier returns the serial of the key whose turn it is to sign a notification.
func (r *Ring) Notifier(p *Platform) string {
	if p.Mode == PublicKeyOnly || p.Mode == BothKeys && hit(&r.shares, p.share) {
		return p.PublicKeyID
	}
	return p.certificate(&r.shifts)
}

// change replaces the keys by changed ones, unless edit fails.
func (r *Ring) change(edit func(*Platform) error) error {
	b := r.book.Begin(r.clock.Now())
	err := r.changeKeys(edit, b.Begun())
	if failed := b.End(); err == nil {
		err = failed
	}
	return err
}

// changeKeys is change with the book begun.
func (r *Ring) changeKeys(edit func(*Platform) error, now time.Time) error {
	changed := *r.platform.load()
	changed.Certificates = slices.Clone(changed.Certificates)
	changed.Keys = maps.Clone(changed.Keys)
	changed.Callers, changed.Revoked = maps.Clone(changed.Callers), maps.Clone(changed.Revoked)
	if changed.Revoked == nil {
		changed.Revoked = make(map[string]*rsa.PublicKey)
	}
	if err := edit(&changed); err != nil {
		return err
	}
	r.platform.store(&changed)
	r.keep(&changed, now)
	return nil
}

// keep writes the keys down, and when the platform changes them next.
func (r *Ring) keep(p *Platform, now time.Time) {
	if r.book.Stores() {
		r.keys.Put("", recordOf(r.merchant, p))
	}
	r.rotations.Put("", p.rotation(now))
}

// rotate does what the platform does about certificates in time: another signs from ten days before
// one ends, a new one if there is none that lasts longer, and those that have ended leave the list.
func (r *Ring) rotate(_ string, last rotation, at time.Time) {
	r.changeKeys(func(p *Platform) error {
		latest := slices.MaxFunc(p.Certificates, func(a, b *Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
		if i := p.find(p.signs); i >= 0 && p.Certificates[i].NotAfter.After(last.Since) && !at.Before(p.Certificates[i].NotAfter.Add(-takeover)) {
			if !latest.NotAfter.After(at.Add(takeover)) {
				latest = p.addCertificate(at, at.AddDate(yearsValid, 0, 0))
			}
			p.signs, p.shift, p.shifted, p.steered = latest.Serial, "", 0, true
		}
		p.Certificates = slices.DeleteFunc(p.Certificates, func(c *Certificate) bool {
			return c.NotAfter.After(last.Since) && !c.NotAfter.After(at)
		})
		return nil
	}, at)
}

func checkPercent(percent float64) error {
	if !(percent >= 0 && percent <= 100) {
		return fmt.Errorf("sandbox: %v is not between 0 and 100 percent", percent)
	}
	return nil
}

// Signer returns the serial of the key that signs a response: the one that the request names, else
// a certificate if the merchant has any. p are the keys as they were when the request arrived.
func (r *Ring) Signer(p *Platform, named string) string {
	switch {
	case p.Mode == PublicKeyOnly, named == p.PublicKeyID:
		return p.PublicKeyID
	case named == "" || p.steered:
		return p.certificate(&r.shifts)
	}
	return named
}
