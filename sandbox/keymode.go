package sandbox

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
)

// KeyMode says which platform keys the merchant has.
type KeyMode int

const (
	// BothKeys: certificates and the WeChat Pay public key, as while a merchant changes from one to the other. It is the
	// default.
	BothKeys KeyMode = iota
	// CertificatesOnly: the merchant has not applied for the public key, and a request that names it is refused.
	CertificatesOnly
	// PublicKeyOnly: the merchant never had certificates. The list of certificates is 404 RESOURCE_NOT_EXISTS.
	PublicKeyOnly
)

// keyModes are the modes as text.
var keyModes = []string{BothKeys: "both", CertificatesOnly: "certificates", PublicKeyOnly: "public-key"}

// MarshalText is both, certificates or public-key.
func (m KeyMode) MarshalText() ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	return []byte(keyModes[m]), nil
}

// UnmarshalText reads what MarshalText writes.
func (m *KeyMode) UnmarshalText(text []byte) error {
	i := slices.Index(keyModes, string(text))
	if i < 0 {
		return fmt.Errorf("sandbox: there is no key mode %q; there are %s", text, strings.Join(keyModes, ", "))
	}
	*m = KeyMode(i)
	return nil
}

func (m KeyMode) check() error {
	if m < BothKeys || m > PublicKeyOnly {
		return fmt.Errorf("sandbox: %d is no KeyMode", m)
	}
	return nil
}

// WithKeyMode sets which platform keys the merchant has, BothKeys by default.
func WithKeyMode(mode KeyMode) Option {
	return func(s *settings) error {
		s.mode = mode
		return mode.check()
	}
}

// SetKeyMode changes which platform keys the merchant has. Requests under way end with the keys they found.
func (s *Sandbox) SetKeyMode(mode KeyMode) error {
	if err := mode.check(); err != nil {
		return err
	}
	if err := s.complete(mode); err != nil {
		return err
	}
	return s.change(func(p *platform) error {
		p.mode = mode
		return nil
	})
}

// SetPublicKeyShare sets how many percent of the notifications are signed with the public key while the merchant has both
// kinds, 100 by default; a certificate signs the others. The platform raises it by itself over about seven days: 0.1, 1, 5,
// 10, 20, 50, 100. The share is kept exactly, not drawn.
func (s *Sandbox) SetPublicKeyShare(percent float64) error {
	return s.change(func(p *platform) error {
		p.share = percent
		return checkPercent(percent)
	})
}

// AddCertificate issues a platform certificate that is good for validity, and puts it at the end of the list. It signs
// nothing before [Sandbox.SignWith].
func (s *Sandbox) AddCertificate(validity time.Duration) (*x509.Certificate, error) {
	if validity <= 0 {
		return nil, fmt.Errorf("sandbox: AddCertificate: the validity is %s, it must be positive", validity)
	}
	var added *x509.Certificate
	if err := s.complete(CertificatesOnly); err != nil {
		return nil, err
	}
	if _, err := spareKey(platformKeyName(s.platform.Load())); err != nil { // made beforehand, while nobody has to wait
		return nil, err
	}
	err := s.change(func(p *platform) (err error) {
		now := s.clock()
		added, err = p.addCertificate(now.Add(-time.Minute), now.Add(validity))
		return err
	})
	return added, err
}

// platformKeyName names the key of the next certificate.
func platformKeyName(p *platform) string { return fmt.Sprintf("platform certificate %d", len(p.keys)) }

// addCertificate issues a certificate and puts it at the end of the list.
func (p *platform) addCertificate(from, to time.Time) (*x509.Certificate, error) {
	key, err := spareKey(platformKeyName(p))
	if err != nil {
		return nil, err
	}
	added, err := p.authority.issue(newSerial(0x2C), platformSubject, from, to, key)
	if err != nil {
		return nil, err
	}
	p.certificates = append(p.certificates, added)
	p.keys[apiv3.Serial(added)] = key
	return added, nil
}

