package download

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"

	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/middleware"
)

// Digest is one that content must have; the zero value demands nothing.
type Digest struct{ Algorithm, Value string }

// Algorithms are digest algorithms beyond SHA1 and SHA256, by name.
type Algorithms map[string]func() hash.Hash

// With returns the algorithms with one more.
func (a Algorithms) With(name string, algorithm func() hash.Hash) Algorithms {
	next := Algorithms{plainName(name): algorithm}
	for name, algorithm := range a {
		if next[name] == nil {
			next[name] = algorithm
		}
	}
	return next
}

// New returns the hash of a digest, nil if it demands nothing.
func (a Algorithms) New(want Digest) (hash.Hash, error) {
	if want == (Digest{}) {
		return nil, nil
	}
	var sum hash.Hash
	switch name := plainName(want.Algorithm); {
	case a[name] != nil:
		sum = a[name]()
	case name == "SHA1":
		sum = sha1.New()
	case name == "SHA256":
		sum = sha256.New()
	default:
		return nil, fmt.Errorf("the digest algorithm %s is not known here: bring it with DigestAlgorithm (SM3 is in contrib/sm)",
			redact.Quote(want.Algorithm))
	}
	if raw, err := hex.DecodeString(want.Value); err != nil || len(raw) != sum.Size() {
		return nil, fmt.Errorf("the %s digest is not %d hex digits", redact.Quote(want.Algorithm), 2*sum.Size())
	}
	return sum, nil
}

// Check compares the digest with the hash of the content; a nil one is of no digest. Its error is
// middleware.ErrDigest.
func (d Digest) Check(sum hash.Hash) error {
	if sum == nil {
		return nil
	}
	if got := hex.EncodeToString(sum.Sum(nil)); !strings.EqualFold(got, d.Value) {
		return fmt.Errorf("%w: its %s is %s instead of %s", middleware.ErrDigest, d.Algorithm, got, strings.ToLower(d.Value))
	}
	return nil
}

// plainName makes SHA-1, sha1 and SHA1 the same.
func plainName(algorithm string) string {
	return strings.ToUpper(strings.ReplaceAll(algorithm, "-", ""))
}
