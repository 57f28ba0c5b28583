package sm

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"

	"github.com/wxpay-go/wxpay/apiv3"
)

// ParsePrivateKey parses an SM2 private key in PEM or DER, PKCS#8 or SEC 1. PEM text may contain a
// literal \n for a line break, as environment variables often do. The key is also a
// crypto.Decrypter. The error is apiv3.ErrKey and names a file of another kind.
func ParsePrivateKey(data []byte) (crypto.Signer, error) {
	kind, der, err := decode(data)
	if err != nil {
		return nil, err
	}
	switch kind {
	case "CERTIFICATE", "PUBLIC KEY":
		return nil, fmt.Errorf("%w: this is a %s, not a private key", apiv3.ErrKey, strings.ToLower(kind))
	case "ENCRYPTED PRIVATE KEY":
		return nil, fmt.Errorf("%w: this private key is encrypted; decrypt it first (openssl pkey -in FILE -out apiclient_key.pem)", apiv3.ErrKey)
	}
	if key, err := smx509.ParsePKCS8PrivateKey(der); err == nil {
		return privateKey(key)
	}
	if key, err := smx509.ParseTypedECPrivateKey(der); err == nil {
		return privateKey(key)
	}
	if other := sniff(der); other != "" {
		return nil, fmt.Errorf("%w: this is %s, not an SM2 private key", apiv3.ErrKey, other)
	}
	return nil, fmt.Errorf("%w: not an SM2 private key in PKCS#8 or SEC 1", apiv3.ErrKey)
}

func privateKey(key any) (crypto.Signer, error) {
	own, ok := key.(*sm2.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%w: this is a private key of type %T, not of SM2 (wxpay.LoadPrivateKey reads RSA)", apiv3.ErrKey, key)
	}
	// The parser lets scalars pass that the standard does not allow; the conversion does not.
	if _, err := own.ECDH(); err != nil {
		return nil, fmt.Errorf("%w: the number inside is no private key of SM2", apiv3.ErrKey)
	}
	return own, nil
}

// ParsePublicKey parses an SM2 public key (SPKI) in PEM or DER: the WeChat Pay public key. It
// rejects a certificate, because a certificate has a serial of its own; see [ParseCertificate]. The
// error is apiv3.ErrKey.
func ParsePublicKey(data []byte) (crypto.PublicKey, error) {
	_, der, err := decode(data)
	if err != nil {
		return nil, err
	}
	if key, err := smx509.ParsePKIXPublicKey(der); err == nil {
		return publicKey(key)
	}
	if other := sniff(der); other != "" {
		return nil, fmt.Errorf("%w: this is %s, not an SM2 public key", apiv3.ErrKey, other)
	}
	return nil, fmt.Errorf("%w: not a public key in SPKI", apiv3.ErrKey)
}

// ParseCertificate parses an X.509 certificate of an SM2 key in PEM or DER, which
// x509.ParseCertificate rejects. wxpay.WithPlatformCertificates, apiv3.CertificateKey and
// apiv3.Serial accept the result. Names, validity and key usage are filled in, and the extensions
// are raw. The algorithms stay unknown, so the standard library cannot verify a chain with it;
// package smx509 of github.com/emmansun/gmsm can. The error is apiv3.ErrKey.
func ParseCertificate(data []byte) (*x509.Certificate, error) {
	_, der, err := decode(data)
	if err != nil {
		return nil, err
	}
	if certificate, err := smx509.ParseCertificate(der); err == nil {
		if _, err := publicKey(certificate.PublicKey); err != nil {
			return nil, err
		}
		return standard(certificate), nil
	}
	if other := sniff(der); other != "" {
		return nil, fmt.Errorf("%w: this is %s, not a certificate", apiv3.ErrKey, other)
	}
	return nil, fmt.Errorf("%w: not an X.509 certificate", apiv3.ErrKey)
}

// standard returns the standard library's form of a certificate.
func standard(c *smx509.Certificate) *x509.Certificate {
	return &x509.Certificate{
		Raw: c.Raw, RawTBSCertificate: c.RawTBSCertificate, RawSubjectPublicKeyInfo: c.RawSubjectPublicKeyInfo,
		RawSubject: c.RawSubject, RawIssuer: c.RawIssuer, Signature: c.Signature, PublicKey: c.PublicKey,
		Version: c.Version, SerialNumber: c.SerialNumber, Issuer: c.Issuer, Subject: c.Subject, NotBefore: c.NotBefore, NotAfter: c.NotAfter,
		KeyUsage: x509.KeyUsage(c.KeyUsage), Extensions: c.Extensions, UnhandledCriticalExtensions: c.UnhandledCriticalExtensions,
		BasicConstraintsValid: c.BasicConstraintsValid, IsCA: c.IsCA, SubjectKeyId: c.SubjectKeyId, AuthorityKeyId: c.AuthorityKeyId,
	}
}

// decode returns the DER inside PEM text, and the kind of the block; DER comes back as it is with
// an empty kind. OpenSSL writes the parameters of the curve into a block of their own, which is
// passed over.
func decode(data []byte) (kind string, der []byte, err error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	switch {
	case len(data) == 0:
		return "", nil, fmt.Errorf("%w: it is empty", apiv3.ErrKey)
	case data[0] == sequence:
		return "", data, nil
	}
	text := bytes.ReplaceAll(data, []byte(`\r`), nil)
	text = bytes.ReplaceAll(text, []byte(`\n`), []byte("\n"))
	for {
		block, rest := pem.Decode(text)
		switch {
		case block == nil:
			return "", nil, fmt.Errorf("%w: neither DER nor PEM text, or the PEM text is damaged (line breaks lost?)", apiv3.ErrKey)
		case !strings.HasSuffix(block.Type, " PARAMETERS"):
			return block.Type, block.Bytes, nil
		}
		text = rest
	}
}

// sniff names what der is, for errors that tell a user which file was mixed up.
func sniff(der []byte) string {
	if _, err := smx509.ParseCertificate(der); err == nil {
		return "a certificate"
	}
	if _, err := smx509.ParsePKCS8PrivateKey(der); err == nil {
		return "a private key"
	}
	if _, err := smx509.ParseTypedECPrivateKey(der); err == nil {
		return "a private key"
	}
	if _, err := smx509.ParsePKIXPublicKey(der); err == nil {
		return "a public key"
	}
	if _, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return "an RSA private key"
	}
	if _, err := x509.ParsePKCS1PublicKey(der); err == nil {
		return "an RSA public key"
	}
	return ""
}
