package pkcs12_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	p12 "software.sslmate.com/src/go-pkcs12"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/contrib/pkcs12"
)

const (
	mchid  = "1900000109"
	serial = "0B5C6D7E8F90A1B2C3D4E5F60718293A4B5C6D7E" // begins with a zero on purpose
)

// keys are made once: the merchant's, and one of somebody else.
var keys = sync.OnceValue(func() (k struct{ merchant, other *rsa.PrivateKey }) {
	var err error
	if k.merchant, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		panic(err)
	}
	if k.other, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		panic(err)
	}
	return k
})

// certificate issues a certificate for key that is valid for some days from now on.
func certificate(t testing.TB, serial string, key crypto.Signer, days int) *x509.Certificate {
	t.Helper()
	number, ok := new(big.Int).SetString(serial, 16)
	require.True(t, ok)
	template := &x509.Certificate{
		SerialNumber: number, Subject: pkix.Name{CommonName: mchid},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 0, days),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	c, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return c
}

// file makes a .p12 file of the merchant.
func file(t testing.TB, encoder *p12.Encoder, password string) []byte {
	t.Helper()
	data, err := encoder.Encode(keys().merchant, certificate(t, serial, keys().merchant, 30), nil, password)
	require.NoError(t, err)
	return data
}

func TestLoad(t *testing.T) {
	for _, test := range []struct {
		name     string
		encoder  *p12.Encoder
		password string
	}{
		{"RC2 and 3DES, as the merchant platform makes it", p12.LegacyRC2, mchid},
		{"3DES", p12.LegacyDES, mchid},
		{"AES with PBES2", p12.Modern2023, mchid},
		{"AES with PBES2 and PBMAC1", p12.Modern2026, mchid},
		{"own password", p12.LegacyRC2, "密码 of one's own"},
		{"empty password", p12.LegacyRC2, ""},
		{"not encrypted", p12.Passwordless, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			credentials, err := pkcs12.Load(file(t, test.encoder, test.password), test.password)
			require.NoError(t, err)
			assert.Equal(t, serial, credentials.Serial)
			assert.Equal(t, mchid, credentials.Certificate.Subject.CommonName)
			assert.True(t, keys().merchant.Equal(credentials.PrivateKey))
			_, decrypts := credentials.PrivateKey.(crypto.Decrypter)
			assert.True(t, decrypts)
		})
	}
}

// The certificate of the key is found wherever it stands; of two for one key the one that expires last is taken.
// People keep the file in a variable or a secret store, as base64.
func TestLoadBase64(t *testing.T) {
	text := base64.StdEncoding.EncodeToString(file(t, p12.LegacyRC2, mchid))
	for name, data := range map[string]string{
		"on one line": text, "in lines": text[:64] + "\r\n" + text[64:] + "\r\n", "with a byte order mark": "\ufeff" + text,
	} {
		credentials, err := pkcs12.Load([]byte(data), mchid)
		require.NoError(t, err, name)
		assert.True(t, keys().merchant.Equal(credentials.PrivateKey), name)
	}
}

