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

// issuedTo names the owner of a certificate by its subject.
func issuedTo(certificate *x509.Certificate) string {
	subject := certificate.Subject
	name := shell.Bounded(subject.CommonName)
	switch {
	case slices.Contains(subject.Organization, merchantOrganization):
		return "merchant " + name
	case slices.Contains(subject.Organization, platformOrganization):
		return "the platform (" + name + ")"
	}
	return fmt.Sprintf("%q", name)
}

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
func validity(from, to, now time.Time) string {
	text := from.In(shell.China).Format(time.DateOnly) + " to " + to.In(shell.China).Format(time.DateOnly)
	switch {
	case now.Before(from):
		return text + ", begins in " + days(from.Sub(now))
	case now.After(to):
		return text + ", expired " + days(now.Sub(to)) + " ago"
	}
	return text + ", " + days(to.Sub(now)) + " left"
}

// days rounds a time down to whole days.
func days(d time.Duration) string {
	switch n := int(math.Floor(d.Hours() / 24)); n {
	case 0:
		return "less than a day"
	case 1:
		return "1 day"
	default:
		return fmt.Sprintf("%d days", n)
	}
}
