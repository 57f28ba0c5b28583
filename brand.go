package wxpay

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"log/slog"
	"strings"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Brand is a brand that calls for itself, under /brand/, with a certificate and keys of its own. It prints redacted. (A
// service provider that acts for brands under /v3/brand/partner/ calls as the [Merchant] that it is.)
type Brand struct {
	// ID is the brand id (brand_id).
	ID string
	// Serial, PrivateKey, Certificate and Keys are of the brand's API certificate; see [Merchant].
	Serial      string
	PrivateKey  crypto.Signer     `json:"-"`
	Certificate *x509.Certificate `json:"-"`
	KeyRing     *KeyRing          `json:"-"`
	// PublicKeyID and PublicKey are the WeChat Pay public key of this brand. The id is sent with every call, which the
	// platform checks, and every answer is signed with the key: brands have no platform certificates.
	PublicKeyID string
	PublicKey   crypto.PublicKey `json:"-"`
	// Key is the brand's 32-character key, which notifications are encrypted with. Calls do not need it.
	Key string `json:"-"`
}

// Format prints id and serial under every verb; keys are left out.
func (b Brand) Format(s fmt.State, verb rune) { redact.Format(s, verb, b.text()) }

// MarshalText gives encodings what Format prints.
func (b Brand) MarshalText() ([]byte, error) { return []byte(b.text()), nil }

func (b Brand) text() string {
	return fmt.Sprintf("wxpay.Brand{ID %s, Serial %s, public key %s, keys redacted}", b.ID, b.caller().serial(), b.PublicKeyID)
}

// LogValue gives slog id and serial.
func (b Brand) LogValue() slog.Value {
	return slog.GroupValue(slog.String("brand_id", b.ID), slog.String("serial", b.caller().serial()))
}

// caller is the brand in the form in which a client holds whoever calls.
func (b Brand) caller() Merchant {
	return Merchant{ID: b.ID, Serial: b.Serial, PrivateKey: b.PrivateKey, Certificate: b.Certificate, KeyRing: b.KeyRing, APIv3Key: b.Key}
}

// NewBrand returns a client that calls as a brand: New for the scheme WECHATPAY-BRAND-SHA256-RSA2048
// (https://pay.weixin.qq.com/doc/brand/4015407568, checked in November 2026). Paths begin with brand/, such as
// client.Chain("brand/card-member/cards").
func NewBrand(brand Brand, options ...Option) (*Client, error) {
	c := &Client{merchant: brand.caller(), config: defaults()}
	return c.build(append(brand.options(), options...))
}

// AsBrand is [Client.As] for a brand.
func (c *Client) AsBrand(brand Brand, options ...Option) (*Client, error) {
	other := c.derive(brand.caller())
	return other.build(append(append(brand.options(), options...), other.inherit))
}

// options are what makes a client a brand's.
func (b Brand) options() []Option {
	return []Option{func(c *config) error {
		c.scheme = apiv3.Brand()
		if b.PublicKeyID == "" || b.PublicKey == nil {
			c.keysFailed = true
			return fmt.Errorf("Brand.PublicKeyID and Brand.PublicKey are needed for every call: the brand's platform shows both under API security")
		}
		if err := checkPublicKey(b.PublicKeyID, b.PublicKey); err != nil {
			c.keysFailed = true
			return fmt.Errorf("Brand.PublicKeyID: %w", err)
		}
		c.platformKeys = append(c.platformKeys, apiv3.PlatformKey{Serial: b.PublicKeyID, Key: b.PublicKey})
		return nil
	}}
}

// wrongScheme says which client to make where the platform refuses the signature of this kind of caller for an operation,
// which may be nil; empty if it does not.
func (c *Client) wrongScheme(operation *fact.Operation, path string) string {
	direct := strings.HasPrefix(path, "/brand/")
	if operation != nil {
		direct = operation.Scheme == fact.BrandScheme
	}
	switch {
	case direct && !c.isBrand():
		return "a brand signs it, with a scheme and a certificate of its own: NewBrand makes a client that calls as one"
	case !direct && c.isBrand():
		return "a merchant signs it, and this client calls as a brand, whose paths begin with /brand/: New makes a merchant's client"
	}
	return ""
}
