package wxpay

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"os"
	"reflect"
	"strconv"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/internal/environ"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Config is the configuration of a client as a file has it. Any decoder fills it: the tags name the
// keys in JSON, YAML and TOML, and the environment variables of [FromEnv]. An empty value is not
// set. It prints redacted, and encodes so too: write the file by hand.
//
// A value may be a reference: file:PATH, env:NAME or base64:TEXT. A key or a certificate may also be
// a file's path, or the text itself in any form that apiv3.ParsePrivateKey takes.
type Config struct {
	// MchID is the merchant number.
	MchID string `json:"mchid" yaml:"mchid" toml:"mchid" env:"WXPAY_MCHID"`
	// BrandID is the brand id, in place of MchID; the other values are then the brand's.
	BrandID string `json:"brand_id" yaml:"brand_id" toml:"brand_id" env:"WXPAY_BRAND_ID"`
	// Certificate is the API certificate, apiclient_cert.pem.
	Certificate string `json:"certificate" yaml:"certificate" toml:"certificate" env:"WXPAY_CERTIFICATE"`
	// Serial is its serial, instead of the certificate or to check it.
	Serial string `json:"serial" yaml:"serial" toml:"serial" env:"WXPAY_SERIAL"`
	// PrivateKey is its private key, apiclient_key.pem.
	PrivateKey string `json:"private_key" yaml:"private_key" toml:"private_key" env:"WXPAY_PRIVATE_KEY"`
	// APIv3Key is the 32-byte APIv3 key. FetchCertificates needs it, a client otherwise not.
	APIv3Key string `json:"apiv3_key" yaml:"apiv3_key" toml:"apiv3_key" env:"WXPAY_APIV3_KEY"`
	// PublicKeyID is the id of the WeChat Pay public key, PUB_KEY_ID_….
	PublicKeyID string `json:"public_key_id" yaml:"public_key_id" toml:"public_key_id" env:"WXPAY_PUBLIC_KEY_ID"`
	// PublicKey is the WeChat Pay public key, pub_key.pem.
	PublicKey string `json:"public_key" yaml:"public_key" toml:"public_key" env:"WXPAY_PUBLIC_KEY"`
	// FetchCertificates is [WithCertificates], for a merchant with platform certificates.
	FetchCertificates bool `json:"fetch_certificates" yaml:"fetch_certificates" toml:"fetch_certificates" env:"WXPAY_FETCH_CERTIFICATES"`
	// Overseas is for a merchant outside the mainland: the gateway is [OverseasBaseURL], with
	// [DefaultBaseURL] as the backup, unless BaseURL is set, and FetchCertificates has
	// [GlobalCertificates].
	Overseas bool `json:"overseas" yaml:"overseas" toml:"overseas" env:"WXPAY_OVERSEAS"`
	// BaseURL is the gateway; see [WithBaseURL].
	BaseURL string `json:"base_url" yaml:"base_url" toml:"base_url" env:"WXPAY_BASE_URL"`
	// KeyStore keeps the certificate list for several processes: a folder as in [FileStore], or a URL
	// that an imported package opens; see [RegisterStore]. It needs FetchCertificates.
	KeyStore string `json:"key_store" yaml:"key_store" toml:"key_store" env:"WXPAY_KEY_STORE"`
	// Limiter keeps the documented rates for several processes: a URL that an imported package opens;
	// see [RegisterStore].
	Limiter string `json:"limiter" yaml:"limiter" toml:"limiter" env:"WXPAY_LIMITER"`
	// InsecureHTTP is the host of a test's gateway that is reached by plain http; see [WithInsecureHTTP].
	InsecureHTTP string `json:"insecure_http" yaml:"insecure_http" toml:"insecure_http" env:"WXPAY_INSECURE_HTTP"`
	// CatalogOverlay is a file with facts of your own, in the form that catalog.Catalog.With takes.
	CatalogOverlay string `json:"catalog_overlay" yaml:"catalog_overlay" toml:"catalog_overlay" env:"WXPAY_CATALOG_OVERLAY"`
}

// Format prints the caller and the gateway, and no key, under every verb.
func (c Config) Format(s fmt.State, verb rune) { redact.Format(s, verb, c.text()) }

// MarshalText gives encodings what Format prints.
func (c Config) MarshalText() ([]byte, error) { return []byte(c.text()), nil }

func (c *Config) text() string {
	caller := "mchid " + redact.Printable(c.MchID)
	if c.BrandID != "" {
		caller = "brand_id " + redact.Printable(c.BrandID)
	}
	return "wxpay.Config{" + caller + ", keys redacted}"
}

// FromConfig returns a client of a configuration. Its error names every fault by the keys of the
// file. Options apply after the configuration.
func FromConfig(c Config, options ...Option) (*Client, error) {
	return c.client("json", "not set in the configuration: ", os.LookupEnv, options)
}

// FromEnv is [FromConfig] of the environment: each field of [Config] names its variable. For
// scripts. The sandbox sets the same variables.
func FromEnv(options ...Option) (*Client, error) { return FromLookupEnv(os.LookupEnv, options...) }

