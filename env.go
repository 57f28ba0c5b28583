package wxpay

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/visible"
)

// FromEnv returns a client made from environment variables, for scripts:
//
//	WXPAY_MCHID          merchant number
//	WXPAY_CERTIFICATE    merchant API certificate, apiclient_cert.pem
//	WXPAY_SERIAL         its serial, instead of the certificate or to check it
//	WXPAY_PRIVATE_KEY    its private key, apiclient_key.pem
//	WXPAY_APIV3_KEY      the 32-byte APIv3 key (optional)
//	WXPAY_PUBLIC_KEY_ID  id of the WeChat Pay public key, PUB_KEY_ID_…
//	WXPAY_PUBLIC_KEY     the WeChat Pay public key
//	WXPAY_BASE_URL       the gateway (optional)
//	WXPAY_CATALOG_OVERLAY  a file with facts of your own, in the form that catalog.Catalog.With takes (optional)
//
// A key or certificate is a file's path or the PEM text itself, in which a literal \n may stand for a line break. Options
// are applied after the variables: a merchant who has platform certificates and no public key calls
// FromEnv(WithCertificates()).
func FromEnv(options ...Option) (*Client, error) { return FromLookupEnv(os.LookupEnv, options...) }

// FromLookupEnv is [FromEnv] with another source of the same variables, for example sandbox.Sandbox.LookupEnv.
func FromLookupEnv(lookup func(name string) (value string, ok bool), options ...Option) (*Client, error) {
	get := func(name string) string {
		value, _ := lookup(name)
		return value
	}
	merchant := Merchant{ID: get("WXPAY_MCHID"), Serial: get("WXPAY_SERIAL"), APIv3Key: get("WXPAY_APIV3_KEY")}
	var missing []string
	for _, name := range []string{"WXPAY_MCHID", "WXPAY_SERIAL", "WXPAY_PRIVATE_KEY"} {
		if get(name) == "" && (name != "WXPAY_SERIAL" || get("WXPAY_CERTIFICATE") == "") {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("wxpay: not set in the environment: %s", strings.Join(missing, ", "))
	}
	for _, name := range []string{"WXPAY_MCHID", "WXPAY_SERIAL", "WXPAY_PUBLIC_KEY_ID"} {
		if err := visible.Word(get(name)); err != nil {
			return nil, fmt.Errorf("wxpay: %s is %s: %w", name, redact.Quote(get(name)), err)
		}
	}
	if err := visible.Word(get("WXPAY_APIV3_KEY")); err != nil {
		return nil, fmt.Errorf("wxpay: WXPAY_APIV3_KEY: %w", err)
	}
	var err error
	if merchant.PrivateKey, err = LoadPrivateKey(get("WXPAY_PRIVATE_KEY")); err != nil {
		return nil, fmt.Errorf("wxpay: WXPAY_PRIVATE_KEY: %w", err)
	}
	if own := get("WXPAY_CERTIFICATE"); own != "" {
		if merchant.Certificate, err = LoadCertificate(own); err != nil {
			return nil, fmt.Errorf("wxpay: WXPAY_CERTIFICATE: %w", err)
		}
	}
	var found []Option
	id, text := get("WXPAY_PUBLIC_KEY_ID"), get("WXPAY_PUBLIC_KEY")
	switch {
	case id != "" && text != "":
		key, err := LoadPublicKey(text)
		if err != nil {
			return nil, fmt.Errorf("wxpay: WXPAY_PUBLIC_KEY: %w", err)
		}
		found = append(found, WithPublicKey(id, key))
	case id != "" || text != "":
		return nil, errors.New("wxpay: WXPAY_PUBLIC_KEY_ID and WXPAY_PUBLIC_KEY belong together, one of them is not set")
	}
	if address := get("WXPAY_BASE_URL"); address != "" {
		found = append(found, WithBaseURL(address))
	}
	if file := get("WXPAY_CATALOG_OVERLAY"); file != "" {
		facts, err := overlaid(file)
		if err != nil {
			return nil, fmt.Errorf("wxpay: WXPAY_CATALOG_OVERLAY: %w", err)
		}
		found = append(found, WithCatalog(facts))
	}
	return New(merchant, append(found, options...)...)
}

// overlaid returns the embedded catalogue with the overlay in a file.
func overlaid(file string) (*catalog.Catalog, error) {
	overlay, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return catalog.V3().With(string(overlay))
}

// LoadPrivateKey reads a private key from a file, or from the PEM text itself: PKCS#8 or PKCS#1, PEM or DER.
func LoadPrivateKey(pathOrPEM string) (crypto.Signer, error) {
	return load(pathOrPEM, apiv3.ParsePrivateKey)
}

// LoadPublicKey reads a public key, such as pub_key.pem, from a file or from the PEM text itself: SPKI or PKCS#1, PEM or
// DER.
func LoadPublicKey(pathOrPEM string) (crypto.PublicKey, error) {
	return load(pathOrPEM, apiv3.ParsePublicKey)
}

// LoadCertificate reads a certificate from a file or from the PEM text itself, PEM or DER.
func LoadCertificate(pathOrPEM string) (*x509.Certificate, error) {
	return load(pathOrPEM, apiv3.ParseCertificate)
}

func load[K any](pathOrPEM string, parse func([]byte) (K, error)) (K, error) {
	if strings.Contains(pathOrPEM, "-----BEGIN") {
		return parse([]byte(pathOrPEM))
	}
	// What is neither PEM nor a readable file might be a damaged key, so its text is not repeated in the error.
	var none K
	data, err := os.ReadFile(pathOrPEM)
	var failure *os.PathError
	hidden := ""
	if err := visible.Line(pathOrPEM); err != nil {
		hidden = "; its " + err.Error()
	}
	if errors.As(err, &failure) {
		return none, fmt.Errorf("neither PEM text nor a readable file: %w%s", failure.Err, hidden)
	}
	if err != nil {
		return none, errors.New("neither PEM text nor a readable file")
	}
	return parse(data)
}
