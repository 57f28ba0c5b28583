package apiv3

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/internal/keytext"
	"github.com/wxpay-go/wxpay/internal/publickey"
)

// ParsePrivateKey parses a private key: PKCS#8, PKCS#1 or SEC 1, in PEM, DER or base64. PEM text may
// be indented, quoted, escaped (a literal \n for a line break), on one line, in UTF-16 or in base64.
// Of a file with a certificate and a key it takes the key. The error is ErrKey and names what the
// file holds instead.
func ParsePrivateKey(data []byte) (crypto.Signer, error) {
	key, others, err := pick(data, parsePrivateKey, samePrivateKey, "private keys")
	switch {
	case err != nil:
		return nil, err
	case key != nil:
		return key, nil
	case others == "":
		return nil, fmt.Errorf("%w: not a private key in PKCS#8 or PKCS#1", ErrKey)
	case others == encryptedKey:
		return nil, fmt.Errorf("%w: this private key is encrypted; decrypt it first (openssl pkey -in FILE -out apiclient_key.pem)", ErrKey)
	case others == pkcs12File:
		return nil, fmt.Errorf("%w: this is %s, which contrib/pkcs12 reads; the private key is also the file apiclient_key.pem", ErrKey, others)
	}
	return nil, fmt.Errorf("%w: this is %s; the private key is the file apiclient_key.pem", ErrKey, others)
}

func parsePrivateKey(der []byte) (crypto.Signer, bool) {
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		signer, ok := key.(crypto.Signer)
		return signer, ok
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, true
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil { // which a scheme rejects, by its name
		return key, true
	}
	return nil, false
}

func samePrivateKey(a, b crypto.Signer) bool { return publickey.Equal(a.Public(), b.Public()) }

// ParsePublicKey parses a public key, SPKI or PKCS#1, in the forms of [ParsePrivateKey]: the file
// pub_key.pem of the WeChat Pay public key. It rejects a certificate, which has a serial of its own;
// see [ParseCertificate].
func ParsePublicKey(data []byte) (crypto.PublicKey, error) {
	key, others, err := pick(data, parsePublicKey, publickey.Equal, "public keys")
	switch {
	case err != nil:
		return nil, err
	case key != nil:
		return key, nil
	case others == "":
		return nil, fmt.Errorf("%w: not a public key in SPKI or PKCS#1", ErrKey)
	}
	return nil, fmt.Errorf("%w: this is %s, not a public key", ErrKey, others)
}

func parsePublicKey(der []byte) (crypto.PublicKey, bool) {
	if key, err := x509.ParsePKIXPublicKey(der); err == nil {
		return key, true
	}
	if key, err := x509.ParsePKCS1PublicKey(der); err == nil {
		return key, true
	}
	return nil, false
}

// ParseCertificate parses an X.509 certificate in the forms of [ParsePrivateKey]. It takes the only
// certificate of a chain that is not an authority's.
func ParseCertificate(data []byte) (*x509.Certificate, error) {
	certificate, others, err := pick(data, parseCertificate, (*x509.Certificate).Equal, "certificates")
	switch {
	case err != nil:
		return nil, err
	case certificate != nil:
		return certificate, nil
	case others == "":
		return nil, fmt.Errorf("%w: not an X.509 certificate", ErrKey)
	}
	return nil, fmt.Errorf("%w: this is %s, not a certificate", ErrKey, others)
}

func parseCertificate(der []byte) (*x509.Certificate, bool) {
	certificate, err := x509.ParseCertificate(der)
	return certificate, err == nil
}

// pick returns the only key in data that parse takes. It returns the zero value and the names of
// what is there instead, empty if that is unknown, if there is none. Several different ones are an
// error; kind names them.
func pick[K any](data []byte, parse func([]byte) (K, bool), same func(a, b K) bool, kind string) (none K, others string, err error) {
	blocks, err := keytext.Find(data)
	if err != nil {
		return none, "", fmt.Errorf("%w: %w", ErrKey, err)
	}
	var found []K
	var names []string
	for _, b := range blocks {
		key, ok := parse(b.DER)
		switch {
		case !ok:
			if name := identify(b); name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		case !slices.ContainsFunc(found, func(other K) bool { return same(key, other) }):
			found = append(found, key)
		}
	}
	if len(found) > 1 {
		found = slices.DeleteFunc(found, isAuthority)
	}
	switch len(found) {
	case 0:
		return none, strings.Join(names, " and "), nil
	case 1:
		return found[0], "", nil
	}
	return none, "", fmt.Errorf("%w: there are %d different %s in one file: keep only the one that is meant", ErrKey, len(found), kind)
}

func isAuthority[K any](key K) bool {
	certificate, ok := any(key).(*x509.Certificate)
	return ok && certificate.IsCA
}

// serialSize is the length in hex digits of the serials that the platform and its authority issue.
const serialSize = 40

// Serial returns a certificate's serial as the protocol writes it: upper-case hex, leading zeros
// kept, 40 digits.
func Serial(certificate *x509.Certificate) string {
	s := strings.ToUpper(hex.EncodeToString(certificate.SerialNumber.Bytes()))
	return strings.Repeat("0", max(0, serialSize-len(s))) + s
}

// IsSerial reports whether s has the form of a certificate serial: 40 upper-case hex digits.
func IsSerial(s string) bool {
	return len(s) == serialSize && strings.Trim(s, "0123456789ABCDEF") == ""
}

// publicKeyID is the beginning of the id of every WeChat Pay public key.
const publicKeyID = "PUB_KEY_ID_"

// IsPublicKeyID reports whether s has the form of the id of a WeChat Pay public key: PUB_KEY_ID_
// and digits.
func IsPublicKeyID(s string) bool {
	digits, ok := strings.CutPrefix(s, publicKeyID)
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// Names that identify gives.
const (
	encryptedKey = "an encrypted private key"
	pkcs12File   = "a PKCS#12 file (apiclient_cert.p12)"
)

// identify names a block, with an article, for errors about a wrong file; empty if it is unknown.
func identify(b keytext.Block) string {
	if b.Kind == keytext.Encrypted {
		return encryptedKey
	}
	der := b.DER
	if _, err := x509.ParseCertificate(der); err == nil {
		return "a certificate"
	}
	if _, err := x509.ParseCertificateRequest(der); err == nil {
		return "a certificate request"
	}
	if _, ok := parsePrivateKey(der); ok {
		return "a private key"
	}
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return fmt.Sprintf("a key of type %T, which cannot sign", key)
	}
	if _, ok := parsePublicKey(der); ok {
		return "a public key"
	}
	var sealed struct { // EncryptedPrivateKeyInfo (RFC 5958)
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	if rest, err := asn1.Unmarshal(der, &sealed); err == nil && len(rest) == 0 {
		return encryptedKey
	}
	var container struct { // PFX (RFC 7292)
		Version int
		Safe    struct {
			Type    asn1.ObjectIdentifier
			Content asn1.RawValue `asn1:"optional"`
		}
		MAC asn1.RawValue `asn1:"optional"`
	}
	if rest, err := asn1.Unmarshal(der, &container); err == nil && len(rest) == 0 && container.Version == 3 {
		return pkcs12File
	}
	switch b.Kind {
	case "":
		return ""
	case "PRIVATE KEY", "RSA PRIVATE KEY", "PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE":
		return "a PEM block " + b.Kind + ", damaged or of another algorithm"
	}
	return "a PEM block " + b.Kind
}
