package keyring

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/publickey"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/visible"
)

// Certificate is an API certificate of the caller's own with its private key. Certificate is optional, and Serial is where
// that is given.
type Certificate struct {
	Serial      string
	PrivateKey  crypto.Signer
	Certificate *x509.Certificate
}

// Number returns the serial, from the certificate if need be.
func (c Certificate) Number() string {
	if c.Serial == "" && c.Certificate != nil {
		return apiv3.Serial(c.Certificate)
	}
	return c.Serial
}

// Checked returns c with its serial filled in, and what is wrong with it. what names it in errors, such as Merchant.
func (c Certificate) Checked(what string) (Certificate, error) {
	var problems []error
	problem := func(format string, a ...any) { problems = append(problems, fmt.Errorf(what+"."+format, a...)) }
	if c.PrivateKey == nil {
		problem("PrivateKey is missing: LoadPrivateKey reads apiclient_key.pem")
	}
	serial := c.Number()
	hidden := visible.Word(serial)
	switch {
	case serial == "":
		problem("Serial is missing: give Certificate (LoadCertificate reads apiclient_cert.pem), or what openssl x509 -in apiclient_cert.pem -noout -serial prints")
	case hidden != nil:
		problem("Serial is %s: %w", redact.Quote(serial), hidden)
	case apiv3.IsSerial(strings.ToUpper(serial)) && !apiv3.IsSerial(serial):
		problem("Serial has lower-case digits: write it in upper case")
	case apiv3.IsPublicKeyID(serial):
		problem("Serial is the id of the WeChat Pay public key: it belongs into WithPublicKey; the serial is that of apiclient_cert.pem")
	case !apiv3.IsSerial(serial):
		problem("Serial is %s, not 40 hex digits (keep leading zeros): openssl x509 -in apiclient_cert.pem -noout -serial prints it", redact.Quote(serial))
	}
	if c.Certificate != nil {
		if its := apiv3.Serial(c.Certificate); apiv3.IsSerial(c.Serial) && c.Serial != its {
			problem("Serial is %s, but Certificate (apiclient_cert.pem) has the serial %s: leave Serial empty, or load the certificate that it names", c.Serial, its)
		}
		if c.PrivateKey != nil && !publickey.Equal(c.PrivateKey.Public(), c.Certificate.PublicKey) {
			problem("PrivateKey (apiclient_key.pem) does not belong to Certificate (apiclient_cert.pem), whose subject is %s: load the two files that were made together: only you have the private key, and if it is lost, apply for a new certificate in the merchant platform under API security", redact.Quote(c.Certificate.Subject.CommonName))
		}
	}
	c.Serial = serial
	return c, errors.Join(problems...)
}

// merchantOrganization stands in the subject of every merchant API certificate.
const merchantOrganization = "微信商户系统"

// IsMerchants reports whether a certificate is a merchant's API certificate, which the platform never signs with.
func IsMerchants(certificate *x509.Certificate) bool {
	return slices.Contains(certificate.Subject.Organization, merchantOrganization)
}

// Fits reports a certificate that cannot serve a scheme, or that was issued to another merchant than id.
func (c Certificate) Fits(scheme apiv3.Scheme, id string) error {
	if err := scheme.CheckPublicKey(c.PrivateKey.Public()); err != nil {
		return fmt.Errorf("PrivateKey: %w", err)
	}
	if c.Certificate == nil {
		return nil
	}
	named := c.Certificate.Subject.CommonName
	if IsMerchants(c.Certificate) && scheme.Identity() == "mchid" && named != id {
		return fmt.Errorf("%s of apiclient_cert.pem names merchant %s, not %s: load the certificate of this merchant",
			"Certificate.Subject", redact.Quote(named), redact.Quote(id))
	}
	return nil
}
