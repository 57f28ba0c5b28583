package sm_test

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/contrib/sm"
)

const serial = "0B5C6D7E8F90A1B2C3D4E5F60718293A4B5C6D7E" // begins with a zero on purpose

// block writes PEM text.
func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// certificate issues an SM2 certificate for key, in DER.
func certificate(t testing.TB, key *sm2.PrivateKey) []byte {
	t.Helper()
	number, _ := new(big.Int).SetString(serial, 16)
	template := &smx509.Certificate{
		SerialNumber: number, Subject: pkix.Name{CommonName: "Tenpay.com sign"}, KeyUsage: smx509.KeyUsageDigitalSignature,
		NotBefore: time.Now().Add(-time.Hour).Truncate(time.Second).UTC(), NotAfter: time.Now().AddDate(5, 0, 0).Truncate(time.Second).UTC(),
	}
	der, err := smx509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	return der
}

// forms is one key in all its forms.
type forms struct{ pkcs8, sec1, spki, certificate []byte }

func newForms(t testing.TB, key *sm2.PrivateKey) (f forms) {
	t.Helper()
	var err error
	f.pkcs8, err = smx509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	f.sec1, err = smx509.MarshalSM2PrivateKey(key)
	require.NoError(t, err)
	f.spki, err = smx509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	f.certificate = certificate(t, key)
	return f
}

func TestParsePrivateKey(t *testing.T) {
	key := newKey(t)
	f := newForms(t, key)
	parameters := block("EC PARAMETERS", []byte{0x06, 0x08, 0x2A, 0x81, 0x1C, 0xCF, 0x55, 0x01, 0x82, 0x2D})
	for name, data := range map[string][]byte{
		"PKCS#8":                 f.pkcs8,
		"PKCS#8 in PEM":          block("PRIVATE KEY", f.pkcs8),
		"SEC 1":                  f.sec1,
		"SEC 1 in PEM":           block("EC PRIVATE KEY", f.sec1),
		"behind its parameters":  append(parameters, block("EC PRIVATE KEY", f.sec1)...),
		"on one line":            []byte(strings.ReplaceAll(string(block("PRIVATE KEY", f.pkcs8)), "\n", `\n`)),
		"with Windows' lines":    []byte(strings.ReplaceAll(string(block("PRIVATE KEY", f.pkcs8)), "\n", "\r\n")),
		"with a byte order mark": append([]byte("\xef\xbb\xbf"), block("PRIVATE KEY", f.pkcs8)...),
	} {
		parsed, err := sm.ParsePrivateKey(data)
		require.NoError(t, err, name)
		assert.True(t, key.Equal(parsed), name)
		assert.Implements(t, (*crypto.Decrypter)(nil), parsed, name)
		require.NoError(t, sm.Scheme().CheckPublicKey(parsed.Public()), name)
	}
}

func TestParsePublicKeyAndCertificate(t *testing.T) {
	key := newKey(t)
	f := newForms(t, key)
	for _, data := range [][]byte{f.spki, block("PUBLIC KEY", f.spki)} {
		parsed, err := sm.ParsePublicKey(data)
		require.NoError(t, err)
		assert.True(t, key.PublicKey.Equal(parsed))
	}
	original, err := smx509.ParseCertificate(f.certificate)
	require.NoError(t, err)
	for _, data := range [][]byte{f.certificate, block("CERTIFICATE", f.certificate)} {
		parsed, err := sm.ParseCertificate(data)
		require.NoError(t, err)
		assert.Equal(t, serial, apiv3.Serial(parsed))
		assert.Equal(t, "Tenpay.com sign", parsed.Subject.CommonName)
		assert.Equal(t, f.certificate, parsed.Raw)
		assert.Equal(t, original.Extensions, parsed.Extensions)
		assert.Equal(t, x509.KeyUsageDigitalSignature, parsed.KeyUsage)

		platform := apiv3.CertificateKey(parsed)
		assert.True(t, key.PublicKey.Equal(platform.Key))
		assert.Equal(t, serial, platform.Serial)
		assert.Equal(t, original.NotBefore, platform.NotBefore)
		assert.Equal(t, original.NotAfter, platform.NotAfter)

		// What the standard library cannot check, it must not take for checked.
		require.Error(t, parsed.CheckSignatureFrom(parsed))
		require.NoError(t, original.CheckSignature(original.SignatureAlgorithm, parsed.RawTBSCertificate, parsed.Signature))
	}
}

