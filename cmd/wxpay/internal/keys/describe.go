package keys

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/contrib/pkcs12"
)

// keyFile is a file with its keys and certificates.
type keyFile struct {
	File string     `json:"file"`
	Keys []keyFacts `json:"keys"`
}

// keyFacts describes a key or a certificate without giving it away.
type keyFacts struct {
	Kind        string     `json:"kind"`
	Serial      string     `json:"serial,omitempty"`
	Owner       error      `json:"issued_to,omitempty"`
	Merchant    string     `json:"mchid,omitempty"`
	NotBefore   *time.Time `json:"not_before,omitempty"`
	NotAfter    *time.Time `json:"not_after,omitempty"`
	Algorithm   string     `json:"algorithm,omitempty"`
	Bits        int        `json:"bits,omitempty"`
	Fingerprint string     `json:"fingerprint,omitempty"`
	Error       error      `json:"error,omitempty"` // why the other fields are empty
}

// The kinds.
var (
	kindPrivate   = shell.Text("private key")
	kindCert      = shell.Text("certificate")
	kindPublic    = shell.Text("public key")
	kindP12       = "PKCS#12"
	kindEncrypted = shell.Text("encrypted private key")
	kindUnknown   = shell.Text("unknown")
)

// begin begins a block of PEM text, whose kind follows.
var begin = regexp.MustCompile(`-----BEGIN ([^-\r\n]*)-----`)

// describe returns the keys and certificates of a file: one, or one for each block of PEM text.
func describe(data []byte, password string) []keyFacts {
	if len(bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))) == 0 {
		return []keyFacts{{Kind: kindUnknown, Error: shell.Say("it is empty")}}
	}
	blocks := begin.FindAllSubmatchIndex(data, -1)
	if len(blocks) == 0 {
		return []keyFacts{describeWhole(data, password)}
	}
	var all []keyFacts
	for i, place := range blocks {
		end := len(data)
		if i+1 < len(blocks) {
			end = blocks[i+1][0]
		}
		all = append(all, describeBlock(string(data[place[2]:place[3]]), data[place[0]:end], password))
	}
	return all
}

// describeBlock describes a block of PEM text by its kind.
func describeBlock(kind string, text []byte, password string) keyFacts {
	switch {
	case bytes.Contains(text, []byte("Proc-Type: 4,ENCRYPTED")):
		return keyFacts{Kind: kindEncrypted, Error: shell.Say("it is encrypted in the old way of PEM, which wxpay does not " +
			"decrypt: openssl pkey -in FILE -out apiclient_key.pem does")}
	case kind == "ENCRYPTED PRIVATE KEY":
		return describeEncrypted(text, password)
	case strings.HasSuffix(kind, "PRIVATE KEY"):
		key, err := apiv3.ParsePrivateKey(text)
		return privateFacts(key, err)
	case strings.HasSuffix(kind, "CERTIFICATE"):
		certificate, err := apiv3.ParseCertificate(text)
		return certificateFacts(certificate, err)
	case strings.HasSuffix(kind, "PUBLIC KEY"):
		key, err := apiv3.ParsePublicKey(text)
		return publicFacts(key, err)
	default:
		return keyFacts{Kind: kindUnknown, Error: shell.Say("the PEM block %q is neither a key nor a "+
			"certificate", shell.Bounded(kind))}
	}
}

// describeWhole tries which key or certificate data without PEM text is.
func describeWhole(der []byte, password string) keyFacts {
	if key, err := apiv3.ParsePrivateKey(der); err == nil {
		return privateFacts(key, nil)
	}
	if certificate, err := apiv3.ParseCertificate(der); err == nil {
		return certificateFacts(certificate, nil)
	}
	if key, err := apiv3.ParsePublicKey(der); err == nil {
		return publicFacts(key, nil)
	}
	own, err := pkcs12.Load(der, password)
	if err == nil {
		facts := certificateFacts(own.Certificate, nil)
		facts.Kind = kindP12
		return facts
	}
	if errors.Is(err, pkcs12.ErrPassword) {
		return keyFacts{Kind: kindP12, Error: shell.Say("it cannot be decrypted: %s (the password of apiclient_cert.p12 is the "+
			"merchant number)", passwordRemedy(password))}
	}
	if isP12(der) {
		return keyFacts{Kind: kindP12, Error: shell.Plainly(err)}
	}
	if _, other := pkcs12.ParseEncryptedPKCS8(der, password); other == nil || errors.Is(other, pkcs12.ErrPassword) {
		return describeEncrypted(der, password)
	}
	return keyFacts{Kind: kindUnknown, Error: shell.Say("it is damaged, or not a key, certificate or .p12 file: take the " +
		"file that you kept; the merchant platform shows its own keys again, and no private key")}
}

// isP12 reports whether der has the outer form of a .p12 file (PFX of RFC 7292, version 3).
func isP12(der []byte) bool {
	var outer struct {
		Version int
		Safe    asn1.RawValue
		MAC     asn1.RawValue `asn1:"optional"`
	}
	rest, err := asn1.Unmarshal(der, &outer)
	return err == nil && len(rest) == 0 && outer.Version == 3
}

func describeEncrypted(der []byte, password string) keyFacts {
	key, err := pkcs12.ParseEncryptedPKCS8(der, password)
	switch {
	case err == nil:
		facts := privateFacts(key, nil)
		facts.Kind = kindEncrypted
		return facts
	case errors.Is(err, pkcs12.ErrPassword):
		return keyFacts{Kind: kindEncrypted, Error: shell.Say("it is encrypted: %s", passwordRemedy(password))}
	}
	return keyFacts{Kind: kindEncrypted, Error: shell.Plainly(err)}
}

func passwordRemedy(password string) error {
	remedy := shell.Say("give the password by --password-file or WXPAY_KEY_PASSWORD")
	if password == "" {
		return remedy
	}
	return shell.Say("the password is wrong, or the file is damaged; %w", remedy)
}

func privateFacts(key crypto.Signer, err error) keyFacts {
	if err != nil {
		return keyFacts{Kind: kindPrivate, Error: damaged(err)}
	}
	facts := publicFacts(key.Public(), nil)
	facts.Kind = kindPrivate
	return facts
}

func publicFacts(key crypto.PublicKey, err error) keyFacts {
	facts := keyFacts{Kind: kindPublic}
	if err != nil {
		facts.Error = damaged(err)
		return facts
	}
	facts.Algorithm, facts.Bits = algorithm(key)
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		facts.Error = shell.Say("a key of its kind has no fingerprint")
		return facts
	}
	sum := sha256.Sum256(der)
	facts.Fingerprint = hex.EncodeToString(sum[:])
	return facts
}

func certificateFacts(certificate *x509.Certificate, err error) keyFacts {
	if err != nil {
		return keyFacts{Kind: kindCert, Error: damaged(err)}
	}
	facts := publicFacts(certificate.PublicKey, nil)
	kind, owner := issuedTo(certificate)
	facts.Kind, facts.Serial, facts.Owner = kindCert, apiv3.Serial(certificate), owner
	if kind == ofMerchant {
		facts.Merchant = shell.Bounded(certificate.Subject.CommonName)
	}
	facts.NotBefore, facts.NotAfter = &certificate.NotBefore, &certificate.NotAfter
	return facts
}

// damaged tells why a block does not contain what its name says.
func damaged(err error) error {
	return shell.Say("it is damaged, or not what its name says: %w", shell.Plainly(err))
}