// SignWith has percent of the signatures made with the certificate that serial names, and the others with the one that signed
// before, as in the last days of a replacement. From then on the platform chooses among certificates, whichever a request
// names. At 100 the replacement is done. The share is kept exactly, not drawn.
func (s *Sandbox) SignWith(serial string, percent float64) error {
	if err := s.complete(CertificatesOnly); err != nil {
		return err
	}
	return s.change(func(p *platform) error {
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

// RemoveCertificate takes a platform certificate out of the list. A request that names it is refused from then on. The one
// that signs cannot be removed.
func (s *Sandbox) RemoveCertificate(serial string) error {
	if err := s.complete(CertificatesOnly); err != nil {
		return err
	}
	return s.change(func(p *platform) error {
		i := p.find(serial)
		switch {
		case i < 0:
			return fmt.Errorf("sandbox: RemoveCertificate: %q is no certificate in the list", serial)
		case serial == p.signs || serial == p.shift:
			return fmt.Errorf("sandbox: RemoveCertificate: %s signs; SignWith another first", serial)
		}
		p.certificates = slices.Delete(p.certificates, i, i+1)
		return nil
	})
}

// ExpireCertificate has the list show a platform certificate as one that ended a minute ago. What it signs is signed as
// before, which the platform would never do.
func (s *Sandbox) ExpireCertificate(serial string) error {
	if err := s.complete(CertificatesOnly); err != nil {
		return err
	}
	return s.change(func(p *platform) error {
		i := p.find(serial)
		if i < 0 {
			return fmt.Errorf("sandbox: ExpireCertificate: %q is no certificate in the list", serial)
		}
		old, end := p.certificates[i], s.clock().Add(-time.Minute)
		ended, err := p.authority.issue(old.SerialNumber, platformSubject, end.AddDate(-yearsValid, 0, 0), end, p.keys[serial].(*rsa.PrivateKey))
		p.certificates[i] = ended
		return err
	})
}

// AddMerchantCertificate issues another API certificate to the merchant, as when the merchant replaces its own: requests
// signed with either are accepted. It returns the merchant with the new certificate.
func (s *Sandbox) AddMerchantCertificate() (Merchant, error) {
	added, present := s.merchant, s.platform.Load()
	key, err := spareKey(fmt.Sprintf("merchant %s certificate %d", s.merchant.ID, len(present.callers)+len(present.revoked)))
	if err != nil {
		return added, err
	}
	added.PrivateKey = key
	err = s.change(func(p *platform) (err error) {
		now := s.clock()
		if added.Certificate, err = p.authority.issue(newSerial(0x6B), merchantSubject(s.merchant.ID), now.Add(-time.Minute), now.AddDate(yearsValid, 0, 0), added.PrivateKey); err != nil {
			return err
		}
		added.Serial = apiv3.Serial(added.Certificate)
		p.callers[added.Serial] = &added.PrivateKey.PublicKey
		return nil
	})
	return added, err
}

// RevokeMerchantCertificate ends an API certificate of the merchant: requests signed with it are 401 SIGN_ERROR.
func (s *Sandbox) RevokeMerchantCertificate(serial string) error {
	return s.change(func(p *platform) error {
		if p.callers[serial] == nil {
			return fmt.Errorf("sandbox: RevokeMerchantCertificate: the merchant has no certificate %q", serial)
		}
		p.revoked[serial] = p.callers[serial]
		delete(p.callers, serial)
		return nil
	})
}

// notifies returns the serial of the key whose turn it is to sign a notification.
func (s *Sandbox) notifies(p *platform) string {
	if p.mode == PublicKeyOnly || p.mode == BothKeys && hit(&s.shares, p.share) {
		return p.publicKeyID
	}
	return p.certificate(&s.shifts)
}

// change replaces the keys by changed ones, unless edit fails.
func (s *Sandbox) change(edit func(*platform) error) error {
	st := s.begin()
	err := st.changeKeys(edit, st.begun)
	if failed := st.end(); err == nil {
		err = failed
	}
	return err
}

// changeKeys is change with the state begun.
func (s *state) changeKeys(edit func(*platform) error, now time.Time) error {
	changed := *s.view.platform.Load()
	changed.certificates = slices.Clone(changed.certificates)
	changed.keys = maps.Clone(changed.keys)
	changed.callers, changed.revoked = maps.Clone(changed.callers), maps.Clone(changed.revoked)
	if changed.revoked == nil {
		changed.revoked = make(map[string]*rsa.PublicKey)
	}
	if err := edit(&changed); err != nil {
		return err
	}
	s.view.platform.Store(&changed)
	s.putKeys(&changed, now)
	return nil
}

// putKeys writes the keys down, and when the platform changes them next.
func (s *state) putKeys(p *platform, now time.Time) {
	if s.kept.store != nil {
		s.keys.put("", s.view.keyRecord(p))
	}
	s.rotations.put("", p.rotation(now))
}

// rotation is when the platform changes its certificates by itself.
type rotation struct {
	Since time.Time `json:"since"` // when Next was determined
	Next  time.Time `json:"next,omitzero"`
}

func (r rotation) due() time.Time { return r.Next }

// takeover is how long before its end the certificate that signs makes way for another.
const takeover = 10 * 24 * time.Hour

// rotation returns the next time at which a certificate ends, or the one that signs makes way.
func (p *platform) rotation(now time.Time) rotation {
	r := rotation{Since: now}
	consider := func(at time.Time) {
		if at.After(now) && (r.Next.IsZero() || at.Before(r.Next)) {
			r.Next = at
		}
	}
	for _, c := range p.certificates {
		consider(c.NotAfter)
		if apiv3.Serial(c) == p.signs {
			consider(c.NotAfter.Add(-takeover))
		}
	}
	return r
}

// rotate does what the platform does about certificates in time: another signs from ten days before one ends, a new one if there
// is none that lasts longer, and those that have ended leave the list.
func (s *state) rotate(_ string, r rotation, at time.Time) {
	err := s.changeKeys(func(p *platform) error {
		last := slices.MaxFunc(p.certificates, func(a, b *x509.Certificate) int { return a.NotAfter.Compare(b.NotAfter) })
		if i := p.find(p.signs); i >= 0 && p.certificates[i].NotAfter.After(r.Since) && !at.Before(p.certificates[i].NotAfter.Add(-takeover)) {
			if !last.NotAfter.After(at.Add(takeover)) {
				var err error
				if last, err = p.addCertificate(at, at.AddDate(yearsValid, 0, 0)); err != nil {
					return err
				}
			}
			p.signs, p.shift, p.shifted, p.steered = apiv3.Serial(last), "", 0, true
		}
		p.certificates = slices.DeleteFunc(p.certificates, func(c *x509.Certificate) bool {
			return c.NotAfter.After(r.Since) && !c.NotAfter.After(at)
		})
		return nil
	}, at)
	if err != nil {
		s.rotations.put("", rotation{Since: at}) // no key could be made: nothing changes any more by itself
	}
}

func checkPercent(percent float64) error {
	if !(percent >= 0 && percent <= 100) {
		return fmt.Errorf("sandbox: %v is not between 0 and 100 percent", percent)
	}
	return nil
}

// find returns the place of a certificate in the list, -1 if it is not there.
func (p *platform) find(serial string) int {
	return slices.IndexFunc(p.certificates, func(c *x509.Certificate) bool { return apiv3.Serial(c) == serial })
}

// named reports whether a request may name the key.
func (p *platform) named(serial string) bool {
	if serial == p.publicKeyID {
		return p.mode != CertificatesOnly
	}
	return p.mode != PublicKeyOnly && p.find(serial) >= 0
}

// certificate returns the serial of the certificate that signs, of which a part may go over to another.
func (p *platform) certificate(draws counter) string {
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

// checkSerial finds the key that the request names.
func (c *call) checkSerial() *refusal {
	named := c.request.Header[apiv3.HeaderSerial]
	if len(named) == 1 && c.platform.named(named[0]) {
		c.serial = named[0]
		return nil
	}
	if c.scheme.Identity() == "brand_id" {
		c.explainPlatformSerial(named)
		return invalidRequest(text{"Wechatpay-Serial与brand_id不匹配", "Wechatpay-Serial does not belong to brand_id"},
			"a brand's request must name the id of the brand's own public key in Wechatpay-Serial")
	}
	if len(named) == 0 {
		return nil
	}
	c.explainPlatformSerial(named)
	return parameterError(text{"平台证书序列号Wechatpay-Serial错误", "the platform serial in Wechatpay-Serial is wrong"}, nil,
		"Wechatpay-Serial names neither the public key nor one of the platform certificates")
}

// signer returns the serial of the key that signs the answer: the one that the request names, else a certificate if the
// merchant has any.
func (c *call) signer() string {
	p := c.platform
	switch {
	case p.mode == PublicKeyOnly, c.serial == p.publicKeyID:
		return p.publicKeyID
	case c.serial == "" || p.steered:
		return p.certificate(&c.shifts)
	}
	return c.serial
}

// sign puts the five headers of a signature by the key that serial names.
func (p *platform) sign(header http.Header, serial string, at time.Time, body []byte) {
	timestamp, nonce := strconv.FormatInt(at.Unix(), 10), hexText(32)
	message := apiv3.AppendResponseMessage(make([]byte, 0, len(body)+64), timestamp, nonce, body)
	signature, err := p.scheme.Sign(crypto.Signer(p.keys[serial]), message)
	if err != nil {
		panic(fmt.Sprintf("sandbox: signing: %v", err)) // the keys were made here and fit the scheme
	}
	header[apiv3.HeaderTimestamp] = []string{timestamp}
	header[apiv3.HeaderNonce] = []string{nonce}
	header[apiv3.HeaderSerial] = []string{serial}
	header[apiv3.HeaderSignatureType] = []string{p.scheme.SignatureType()}
	header[apiv3.HeaderSignature] = []string{base64.StdEncoding.EncodeToString(signature)}
}
