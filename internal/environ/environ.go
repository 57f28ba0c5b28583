// Package environ reads a client's configuration from texts: environment variables, or a file that
// somebody has decoded. It reads keys from files.
package environ

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/visible"
)

// Value is a text of a configuration.
type Value struct {
	Name string // in errors, such as WXPAY_MCHID
	Text string // empty if it is not set
}

// Source has the texts of a configuration.
type Source struct {
	MchID, BrandID, Serial, Certificate, PrivateKey, APIv3Key, PublicKeyID, PublicKey, BaseURL, Overlay, KeyStore, Limiter Value

	// Lacks begins the error about values that are not set.
	Lacks string
	// Lookup finds the variable of a reference.
	Lookup func(name string) (value string, ok bool)
}

// Config is the content of a configuration. A value that is not set is zero.
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
	KeyStore    string // a folder or a URL, which may have a password
	Limiter     string // a URL, which may have a password
}

// Read reads a configuration. Its error names each value that cannot be used and repeats no secret.
func (s *Source) Read() (Config, error) {
	var problems []error
	problem := func(v Value, err error) { problems = append(problems, fmt.Errorf("%s: %w", v.Name, err)) }
	word := func(v Value, secret bool) string {
		text, err := s.resolve(v.Text)
		if err == nil {
			err = visible.Word(text)
			if err != nil && !secret {
				problems = append(problems, fmt.Errorf("%s is %s: %w", v.Name, redact.Quote(text), err))
				return text
			}
		}
		if err != nil {
			problem(v, err)
		}
		return text
	}
	line := func(v Value) string {
		text, err := s.resolve(v.Text)
		if err == nil {
			err = visible.Line(text)
		}
		if err != nil {
			problem(v, err)
		}
		return text
	}
	c := Config{
		ID: word(s.MchID, false), Serial: word(s.Serial, false), APIv3Key: word(s.APIv3Key, true),
		PublicKeyID: word(s.PublicKeyID, false), BaseURL: s.BaseURL.Text,
		KeyStore: line(s.KeyStore), Limiter: line(s.Limiter),
	}
	caller := s.MchID
	if s.BrandID.Text != "" {
		if s.MchID.Text != "" {
			problems = append(problems, fmt.Errorf("%s and %s are both set: the caller is a merchant or a brand, so leave one out", s.MchID.Name, s.BrandID.Name))
		}
		c.ID, c.Brand, caller = word(s.BrandID, false), true, s.BrandID
	}
	missing := []string{}
	for _, needed := range []Value{caller, {s.Serial.Name, s.Serial.Text + s.Certificate.Text}, s.PrivateKey} {
		if needed.Text == "" {
			missing = append(missing, needed.Name)
		}
	}
	if len(missing) > 0 {
		problems = append(problems, errors.New(s.Lacks+strings.Join(missing, ", ")))
	}
	var err error
	if c.PrivateKey, err = load(s, s.PrivateKey, apiv3.ParsePrivateKey); err != nil {
		problem(s.PrivateKey, err)
	}
	if c.Certificate, err = load(s, s.Certificate, apiv3.ParseCertificate); err != nil {
		problem(s.Certificate, err)
	}
	if (s.PublicKeyID.Text == "") != (s.PublicKey.Text == "") {
		problems = append(problems, fmt.Errorf("%s and %s belong together, one of them is not set", s.PublicKeyID.Name, s.PublicKey.Name))
	} else if c.PublicKey, err = load(s, s.PublicKey, apiv3.ParsePublicKey); err != nil {
		problem(s.PublicKey, err)
	}
	if c.Overlay, err = s.overlay(); err != nil {
		problem(s.Overlay, err)
	}
	if err := errors.Join(problems...); err != nil {
		return Config{}, fmt.Errorf("wxpay: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return c, nil
}

// References to a value that stands elsewhere.
const (
	inFile     = "file:"
	inVariable = "env:"
	inBase64   = "base64:"
)

// resolve returns the value that text refers to; text itself if it is no reference. It leaves out
// the line break at the end of a file.
func (s *Source) resolve(text string) (string, error) {
	if path, ok := strings.CutPrefix(text, inFile); ok {
		data, err := os.ReadFile(path)
		if err != nil {
			return "", unreadable(path, err)
		}
		return strings.TrimRight(string(data), "\r\n"), nil
	}
	if name, ok := strings.CutPrefix(text, inVariable); ok {
		value, _ := s.Lookup(name)
		if value == "" {
			return "", fmt.Errorf("the variable %s is not set in the environment", redact.Quote(name))
		}
		return value, nil
	}
	if encoded, ok := strings.CutPrefix(text, inBase64); ok {
		data, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return "", errors.New("the text after " + inBase64 + " is not base64")
		}
		return string(data), nil
	}
	return text, nil
}

// load reads a key or certificate; the zero value if none is set.
func load[K any](s *Source, v Value, parse func([]byte) (K, error)) (none K, err error) {
	switch path, isFile := strings.CutPrefix(v.Text, inFile); {
	case v.Text == "":
		return none, nil
	case isFile:
		return Load(path, parse)
	}
	text, err := s.resolve(v.Text)
	if err != nil {
		return none, err
	}
	if strings.HasPrefix(v.Text, inBase64) {
		return parse([]byte(text))
	}
	return Load(text, parse)
}

// overlay reads the overlay, which is a path or a reference; nil if none is set.
func (s *Source) overlay() ([]byte, error) {
	text := s.Overlay.Text
	switch {
	case text == "":
		return nil, nil
	case !strings.HasPrefix(text, inVariable) && !strings.HasPrefix(text, inBase64):
		text = inFile + strings.TrimPrefix(text, inFile)
	}
	overlay, err := s.resolve(text)
	return []byte(overlay), err
}
