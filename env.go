package wxpay

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/internal/environ"
)

// FromEnv returns a client configured by environment variables, for scripts:
//
//	WXPAY_MCHID          merchant number
//	WXPAY_BRAND_ID       brand id, in place of WXPAY_MCHID; the other variables are then the brand's
//	WXPAY_CERTIFICATE    API certificate, apiclient_cert.pem
//	WXPAY_SERIAL         its serial, instead of the certificate or to check it
//	WXPAY_PRIVATE_KEY    its private key, apiclient_key.pem
//	WXPAY_APIV3_KEY      the 32-byte APIv3 key (optional)
//	WXPAY_PUBLIC_KEY_ID  id of the WeChat Pay public key, PUB_KEY_ID_…
//	WXPAY_PUBLIC_KEY     the WeChat Pay public key
//	WXPAY_BASE_URL       the gateway (optional)
//	WXPAY_CATALOG_OVERLAY  a file with facts of your own, in the form that catalog.Catalog.With takes (optional)
//
// A key or certificate is a file's path or the PEM text itself; in the text a literal \n may stand
// for a line break. Options apply after the variables: a merchant with platform certificates and no
// public key calls FromEnv(WithCertificates()).
func FromEnv(options ...Option) (*Client, error) { return FromLookupEnv(os.LookupEnv, options...) }

// FromLookupEnv is [FromEnv] with another source of the variables, for example
// sandbox.Sandbox.LookupEnv.
func FromLookupEnv(lookup func(name string) (value string, ok bool), options ...Option) (*Client, error) {
	env, err := environ.Read(lookup)
	if err != nil {
		return nil, err
	}
	var found []Option
	if env.Brand {
		found = append(found, WithScheme(apiv3.Brand()))
	}
	if env.PublicKey != nil {
		found = append(found, WithPublicKey(env.PublicKeyID, env.PublicKey))
	}
	if env.BaseURL != "" {
		found = append(found, WithBaseURL(env.BaseURL))
	}
	if env.Overlay != nil {
		facts, err := catalog.V3().With(string(env.Overlay))
		if err != nil {
			return nil, fmt.Errorf("wxpay: WXPAY_CATALOG_OVERLAY: %w", err)
		}
		found = append(found, WithCatalog(facts))
	}
	merchant := Merchant{ID: env.ID, Serial: env.Serial, PrivateKey: env.PrivateKey, Certificate: env.Certificate, APIv3Key: env.APIv3Key}
	return New(merchant, append(found, options...)...)
}

// LoadPrivateKey reads a private key from a file, or from the PEM text itself: PKCS#8 or PKCS#1,
// PEM or DER.
func LoadPrivateKey(pathOrPEM string) (crypto.Signer, error) {
	return environ.Load(pathOrPEM, apiv3.ParsePrivateKey)
}

// LoadPublicKey reads a public key, such as pub_key.pem, from a file or from the PEM text itself:
// SPKI or PKCS#1, PEM or DER.
func LoadPublicKey(pathOrPEM string) (crypto.PublicKey, error) {
	return environ.Load(pathOrPEM, apiv3.ParsePublicKey)
}

// LoadCertificate reads a certificate from a file or from the PEM text itself, PEM or DER.
func LoadCertificate(pathOrPEM string) (*x509.Certificate, error) {
	return environ.Load(pathOrPEM, apiv3.ParseCertificate)
}