func TestLoadSeveralCertificates(t *testing.T) {
	own, other := keys().merchant, keys().other
	const authority, renewed, expiring = "01", "4D7E1F2A3B4C5D6E7F8091A2B3C4D5E6F708192A", serial
	for _, test := range []struct {
		name    string
		serials []string
		want    string
	}{
		{"own first", []string{expiring, authority}, expiring},
		{"own last", []string{authority, expiring}, expiring},
		{"renewed last", []string{expiring, authority, renewed}, renewed},
		{"renewed first", []string{renewed, expiring}, renewed},
	} {
		t.Run(test.name, func(t *testing.T) {
			var chain []*x509.Certificate
			for _, s := range test.serials {
				switch s {
				case authority:
					chain = append(chain, certificate(t, s, other, 3650))
				case renewed:
					chain = append(chain, certificate(t, s, own, 300))
				case expiring:
					chain = append(chain, certificate(t, s, own, 3))
				}
			}
			data, err := p12.LegacyRC2.Encode(own, chain[0], chain[1:], mchid)
			require.NoError(t, err)
			credentials, err := pkcs12.Load(data, mchid)
			require.NoError(t, err)
			assert.Equal(t, test.want, credentials.Serial)
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	const password = "hunter2hunter2"
	own, other := keys().merchant, keys().other
	good := file(t, p12.LegacyRC2, password)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(own)
	require.NoError(t, err)
	block := func(kind string, der []byte) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
	encode := func(data []byte, err error) []byte {
		require.NoError(t, err)
		return data
	}
	mine := certificate(t, serial, own, 30)
	indefinite := bytes.Clone(good)
	indefinite[1] = 0x80

	for _, test := range []struct {
		name  string
		data  []byte
		says  string
		wrong bool // it is ErrPassword
	}{
		{"wrong password", file(t, p12.LegacyRC2, mchid), "merchant number", true},
		{"wrong password, modern", file(t, p12.Modern2023, mchid), "merchant number", true},
		{"wrong password, PBMAC1", file(t, p12.Modern2026, mchid), "merchant number", true},
		{"changed content", change(good, len(good)/2), "merchant number", true},
		{"cut", good[:len(good)-1], "openssl pkcs12 -export", false},
		{"more behind", append(bytes.Clone(good), 0), "openssl pkcs12 -export", false},
		{"indefinite length", indefinite, "BER", false},
		{"no key", encode(p12.LegacyRC2.EncodeTrustStore([]*x509.Certificate{mine}, password)), "private key missing", false},
		{"certificate of another key", encode(p12.LegacyRC2.Encode(own, certificate(t, serial, other, 30), nil, password)), "belongs to its private key", false},
		{"key PEM", block("PRIVATE KEY", pkcs8), "wxpay.LoadPrivateKey", false},
		{"key PEM after a bag's attributes", append([]byte("Bag Attributes\n    localKeyID: 01\n"), block("PRIVATE KEY", pkcs8)...), "wxpay.LoadPrivateKey", false},
		{"key PEM on one line", []byte(strings.ReplaceAll(string(block("PRIVATE KEY", pkcs8)), "\n", `\n`)), "wxpay.LoadPrivateKey", false},
		{"encrypted key PEM", block("ENCRYPTED PRIVATE KEY", pkcs8), "ParseEncryptedPKCS8", false},
		{"certificate PEM", block("CERTIFICATE", mine.Raw), "apiclient_key.pem", false},
		{"public key PEM", block("PUBLIC KEY", nil), "no .p12 file", false},
		{"key DER", pkcs8, "wxpay.LoadPrivateKey", false},
		{"certificate DER", mine.Raw, "apiclient_key.pem", false},
		{"base64 of a key", []byte(base64.StdEncoding.EncodeToString(pkcs8)), "wxpay.LoadPrivateKey", false},
		{"base64, cut", []byte(base64.StdEncoding.EncodeToString(good)[:401]), "no .p12 file", false},
		{"empty", nil, "empty", false},
		{"one byte", []byte{0x30}, "cannot be used", false},
		{"text", []byte("password: " + password), "no .p12 file", false},
		{"too large", make([]byte, 1<<20+1), "1 MiB", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			credentials, err := pkcs12.Load(test.data, password)
			require.ErrorIs(t, err, apiv3.ErrKey)
			assert.Zero(t, credentials)
			assert.Equal(t, test.wrong, asPassword(err), err)
			assert.ErrorContains(t, err, test.says)
			assert.NotContains(t, err.Error(), password)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

// A key that cannot sign is refused, a key of another kind is not this package's business.
func TestLoadOtherKeys(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	data, err := p12.Modern2023.Encode(key, certificate(t, serial, key, 30), nil, mchid)
	require.NoError(t, err)
	credentials, err := pkcs12.Load(data, mchid)
	require.NoError(t, err)
	assert.True(t, key.Equal(credentials.PrivateKey))
}

// No single damaged or missing byte makes a panic, or a key that is not the one in the file.
func TestLoadDamaged(t *testing.T) {
	for _, encoder := range []*p12.Encoder{p12.LegacyRC2, p12.Modern2026} {
		good := file(t, encoder.WithIterations(1), mchid)
		for i := range good {
			credentials, err := pkcs12.Load(change(good, i), mchid)
			if err == nil {
				assert.True(t, keys().merchant.Equal(credentials.PrivateKey), "byte %d", i)
				assert.Equal(t, serial, credentials.Serial, "byte %d", i)
				continue
			}
			require.ErrorIs(t, err, apiv3.ErrKey, "byte %d", i)
			_, err = pkcs12.Load(good[:i], mchid)
			require.ErrorIs(t, err, apiv3.ErrKey, "first %d bytes", i)
		}
	}
}

func TestLoadFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "apiclient_cert.p12")
	require.NoError(t, os.WriteFile(path, file(t, p12.LegacyRC2, mchid), 0o600))
	credentials, err := pkcs12.LoadFile(path, mchid)
	require.NoError(t, err)
	assert.Equal(t, serial, credentials.Serial)

	_, err = pkcs12.LoadFile(filepath.Join(dir, "absent.p12"), mchid)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorIs(t, err, apiv3.ErrKey)

	_, err = pkcs12.LoadFile(dir, mchid)
	require.ErrorIs(t, err, apiv3.ErrKey)

	require.NoError(t, os.Truncate(path, 1<<30))
	_, err = pkcs12.LoadFile(path, mchid)
	require.ErrorContains(t, err, "1 MiB")
}

func TestCredentialsPrintRedacted(t *testing.T) {
	credentials, err := pkcs12.Load(file(t, p12.LegacyRC2, mchid), mchid)
	require.NoError(t, err)
	logged := new(bytes.Buffer)
	slog.New(slog.NewTextHandler(logged, nil)).Info("loaded", "credentials", credentials)
	encoded, err := json.Marshal(credentials)
	require.NoError(t, err)
	for _, text := range []string{
		fmt.Sprint(credentials), fmt.Sprintf("%+v", credentials), fmt.Sprintf("%#v", credentials), fmt.Sprintf("%s", credentials),
		fmt.Sprintf("%+v", &credentials), fmt.Sprintf("%d", credentials), logged.String(), string(encoded),
	} {
		assert.Contains(t, text, serial)
		assert.NotContains(t, text, keys().merchant.D.String())
		assert.Less(t, len(text), 200, text)
	}
}

// Whatever the bytes, there is a key with its own certificate, or an error.
func FuzzLoad(f *testing.F) {
	for _, encoder := range []*p12.Encoder{p12.LegacyRC2, p12.LegacyDES, p12.Modern2023, p12.Modern2026} {
		f.Add(file(f, encoder.WithIterations(1), mchid), mchid)
	}
	f.Add(file(f, p12.Passwordless, ""), "")
	f.Add([]byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"), "")
	f.Fuzz(func(t *testing.T, data []byte, password string) {
		credentials, err := pkcs12.Load(data, password)
		if err != nil {
			require.ErrorIs(t, err, apiv3.ErrKey)
			require.Zero(t, credentials)
			return
		}
		require.Equal(t, apiv3.Serial(credentials.Certificate), credentials.Serial)
		require.True(t, credentials.Certificate.PublicKey.(interface{ Equal(crypto.PublicKey) bool }).Equal(credentials.PrivateKey.Public()))
	})
}

// change returns data with one byte changed.
func change(data []byte, at int) []byte {
	changed := bytes.Clone(data)
	changed[at] ^= 0x01
	return changed
}

// A password out of a file has a line break behind it: the error tells, and does not show the password.
func TestPasswordThatCannotBeSeen(t *testing.T) {
	good := file(t, p12.LegacyRC2, mchid)
	for given, says := range map[string]string{
		mchid + "\n": "character 11 of the one given is U+000A", mchid + "\u00a0": "character 11 of the one given is U+00A0",
		"\ufeff" + mchid: "character 1 of the one given is U+FEFF", mchid + " ": "begins or ends with a blank",
	} {
		_, err := pkcs12.Load(good, given)
		require.ErrorIs(t, err, pkcs12.ErrPassword)
		assert.ErrorContains(t, err, says)
		assert.NotContains(t, err.Error(), mchid)
	}
}