// FromLookupEnv is [FromEnv] with another source of the variables, for example
// sandbox.Sandbox.LookupEnv.
func FromLookupEnv(lookup func(name string) (value string, ok bool), options ...Option) (*Client, error) {
	var c Config
	for fields, i := reflect.ValueOf(&c).Elem(), 0; i < fields.NumField(); i++ {
		name := fields.Type().Field(i).Tag.Get("env")
		text, _ := lookup(name)
		switch field := fields.Field(i); {
		case field.Kind() == reflect.String:
			field.SetString(text)
		case text != "":
			set, err := strconv.ParseBool(text)
			if err != nil {
				return nil, fmt.Errorf("wxpay: %s is %s, not true or false", name, redact.Quote(text))
			}
			field.SetBool(set)
		}
	}
	return c.client("env", "not set in the environment: ", lookup, options)
}

// client makes a client of c. Errors name a value by its tag.
func (c *Config) client(tag, lacks string, lookup func(string) (string, bool), options []Option) (*Client, error) {
	value := func(field string) environ.Value {
		f, _ := reflect.TypeFor[Config]().FieldByName(field)
		return environ.Value{Name: f.Tag.Get(tag), Text: reflect.ValueOf(c).Elem().FieldByName(field).String()}
	}
	source := environ.Source{
		MchID: value("MchID"), BrandID: value("BrandID"), Serial: value("Serial"), Certificate: value("Certificate"),
		PrivateKey: value("PrivateKey"), APIv3Key: value("APIv3Key"), PublicKeyID: value("PublicKeyID"), PublicKey: value("PublicKey"),
		BaseURL: value("BaseURL"), Overlay: value("CatalogOverlay"), KeyStore: value("KeyStore"), Limiter: value("Limiter"), Lacks: lacks, Lookup: lookup,
	}
	read, err := source.Read()
	if err != nil {
		return nil, err
	}
	opened := stores{}
	found, err := c.options(&source, &read, opened)
	if err == nil {
		merchant := Merchant{ID: read.ID, Serial: read.Serial, PrivateKey: read.PrivateKey, Certificate: read.Certificate, APIv3Key: read.APIv3Key}
		var client *Client
		if client, err = New(merchant, append(found, options...)...); err == nil {
			client.stores = opened
			return client, nil
		}
	}
	_ = opened.close() // the error says why there is no client
	return nil, err
}

// options returns the options of a configuration. It opens its stores.
func (c *Config) options(source *environ.Source, read *environ.Config, opened stores) ([]Option, error) {
	var found []Option
	if read.Brand {
		found = append(found, WithScheme(apiv3.Brand()))
	}
	if read.PublicKey != nil {
		found = append(found, WithPublicKey(read.PublicKeyID, read.PublicKey))
	}
	if c.FetchCertificates {
		var settings []CertificatesOption
		if c.Overseas {
			settings = append(settings, GlobalCertificates())
		}
		if read.KeyStore != "" {
			keys, err := opened.keys(read.KeyStore)
			if err != nil {
				return nil, fmt.Errorf("wxpay: %s: %w", source.KeyStore.Name, err)
			}
			settings = append(settings, StoreIn(keys))
		}
		found = append(found, WithCertificates(settings...))
	} else if read.KeyStore != "" {
		return nil, fmt.Errorf("wxpay: %s is set, but the client fetches no certificates to keep there", source.KeyStore.Name)
	}
	if read.Limiter != "" {
		limiter, err := opened.limiter(read.Limiter)
		if err != nil {
			return nil, fmt.Errorf("wxpay: %s: %w", source.Limiter.Name, err)
		}
		found = append(found, WithLimiter(limiter))
	}
	if c.InsecureHTTP != "" {
		found = append(found, WithInsecureHTTP(c.InsecureHTTP))
	}
	if read.BaseURL != "" {
		found = append(found, WithBaseURL(read.BaseURL))
	} else if c.Overseas {
		found = append(found, WithBaseURL(OverseasBaseURL, DefaultBaseURL))
	}
	if read.Overlay != nil {
		facts, err := catalog.V3().With(string(read.Overlay))
		if err != nil {
			return nil, fmt.Errorf("wxpay: %s: %w", source.Overlay.Name, err)
		}
		found = append(found, WithCatalog(facts))
	}
	return found, nil
}

// LoadPrivateKey reads a private key from a file, or from the text itself, in the forms of
// apiv3.ParsePrivateKey. Its error shows the path, but no text that may be a key.
func LoadPrivateKey(pathOrText string) (crypto.Signer, error) {
	return environ.Load(pathOrText, apiv3.ParsePrivateKey)
}

// LoadPublicKey is [LoadPrivateKey] for a public key, such as pub_key.pem.
func LoadPublicKey(pathOrText string) (crypto.PublicKey, error) {
	return environ.Load(pathOrText, apiv3.ParsePublicKey)
}

// LoadCertificate is [LoadPrivateKey] for a certificate, such as apiclient_cert.pem.
func LoadCertificate(pathOrText string) (*x509.Certificate, error) {
	return environ.Load(pathOrText, apiv3.ParseCertificate)
}
