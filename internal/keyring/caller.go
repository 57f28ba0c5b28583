package keyring

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/visible"
)

// Caller is the configuration of a merchant or a brand.
type Caller struct {
	ID string
	Certificate
	Ring     *Ring // in place of Certificate; nil for none
	APIv3Key string
}

// IsBrand reports whether the callers of a scheme are brands rather than merchants.
func IsBrand(scheme apiv3.Scheme) bool { return scheme.Identity() == "brand_id" }

// Check returns the caller's certificates, nil if there are none, and everything that is wrong.
func (c Caller) Check(scheme apiv3.Scheme, now time.Time) (ring *Ring, err error) {
	var problems []error
	problem := func(format string, a ...any) { problems = append(problems, fmt.Errorf("Merchant."+format, a...)) }
	hidden := visible.Word(c.ID)
	switch {
	case c.ID == "" && IsBrand(scheme):
		problem("ID is missing: it is the brand id (brand_id) that the brand's platform shows")
	case c.ID == "":
		problem("ID is missing: it is the merchant number (mchid) that the merchant platform shows under account centre")
	case hidden != nil:
		problem("ID is %s: %w", redact.Quote(c.ID), hidden)
	case strings.Trim(c.ID, "0123456789") != "":
		problem("ID is %s, which is not made of digits: it is the merchant number (mchid) or brand id, not an appid", redact.Quote(c.ID))
	}
	switch {
	case c.Ring == nil:
		certificate, err := c.Checked("Merchant")
		if problems = append(problems, err); err == nil {
			ring = Of(certificate)
		}
	case c.Certificate != Certificate{}:
		problem("KeyRing stands in place of Serial, PrivateKey and Certificate: give either")
	case c.Ring.Empty():
		problem("KeyRing is empty: make it with NewKeyRing")
	default:
		ring = c.Ring
	}
	if ring != nil {
		for _, err := range ring.Fits(scheme, c.ID) {
			problem("%w", err)
		}
		if current := ring.Current().Certificate; current != nil && now.After(current.NotAfter) {
			problem("Certificate (apiclient_cert.pem) ended on %s: apply for a new one in the merchant platform under API security, or set this machine's clock", current.NotAfter.Format(time.DateOnly))
		}
	}
	if c.APIv3Key != "" {
		if err := apiv3.CheckKey([]byte(c.APIv3Key)); err != nil {
			problem("APIv3Key: %w", err)
		}
	}
	return ring, errors.Join(problems...)
}