func TestParseRefuses(t *testing.T) {
	f := newForms(t, newKey(t))
	rsaKey, err := x509.MarshalPKCS8PrivateKey(newRSAKey(t))
	require.NoError(t, err)
	ownRSA := newRSAKey(t)
	rsaPublic, err := x509.MarshalPKIXPublicKey(ownRSA.Public())
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	rsaCertificate, err := x509.CreateCertificate(rand.Reader, template, template, ownRSA.Public(), ownRSA)
	require.NoError(t, err)
	p256, err := x509.MarshalECPrivateKey(newP256Key(t))
	require.NoError(t, err)
	exchange, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	x25519, err := x509.MarshalPKCS8PrivateKey(exchange)
	require.NoError(t, err)

	private := func(data []byte) error { key, err := sm.ParsePrivateKey(data); assert.Nil(t, key); return err }
	public := func(data []byte) error { key, err := sm.ParsePublicKey(data); assert.Nil(t, key); return err }
	certificate := func(data []byte) error { c, err := sm.ParseCertificate(data); assert.Nil(t, c); return err }
	for _, test := range []struct {
		name  string
		parse func([]byte) error
		data  []byte
		says  string
	}{
		{"private: empty", private, nil, "empty"},
		{"private: a certificate in PEM", private, block("CERTIFICATE", f.certificate), "this is a certificate"},
		{"private: a certificate", private, f.certificate, "this is a certificate"},
		{"private: a public key in PEM", private, block("PUBLIC KEY", f.spki), "this is a public key"},
		{"private: a public key", private, f.spki, "this is a public key"},
		{"private: an encrypted key", private, block("ENCRYPTED PRIVATE KEY", f.pkcs8), "openssl pkey"},
		{"private: RSA in PKCS#8", private, rsaKey, "wxpay.LoadPrivateKey"},
		{"private: RSA in PKCS#1", private, x509.MarshalPKCS1PrivateKey(ownRSA), "an RSA private key"},
		{"private: P-256", private, p256, "*ecdsa.PrivateKey"},
		{"private: X25519", private, x25519, "*ecdh.PrivateKey"},
		{"private: cut", private, f.pkcs8[:len(f.pkcs8)-1], "not an SM2 private key"},
		{"private: a cut block", private, block("PRIVATE KEY", f.pkcs8)[:40], "damaged"},
		{"private: text", private, []byte("apiclient_key.pem"), "neither DER nor PEM"},
		{"private: only parameters", private, block("EC PARAMETERS", []byte{0}), "damaged"},
		{"public: a certificate", public, f.certificate, "this is a certificate"},
		{"public: a private key", public, f.pkcs8, "this is a private key"},
		{"public: a private key in SEC 1", public, f.sec1, "this is a private key"},
		{"public: RSA", public, rsaPublic, "*rsa.PublicKey"},
		{"public: RSA in PKCS#1", public, x509.MarshalPKCS1PublicKey(&ownRSA.PublicKey), "an RSA public key"},
		{"public: cut", public, f.spki[:len(f.spki)-1], "not a public key"},
		{"certificate: a private key", certificate, block("PRIVATE KEY", f.pkcs8), "this is a private key"},
		{"certificate: a public key", certificate, f.spki, "this is a public key"},
		{"certificate: RSA", certificate, rsaCertificate, "*rsa.PublicKey"},
		{"certificate: cut", certificate, f.certificate[:len(f.certificate)-1], "not an X.509 certificate"},
		{"certificate: more behind", certificate, append(bytes.Clone(f.certificate), 0), "not an X.509 certificate"},
	} {
		err := test.parse(test.data)
		require.ErrorIs(t, err, apiv3.ErrKey, test.name)
		assert.ErrorContains(t, err, test.says, test.name)
		assert.NotContains(t, err.Error(), "\n", test.name)
	}
}

// The standard allows the numbers from 1 to n-2, and the parser below lets others pass.
func TestParsePrivateKeyRange(t *testing.T) {
	key := newKey(t)
	der, err := smx509.MarshalSM2PrivateKey(key)
	require.NoError(t, err)
	k, err := key.ECDH()
	require.NoError(t, err)
	at := bytes.Index(der, k.Bytes())
	require.Positive(t, at)
	with := func(scalar *big.Int) []byte {
		changed := bytes.Clone(der)
		scalar.FillBytes(changed[at : at+32])
		return changed
	}
	n := sm2.P256().Params().N
	for _, allowed := range []*big.Int{big.NewInt(1), new(big.Int).Sub(n, big.NewInt(2))} {
		_, err := sm.ParsePrivateKey(with(allowed))
		require.NoError(t, err, allowed)
	}
	for _, refused := range []*big.Int{new(big.Int), new(big.Int).Sub(n, big.NewInt(1)), n, new(big.Int).Add(n, big.NewInt(1))} {
		_, err := sm.ParsePrivateKey(with(refused))
		require.ErrorIs(t, err, apiv3.ErrKey, refused)
	}
}

// Whatever the bytes, there is a key that the scheme can use, or an error.
func FuzzParse(f *testing.F) {
	key := newKey(f)
	all := newForms(f, key)
	for _, data := range [][]byte{all.pkcs8, all.sec1, all.spki, all.certificate, block("PRIVATE KEY", all.pkcs8), block("EC PARAMETERS", nil)} {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if private, err := sm.ParsePrivateKey(data); err == nil {
			signature, err := sm.Scheme().Sign(private, data)
			require.NoError(t, err)
			require.NoError(t, sm.Scheme().Verify(private.Public(), data, signature))
		} else {
			require.ErrorIs(t, err, apiv3.ErrKey)
		}
		if public, err := sm.ParsePublicKey(data); err == nil {
			require.IsType(t, (*ecdsa.PublicKey)(nil), public)
			_, err := sm.Scheme().Encrypt(public, []byte("x"))
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, apiv3.ErrKey)
		}
		if c, err := sm.ParseCertificate(data); err == nil {
			require.NoError(t, sm.Scheme().CheckPublicKey(c.PublicKey))
			require.NotEmpty(t, apiv3.Serial(c))
		} else {
			require.ErrorIs(t, err, apiv3.ErrKey)
		}
	})
}
