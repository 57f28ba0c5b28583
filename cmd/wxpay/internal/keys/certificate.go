package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// Organizations in the subjects of certificates.
const (
	merchantOrganization = "微信商户系统"
	platformOrganization = "Tenpay.com"
)

// issuedTo names the owner of a certificate by its subject, and tells which kind of owner that is.
func issuedTo(certificate *x509.Certificate) (kind ownerKind, owner error) {
	subject := certificate.Subject
	name := shell.Bounded(subject.CommonName)
	switch {
	case slices.Contains(subject.Organization, merchantOrganization):
		return ofMerchant, shell.Say("merchant %s", name)
	case slices.Contains(subject.Organization, platformOrganization):
		return ofPlatform, shell.Say("the platform (%s)", name)
	}
	return ofOther, shell.Say("%q", name)
}

type ownerKind int

const (
	ofOther ownerKind = iota
	ofMerchant
	ofPlatform
)

// algorithm names the algorithm of a public key and its size in bits.
func algorithm(key crypto.PublicKey) (name string, bits int) {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return "RSA", key.N.BitLen()
	case *ecdsa.PublicKey:
		return "ECDSA", key.Curve.Params().BitSize
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", key), "*"), 0
}

// validity tells from when to when a certificate is good, and how long that is still so.
func validity(from, to, now time.Time) error {
	begin, end := from.In(shell.China).Format(time.DateOnly), to.In(shell.China).Format(time.DateOnly)
	switch {
	case now.Before(from):
		return shell.Say("%s to %s, begins in %s", begin, end, days(from.Sub(now)))
	case now.After(to):
		return shell.Say("%s to %s, expired %s ago", begin, end, days(now.Sub(to)))
	}
	return shell.Say("%s to %s, %s left", begin, end, days(to.Sub(now)))
}

// days rounds a time down to whole days.
func days(d time.Duration) error {
	switch n := int(math.Floor(d.Hours() / 24)); n {
	case 0:
		return shell.Say("less than a day")
	case 1:
		return shell.Say("1 day")
	default:
		return shell.Say("%d days", n)
	}
}
