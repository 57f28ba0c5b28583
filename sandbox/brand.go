package sandbox

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
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

// brandOperations are those of a brand for itself that are more than canned.
func brandOperations() []operation {
	return []operation{{Operation: documented("GET", "/brand/card-member/cards"), do: (*call).listBrandCards, canned: true}}
}

// listBrandCards answers that there are none.
func (c *call) listBrandCards() (any, *refusal) {
	answer := map[string]any{"data": []any{}, "total_count": 0}
	for _, name := range []string{"offset", "limit"} {
		n := json.Number(c.query.Get(name))
		if v, err := n.Int64(); err != nil || v < 0 || name == "limit" && (v < 1 || v > 20) {
			r := memberError("query", name, c.query.Get(name), text{"不在取值范围内", "it is out of range"})
			r.number = numberRange
			return nil, r
		}
		answer[name] = n
	}
	return answer, nil
}
