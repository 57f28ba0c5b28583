package keyring

import (
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/sparekey"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Brand is sandbox.Brand, which documents the fields.
type Brand struct {
	ID          string            // brand id
	Serial      string            // of Certificate: 40 upper-case hex digits
	PrivateKey  *rsa.PrivateKey   `json:"-"` // of the brand's API certificate
	Certificate *x509.Certificate `json:"-"` // brand API certificate
	Key         string            `json:"-"` // 32 characters, of notifications
	PublicKeyID string            // of the brand's WeChat Pay public key
	PublicKey   *rsa.PublicKey    `json:"-"` // verifies answers
}

// String names the brand without its keys.
func (b Brand) String() string {
	return fmt.Sprintf("brand %s (certificate %s, keys not shown)", b.ID, b.Serial)
}

// Format prints what String returns for every verb, so that no key is printed by accident.
func (b Brand) Format(s fmt.State, verb rune) { redact.Format(s, verb, b.String()) }

// MarshalText gives encodings what String returns.
func (b Brand) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// LogValue is the brand in a log: id and serial.
func (b Brand) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", b.ID), slog.String("serial", b.Serial))
}

// BrandRing is the brand, which is made when it is first asked for. Until then no brand has a
// certificate.
type BrandRing struct {
	once     sync.Once
	brand    Brand
	err      error
	platform platform
}

// Brand returns the brand whom the sandbox knows. Its paths begin with /brand/, take the scheme of
// brands and no other, and want the id of the brand's public key in Wechatpay-Serial. The first
// call takes a fraction of a second, to make the keys.
func (b *BrandRing) Brand(authority *Authority, now time.Time) (Brand, error) {
	b.once.Do(func() { b.brand, b.err = b.make(authority, now) })
	return b.brand, b.err
}

func (b *BrandRing) make(authority *Authority, now time.Time) (Brand, error) {
	brand := Brand{ID: say.BrandID, Key: say.Hex(apiv3.KeySize), PublicKeyID: publicKeyID(say.BrandID)}
	own, platform := sparekey.Named("brand certificate"), sparekey.Named("brand public key")
	if err := sparekey.Generate(own, platform); err != nil {
		return Brand{}, err
	}
	brand.PrivateKey = own.Private()
	public, from := platform.Private(), now.Add(-time.Minute)
	var err error
	brand.Certificate, err = authority.issue(newSerial(0x3A), pkix.Name{CommonName: say.BrandID, Country: []string{"CN"}}, from, from.AddDate(yearsValid, 0, 0), brand.PrivateKey)
	if err != nil {
		return Brand{}, err
	}
	brand.Serial, brand.PublicKey = apiv3.Serial(brand.Certificate), &public.PublicKey
	b.platform.store(&Platform{
		Scheme: apiv3.Brand(), Authority: authority, PublicKeyID: brand.PublicKeyID, PublicKey: public, Mode: PublicKeyOnly,
		Keys:     map[string]*sparekey.Key{brand.PublicKeyID: platform},
		CallerID: brand.ID, Callers: map[string]*rsa.PublicKey{brand.Serial: &brand.PrivateKey.PublicKey},
	})
	return brand, nil
}

// Platform returns the platform's side of the brand's keys; nil until the brand was asked for.
func (b *BrandRing) Platform() *Platform { return b.platform.load() }
