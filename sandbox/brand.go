package sandbox

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Brand is the brand whom the sandbox knows: what a client needs to call as it under /brand/. It is printed without its
// keys.
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

// brandID is the only brand's.
const brandID = "1004"

// brandSide is the brand, which is made when it is first asked for. Until then no brand has a certificate.
type brandSide struct {
	once     sync.Once
	brand    Brand
	err      error
	platform atomic.Pointer[platform]
}

// Brand returns the brand whom the sandbox knows. Its paths begin with /brand/, take the scheme of brands and no other, and
// want the id of the brand's public key in Wechatpay-Serial. The first call takes a fraction of a second, to make the keys.
func (s *Sandbox) Brand() (Brand, error) {
	b := &s.brand
	b.once.Do(func() { b.brand, b.err = s.newBrand() })
	return b.brand, b.err
}

func (s *Sandbox) newBrand() (Brand, error) {
	brand := Brand{ID: brandID, Key: hexText(apiv3.KeySize), PublicKeyID: publicKeyID(brandID)}
	var public *rsa.PrivateKey
	err := inParallel(
		func() (err error) { brand.PrivateKey, err = spareKey("brand certificate"); return err },
		func() (err error) { public, err = spareKey("brand public key"); return err },
	)
	if err != nil {
		return Brand{}, err
	}
	authority, from := s.platform.Load().authority, s.clock().Add(-time.Minute)
	brand.Certificate, err = authority.issue(newSerial(0x3A), pkix.Name{CommonName: brandID, Country: []string{"CN"}}, from, from.AddDate(yearsValid, 0, 0), brand.PrivateKey)
	if err != nil {
		return Brand{}, err
	}
	brand.Serial, brand.PublicKey = apiv3.Serial(brand.Certificate), &public.PublicKey
	s.brand.platform.Store(&platform{
		scheme: apiv3.Brand(), authority: authority, publicKeyID: brand.PublicKeyID, publicKey: public, mode: PublicKeyOnly,
		keys:     map[string]crypto.Signer{brand.PublicKeyID: public},
		callerID: brand.ID, callers: map[string]*rsa.PublicKey{brand.Serial: &brand.PrivateKey.PublicKey},
	})
	return brand, nil
}

// canOpen reports whether a delivery was encrypted for keys that are still there.
func (s *Sandbox) canOpen(d delivery) bool {
	if factsOf(d.Event).Scheme == fact.BrandScheme {
		p := s.brand.platform.Load()
		return p != nil && p.callers[d.Sealed] != nil
	}
	return s.merchant.Serial == d.Sealed
}

// isBrandPath reports whether a request target is one of a brand's.
func isBrandPath(target string) bool { return strings.HasPrefix(target, "/brand/") }

// keysFor returns the keys for a request target.
func (s *Sandbox) keysFor(target string) *platform {
	if !isBrandPath(target) {
		return s.platform.Load()
	}
	if p := s.brand.platform.Load(); p != nil {
		return p
	}
	return &platform{scheme: apiv3.Brand()} // of nobody
}

// brandOperations are those of a brand for itself that do what their twins for providers do. All others are canned.
func brandOperations() []operation {
	var list []operation
	for _, twin := range slices.Concat(memberOperations(), cardOperations(), userCardOperations(), pointOperations()) {
		rest, _ := strings.CutPrefix(twin.Path, "/v3/brand/partner/")
		if facts, known := catalog.V3().Lookup(twin.Method, "/brand/"+rest); known {
			twin.Operation = facts
			list = append(list, twin)
		}
	}
	return list
}

// brandOf is the brand that a request is of: the one that signed it, or the one that a provider names; nil if it names none.
func (c *call) brandOf() any {
	switch named, ok := c.object["brand_id"]; {
	case isBrandPath(c.target):
		return c.platform.callerID
	case ok:
		return named
	case c.query.Has("brand_id"):
		return c.query.Get("brand_id")
	}
	return nil
}

// ofBrand returns the body, with the brand that it is of.
func (c *call) ofBrand() map[string]any {
	members := maps.Clone(c.object)
	members["brand_id"] = c.brandOf()
	return members
}

// ownNumber is what the caller's out_request_no is kept under: a brand's numbers are others than a provider's.
func (c *call) ownNumber() string {
	number := c.object["out_request_no"].(string)
	if isBrandPath(c.target) {
		return c.platform.callerID + " " + number
	}
	return number
}
