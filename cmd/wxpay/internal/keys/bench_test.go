package keys_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/clitest"
	"github.com/wxpay-go/wxpay/sandbox"
)

// bench is a merchant of a sandbox with a folder for files of keys.
type bench struct {
	t       *testing.T
	box     *sandbox.Sandbox
	environ []string
	dir     string
}

// newBench serves a sandbox. Its clock, and that of the Date header, is late by the given time.
func newBench(t *testing.T, late time.Duration, options ...sandbox.Option) *bench {
	t.Helper()
	clock := func() time.Time { return time.Now().Add(-late) }
	box, err := sandbox.New(append(options, sandbox.WithClock(clock))...)
	require.NoError(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", clock().UTC().Format(http.TimeFormat))
		box.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return &bench{t, box, append(box.Env(), "WXPAY_BASE_URL="+server.URL), t.TempDir()}
}

// set changes a variable of the environment.
func (b *bench) set(name, value string) { b.environ = append(b.environ, name+"="+value) }

// write writes a file and returns its path.
func (b *bench) write(name string, data []byte) string {
	path := filepath.Join(b.dir, name)
	require.NoError(b.t, os.WriteFile(path, data, 0o600))
	return path
}

// run runs the program, and checks that its output contains no secret.
func (b *bench) run(args ...string) (code int, stdout, stderr string) {
	b.t.Helper()
	code, stdout, stderr = clitest.Run(b.t, b.environ, append([]string{"keys"}, args...)...)
	merchant := b.box.Merchant()
	der, err := x509.MarshalPKCS8PrivateKey(merchant.PrivateKey)
	require.NoError(b.t, err)
	text := strings.Split(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "\n")
	for _, secret := range []string{merchant.APIv3Key, "PRIVATE KEY-----", text[10], merchant.PrivateKey.D.String()} {
		assert.NotContains(b.t, stdout+stderr, secret)
	}
	return code, stdout, stderr
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func certPEM(certificate *x509.Certificate) []byte { return block("CERTIFICATE", certificate.Raw) }

func keyPEM(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return block("PRIVATE KEY", der)
}

// issue makes a certificate that is signed with its own key.
func issue(t *testing.T, key *rsa.PrivateKey, serial *big.Int, subject pkix.Name, from, to time.Time) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: serial, Subject: subject, NotBefore: from, NotAfter: to}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return certificate
}

// encryptPKCS8 encrypts a private key as OpenSSL does: PBES2 with PBKDF2 and AES-128.
func encryptPKCS8(t *testing.T, key any, password string) []byte {
	t.Helper()
	marshal := func(value any) []byte {
		der, err := asn1.Marshal(value)
		require.NoError(t, err)
		return der
	}
	algorithm := func(params []byte, id ...int) pkix.AlgorithmIdentifier {
		return pkix.AlgorithmIdentifier{Algorithm: id, Parameters: asn1.RawValue{FullBytes: params}}
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	salt, iv := []byte("saltsalt"), bytes.Repeat([]byte{7}, aes.BlockSize)
	secret, err := pbkdf2.Key(sha1.New, password, salt, 2048, 16)
	require.NoError(t, err)
	padding := aes.BlockSize - len(der)%aes.BlockSize
	der = append(der, bytes.Repeat([]byte{byte(padding)}, padding)...)
	aead, err := aes.NewCipher(secret)
	require.NoError(t, err)
	cipher.NewCBCEncrypter(aead, iv).CryptBlocks(der, der)
	derivation := algorithm(marshal(struct {
		Salt   []byte
		Rounds int
	}{salt, 2048}), 1, 2, 840, 113549, 1, 5, 12)
	encryption := algorithm(marshal(iv), 2, 16, 840, 1, 101, 3, 4, 1, 2)
	both := marshal(struct{ KDF, Encryption pkix.AlgorithmIdentifier }{derivation, encryption})
	return marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}{algorithm(both, 1, 2, 840, 113549, 1, 5, 13), der})
}
