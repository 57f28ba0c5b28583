package apiv3

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"
)

// ParsePrivateKey parses a private key in PEM or DER, PKCS#8 or PKCS#1. PEM text may contain a
// literal \n for a line break, as environment variables often do. The error is ErrKey and names a
// file of another kind.
func ParsePrivateKey(data []byte) (crypto.Signer, error) {
	kind, der, err := decode(data)
	if err != nil {
		return nil, err
	}
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		if signer, ok := key.(crypto.Signer); ok {
			return signer, nil
		}
		return nil, fmt.Errorf("%w: a key of type %T cannot sign", ErrKey, key)
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	switch other := identify(kind, der); other {
	case "":
		return nil, fmt.Errorf("%w: not a private key in PKCS#8 or PKCS#1", ErrKey)
	case encryptedKey:
		return nil, fmt.Errorf("%w: this private key is encrypted; decrypt it first (openssl pkcs8 -in FILE -out apiclient_key.pem)", ErrKey)
	default:
		return nil, fmt.Errorf("%w: this is %s; the private key is the file apiclient_key.pem", ErrKey, other)
	}
}

// ParsePublicKey parses a public key in PEM or DER, SPKI or PKCS#1: the file pub_key.pem of the
// WeChat Pay public key. It rejects a certificate, which has a serial of its own; see
// [ParseCertificate].
func ParsePublicKey(data []byte) (crypto.PublicKey, error) {
	kind, der, err := decode(data)
	if err != nil {
		return nil, err
	}
	if key, err := x509.ParsePKIXPublicKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS1PublicKey(der); err == nil {
		return key, nil
	}
	if other := identify(kind, der); other != "" {
		return nil, fmt.Errorf("%w: this is %s, not a public key", ErrKey, other)
	}
	if kind != "" {
		return nil, fmt.Errorf("%w: the PEM block %s holds no public key", ErrKey, kind)
	}
	return nil, fmt.Errorf("%w: not a public key in SPKI or PKCS#1", ErrKey)
}

// ParseCertificate parses an X.509 certificate in PEM or DER.
func ParseCertificate(data []byte) (*x509.Certificate, error) {
	kind, der, err := decode(data)
	if err != nil {
		return nil, err
	}
	if certificate, err := x509.ParseCertificate(der); err == nil {
		return certificate, nil
	}
	if other := identify(kind, der); other != "" {
		return nil, fmt.Errorf("%w: this is %s, not a certificate", ErrKey, other)
	}
	return nil, fmt.Errorf("%w: not an X.509 certificate", ErrKey)
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

// decode returns the DER of PEM text and the kind of its block; it returns DER unchanged, with an
// empty kind.
func decode(data []byte) (kind string, der []byte, err error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(data)) == 0 {
		return "", nil, fmt.Errorf("%w: it is empty", ErrKey)
	}
	if !bytes.Contains(data, []byte("-----BEGIN")) {
		return "", data, nil
	}
	text := bytes.ReplaceAll(data, []byte(`\r`), nil)
	text = bytes.ReplaceAll(text, []byte(`\n`), []byte("\n"))
	block, _ := pem.Decode(text)
	if block == nil {
		return "", nil, fmt.Errorf("%w: the PEM text is damaged (line breaks lost?)", ErrKey)
	}
	if strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") { // the older way, of PKCS#1 keys
		return pemEncryptedKey, block.Bytes, nil
	}
	return block.Type, block.Bytes, nil
}

// pemEncryptedKey is the PEM block of an encrypted PKCS#8 key.
const pemEncryptedKey = "ENCRYPTED PRIVATE KEY"

// encryptedKey is the name that identify gives an encrypted private key.
const encryptedKey = "an encrypted private key"

// identify names the content of der, with an article, for errors about a wrong file; empty if it is
// unknown.
func identify(kind string, der []byte) string {
	if kind == pemEncryptedKey {
		return encryptedKey
	}
	if _, err := x509.ParseCertificate(der); err == nil {
		return "a certificate"
	}
	if _, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return "a private key"
	}
	if _, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return "a private key"
	}
	if _, err := x509.ParsePKIXPublicKey(der); err == nil {
		return "a public key"
	}
	if _, err := x509.ParsePKCS1PublicKey(der); err == nil {
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
		return "a PKCS#12 file (apiclient_cert.p12)"
	}
	return ""
}
