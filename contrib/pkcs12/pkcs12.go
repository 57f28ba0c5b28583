package pkcs12

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	p12 "software.sslmate.com/src/go-pkcs12"

	"github.com/wxpay-go/wxpay/apiv3"
)

const encryptedBlock = "ENCRYPTED PRIVATE KEY"

// ErrPassword means that the password is wrong, or that the file is damaged in a way that looks the
// same.
var ErrPassword = errors.New("wrong password, or a damaged file")

// maxSize bounds a file in bytes. A .p12 of WeChat Pay has about 3 KB.
const maxSize = 1 << 20

// The first byte of DER, and the length byte of BER that leaves the end open.
const (
	sequence   = 0x30
	indefinite = 0x80
)

// remake is the remedy for every unusable .p12 file.
const remake = "load apiclient_key.pem instead, which holds the same key, or make the file anew: " +
	"openssl pkcs12 -export -inkey apiclient_key.pem -in apiclient_cert.pem -out apiclient_cert.p12"

// Credentials are the key and certificate of a .p12 file. They convert to wxpay.APICertificate and
// print redacted.
type Credentials struct {
	// Serial is the serial of Certificate as the protocol writes it: 40 upper-case hex digits.
	Serial string
	// PrivateKey belongs to Certificate. An RSA key is a crypto.Decrypter too.
	PrivateKey crypto.Signer `json:"-"`
	// Certificate is the merchant API certificate.
	Certificate *x509.Certificate `json:"-"`
}

// Format prints the serial under every verb; the key is left out.
func (c Credentials) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, c.text()) }

// MarshalText returns the text that Format prints.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.text()), nil }

func (c Credentials) text() string {
	return "pkcs12.Credentials{Serial " + c.Serial + ", key redacted}"
}

// LogValue gives slog the serial.
func (c Credentials) LogValue() slog.Value {
	return slog.GroupValue(slog.String("serial", c.Serial))
}

// LoadFile reads the .p12 file at path; see [Load].
func LoadFile(path, password string) (Credentials, error) {
	file, err := os.Open(path)
	if err != nil {
		return Credentials{}, fmt.Errorf("%w: %w", apiv3.ErrKey, err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err != nil {
		return Credentials{}, fmt.Errorf("%w: %w", apiv3.ErrKey, err)
	}
	return Load(data, password)
}

// Load parses a .p12 file, binary or in base64: one private key and its certificate, which may stand among others. Of
// several certificates for the key, the one that expires last counts. WeChat Pay sets the merchant
// number (mchid) as the password.
//
// A wrong password is [ErrPassword]; every error is [apiv3.ErrKey].
func Load(data []byte, password string) (Credentials, error) {
	if der, ok := decoded(data); ok {
		data = der
	}
	if other := mistaken(data); other != "" {
		return Credentials{}, fmt.Errorf("%w: this is %s", apiv3.ErrKey, other)
	}
	key, first, more, err := p12.DecodeChain(data, password)
	switch {
	case errors.Is(err, p12.ErrIncorrectPassword), errors.Is(err, p12.ErrDecryption):
		return Credentials{}, fmt.Errorf("%w: %w (the password that WeChat Pay gives apiclient_cert.p12 is the merchant number, mchid%s)", apiv3.ErrKey, ErrPassword, unseen(password))
	case err != nil:
		return Credentials{}, fmt.Errorf("%w: the .p12 file cannot be used: %w; %s", apiv3.ErrKey, err, remake)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return Credentials{}, fmt.Errorf("%w: the .p12 file holds a %T, which cannot sign; %s", apiv3.ErrKey, key, remake)
	}
	var own *x509.Certificate
	for _, certificate := range append([]*x509.Certificate{first}, more...) {
		if belongs(signer, certificate) && (own == nil || certificate.NotAfter.After(own.NotAfter)) {
			own = certificate
		}
	}
	if own == nil {
		return Credentials{}, fmt.Errorf("%w: no certificate in the .p12 file belongs to its private key; %s", apiv3.ErrKey, remake)
	}
	return Credentials{Serial: apiv3.Serial(own), PrivateKey: signer, Certificate: own}, nil
}

// unseen describes the first invisible character of a password, such as the line break of its file.
// It is empty if there is none.
func unseen(password string) string {
	if i := strings.IndexFunc(password, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
		r, _ := utf8.DecodeRuneInString(password[i:])
		return fmt.Sprintf("; character %d of the one given is %U, which cannot be seen", utf8.RuneCountInString(password[:i])+1, r)
	}
	if strings.TrimSpace(password) != password {
		return "; the one given begins or ends with a blank"
	}
	return ""
}

// decoded returns the DER in base64 text, with or without line breaks.
func decoded(data []byte) ([]byte, bool) {
	text := bytes.Join(bytes.Fields(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))), nil)
	der, err := base64.StdEncoding.AppendDecode(nil, text)
	return der, err == nil && len(der) > 0 && der[0] == sequence
}

// belongs reports whether certificate is for key.
func belongs(key crypto.Signer, certificate *x509.Certificate) bool {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(certificate.PublicKey)
}

// mistaken names the kind of data that is plainly no .p12 file, and the function that reads it.
func mistaken(data []byte) string {
	const lacksKey = ": it has no private key, which is in apiclient_cert.p12 and in apiclient_key.pem"
	switch {
	case len(data) == 0:
		return "an empty file"
	case len(data) > maxSize:
		return "no .p12 file: it has more than 1 MiB"
	case data[0] != sequence:
		return mistakenText(data, lacksKey)
	}
	if _, err := x509.ParseCertificate(data); err == nil {
		return "a certificate" + lacksKey
	}
	if _, err := apiv3.ParsePrivateKey(data); err == nil {
		return "a private key without a certificate: wxpay.LoadPrivateKey reads it"
	}
	if len(data) > 1 && data[1] == indefinite {
		return "a .p12 file in BER with indefinite lengths, and only DER can be read: " + remake
	}
	return ""
}

func mistakenText(data []byte, lacksKey string) string {
	if block, _ := pem.Decode(unescape(data)); block != nil {
		switch {
		case block.Type == encryptedBlock:
			return "PEM text, not a .p12 file: ParseEncryptedPKCS8 reads it"
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			return "PEM text, not a .p12 file: wxpay.LoadPrivateKey reads it"
		case block.Type == "CERTIFICATE":
			return "a certificate in PEM" + lacksKey
		}
	}
	return "no .p12 file, nor the base64 of one; " + remake
}

// unescape restores the line breaks of PEM text that came through an environment variable.
func unescape(data []byte) []byte {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	return bytes.ReplaceAll(bytes.ReplaceAll(data, []byte(`\r`), nil), []byte(`\n`), []byte("\n"))
}
