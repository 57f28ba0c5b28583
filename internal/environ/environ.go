// Package environ reads a client's configuration from environment variables, and keys from files.
package environ

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/visible"
)

// Config is the content of the variables. What is not set is zero.
type Config struct {
	ID          string // merchant number or brand id
	Brand       bool   // the caller is a brand
	Serial      string
	Certificate *x509.Certificate
	PrivateKey  crypto.Signer
	APIv3Key    string
	PublicKeyID string // with PublicKey, or not at all
	PublicKey   crypto.PublicKey
	BaseURL     string
	Overlay     []byte // content of the catalogue's overlay
}

// Read reads the variables. Its errors name the variable and repeat no secret.
func Read(lookup func(name string) (value string, ok bool)) (Config, error) {
	get := func(name string) string {
		value, _ := lookup(name)
		return value
	}
	c := Config{
		ID: get("WXPAY_MCHID"), Serial: get("WXPAY_SERIAL"), APIv3Key: get("WXPAY_APIV3_KEY"),
		PublicKeyID: get("WXPAY_PUBLIC_KEY_ID"), BaseURL: get("WXPAY_BASE_URL"),
	}
	caller := "WXPAY_MCHID"
	if brand := get("WXPAY_BRAND_ID"); brand != "" {
		if c.ID != "" {
			return c, errors.New("wxpay: WXPAY_MCHID and WXPAY_BRAND_ID are both set: the caller is a merchant or a brand, so leave one out")
		}
		c.ID, c.Brand, caller = brand, true, "WXPAY_BRAND_ID"
	}
	own, private := get("WXPAY_CERTIFICATE"), get("WXPAY_PRIVATE_KEY")
	var missing []string
	for _, needed := range []struct{ name, value string }{{caller, c.ID}, {"WXPAY_SERIAL", c.Serial + own}, {"WXPAY_PRIVATE_KEY", private}} {
		if needed.value == "" {
			missing = append(missing, needed.name)
		}
	}
	if len(missing) > 0 {
		return c, fmt.Errorf("wxpay: not set in the environment: %s", strings.Join(missing, ", "))
	}
	for _, word := range []struct{ name, value string }{{caller, c.ID}, {"WXPAY_SERIAL", c.Serial}, {"WXPAY_PUBLIC_KEY_ID", c.PublicKeyID}} {
		if err := visible.Word(word.value); err != nil {
			return c, fmt.Errorf("wxpay: %s is %s: %w", word.name, redact.Quote(word.value), err)
		}
	}
	if err := visible.Word(c.APIv3Key); err != nil {
		return c, fmt.Errorf("wxpay: WXPAY_APIV3_KEY: %w", err)
	}
	var err error
	if c.PrivateKey, err = Load(private, apiv3.ParsePrivateKey); err != nil {
		return c, fmt.Errorf("wxpay: WXPAY_PRIVATE_KEY: %w", err)
	}
	if own != "" {
		if c.Certificate, err = Load(own, apiv3.ParseCertificate); err != nil {
			return c, fmt.Errorf("wxpay: WXPAY_CERTIFICATE: %w", err)
		}
	}
	switch public := get("WXPAY_PUBLIC_KEY"); {
	case (c.PublicKeyID == "") != (public == ""):
		return c, errors.New("wxpay: WXPAY_PUBLIC_KEY_ID and WXPAY_PUBLIC_KEY belong together, one of them is not set")
	case public != "":
		if c.PublicKey, err = Load(public, apiv3.ParsePublicKey); err != nil {
			return c, fmt.Errorf("wxpay: WXPAY_PUBLIC_KEY: %w", err)
		}
	}
	if file := get("WXPAY_CATALOG_OVERLAY"); file != "" {
		if c.Overlay, err = os.ReadFile(file); err != nil {
			return c, fmt.Errorf("wxpay: WXPAY_CATALOG_OVERLAY: %w", err)
		}
	}
	return c, nil
}
