package cli_test

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	p12 "software.sslmate.com/src/go-pkcs12"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/cli"
	"github.com/wxpay-go/wxpay/sandbox"
)

// keysBench is a merchant of a sandbox with a folder for files of keys.
type keysBench struct {
	t       *testing.T
	box     *sandbox.Sandbox
	environ []string
	dir     string
}

// newKeysBench serves a sandbox. Its clock, and that of the Date header, is late by the given time.
func newKeysBench(t *testing.T, late time.Duration, options ...sandbox.Option) *keysBench {
	t.Helper()
	clock := func() time.Time { return time.Now().Add(-late) }
	box, err := sandbox.New(append(options, sandbox.WithClock(clock))...)
	require.NoError(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", clock().UTC().Format(http.TimeFormat))
		box.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return &keysBench{t, box, append(box.Env(), "WXPAY_BASE_URL="+server.URL), t.TempDir()}
}

// set changes a variable of the environment.
func (b *keysBench) set(name, value string) { b.environ = append(b.environ, name+"="+value) }

// write writes a file and returns its path.
func (b *keysBench) write(name string, data []byte) string {
	path := filepath.Join(b.dir, name)
	require.NoError(b.t, os.WriteFile(path, data, 0o600))
	return path
}

// run runs the program, whose output holds no secret whatever it does.
func (b *keysBench) run(args ...string) (code int, stdout, stderr string) {
	b.t.Helper()
	var out, errs bytes.Buffer
	code = cli.Main(b.t.Context(), append([]string{"keys"}, args...), strings.NewReader(""), &out, &errs, b.environ)
	merchant := b.box.Merchant()
	der, err := x509.MarshalPKCS8PrivateKey(merchant.PrivateKey)
	require.NoError(b.t, err)
	text := strings.Split(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "\n")
	for _, secret := range []string{merchant.APIv3Key, "PRIVATE KEY-----", text[10], merchant.PrivateKey.D.String()} {
		assert.NotContains(b.t, out.String()+errs.String(), secret)
	}
	return code, out.String(), errs.String()
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

// sealPKCS8 encrypts a private key as OpenSSL does: PBES2 with PBKDF2 and AES-128.
func sealPKCS8(t *testing.T, key any, password string) []byte {
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
	return marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}{algorithm(marshal(struct{ KDF, Encryption pkix.AlgorithmIdentifier }{derivation, encryption}), 1, 2, 840, 113549, 1, 5, 13), der})
}

// TestKeysCheck has one cross for each way in which the keys are wrong, and tells what to do.
func TestKeysCheck(t *testing.T) {
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	now := time.Now()
	subject := func(id string) pkix.Name {
		return pkix.Name{CommonName: id, Organization: []string{"微信商户系统"}}
	}
	own := func(b *keysBench, id string, from, to time.Time) string {
		merchant := b.box.Merchant()
		return b.write("apiclient_cert.pem", certPEM(issue(t, merchant.PrivateKey, merchant.Certificate.SerialNumber, subject(id), from, to)))
	}
	both, certificates, public := sandbox.BothKeys, sandbox.CertificatesOnly, sandbox.PublicKeyOnly
	for _, test := range []struct {
		name  string
		mode  sandbox.KeyMode
		late  time.Duration
		spoil func(b *keysBench) (args []string)
		want  []string // with a mark: lines; all crosses are among them
		mode2 string   // the mode that is found
	}{
		{"all given", both, 0, func(b *keysBench) []string {
			return []string{"--cert", b.write("c.pem", certPEM(b.box.Merchant().Certificate))}
		}, []string{"✓ certificate  issued to merchant 1900000109, and the private key belongs to it", "✓ mode         both"}, "both"},
		{"p12 alone", both, 0, func(b *keysBench) []string {
			b.set("WXPAY_PRIVATE_KEY", "")
			b.set("WXPAY_SERIAL", "")
			merchant := b.box.Merchant()
			data, err := p12.LegacyRC2.Encode(merchant.PrivateKey, merchant.Certificate, nil, merchant.ID)
			require.NoError(t, err)
			return []string{"--p12", b.write("apiclient_cert.p12", data)}
		}, []string{"✓ certificate  issued to merchant 1900000109", "✓ mode         both"}, "both"},
		{"p12 with a password in a file", both, 0, func(b *keysBench) []string {
			merchant := b.box.Merchant()
			data, err := p12.LegacyRC2.Encode(merchant.PrivateKey, merchant.Certificate, nil, "secret 1")
			require.NoError(t, err)
			return []string{"--p12", b.write("apiclient_cert.p12", data), "--password-file", b.write("password", []byte("secret 1\n"))}
		}, []string{"✓ mode         both"}, "both"},
		{"p12 with another password", both, 0, func(b *keysBench) []string {
			merchant := b.box.Merchant()
			data, err := p12.LegacyRC2.Encode(merchant.PrivateKey, merchant.Certificate, nil, "secret 1")
			require.NoError(t, err)
			return []string{"--p12", b.write("apiclient_cert.p12", data)}
		}, []string{"✗ private key  it cannot be used: wrong password", "✗ certificate  it cannot be used", "– platform     not asked"}, ""},
		{"no certificate", both, 0, nil, []string{"– certificate  none is given", "✓ mode         both"}, "both"},
		{"key of another", both, 0, func(b *keysBench) []string {
			b.set("WXPAY_PRIVATE_KEY", string(keyPEM(t, other)))
			return nil
		}, []string{"✗ signature    the platform refuses it: both sides built a message of the same length: the private key does not belong to the certificate serial"}, ""},
		{"key of another, and the certificate", both, 0, func(b *keysBench) []string {
			b.set("WXPAY_PRIVATE_KEY", string(keyPEM(t, other)))
			b.set("WXPAY_CERTIFICATE", string(certPEM(b.box.Merchant().Certificate)))
			return nil
		}, []string{"✗ certificate  the private key does not belong to it: take apiclient_key.pem and apiclient_cert.pem from one download", "– platform     not asked"}, ""},
		{"certificate for a key", both, 0, func(b *keysBench) []string {
			b.set("WXPAY_PRIVATE_KEY", string(certPEM(b.box.Merchant().Certificate)))
			return nil
		}, []string{"✗ private key  it cannot be used: this is a certificate; the private key is the file apiclient_key.pem"}, ""},
		{"short key", both, 0, func(b *keysBench) []string {
			b.set("WXPAY_PRIVATE_KEY", string(keyPEM(t, short)))
			return nil
		}, []string{"✗ private key  it cannot be used: it has 1024 bits"}, ""},
		{"certificate of the platform", both, 0, func(b *keysBench) []string {
			return []string{"--cert", b.write("c.pem", certPEM(b.box.Certificates()[0]))}
		}, []string{"✗ certificate  it was issued to the platform (Tenpay.com sign): the merchant's own is apiclient_cert.pem", "✗ serial       WXPAY_SERIAL is "}, ""},
		{"certificate of another merchant", both, 0, func(b *keysBench) []string {
			return []string{"--cert", own(b, "1900000110", now.Add(-time.Hour), now.AddDate(1, 0, 0))}
		}, []string{"✗ certificate  it was issued to merchant 1900000110 and not to merchant 1900000109"}, ""},
		{"key for a certificate", both, 0, func(b *keysBench) []string {
			return []string{"--cert", b.write("c.pem", keyPEM(t, other))}
		}, []string{"✗ certificate  it cannot be used: this is a private key, not a certificate"}, ""},
		{"expired", both, 0, func(b *keysBench) []string {
			return []string{"--cert", own(b, "1900000109", now.AddDate(-5, 0, 0), now.Add(-49*time.Hour))}
		}, []string{"✗ validity     the certificate is no longer valid (", ", expired 2 days ago): apply for a new one", "✓ mode         both"}, "both"},
		{"not yet valid", both, 0, func(b *keysBench) []string {
			return []string{"--cert", own(b, "1900000109", now.Add(25*time.Hour), now.AddDate(5, 0, 0))}
		}, []string{"✗ validity     the certificate is not valid yet (", "begins in 1 day)"}, "both"},
		{"expires soon", both, 0, func(b *keysBench) []string {
			return []string{"--cert", own(b, "1900000109", now.AddDate(-1, 0, 0), now.Add(30*24*time.Hour-time.Minute))}
		}, []string{"– validity", ", 29 days left: apply for a new one", "✓ mode"}, "both"},
		{"expires less soon", both, 0, func(b *keysBench) []string {
			return []string{"--cert", own(b, "1900000109", now.AddDate(-1, 0, 0), now.Add(30*24*time.Hour+time.Hour))}
		}, []string{"✓ validity", ", 30 days left\n"}, "both"},
		{"serial of another certificate", both, 0, func(b *keysBench) []string {
			b.set("WXPAY_SERIAL", strings.Repeat("0A", 20))
			return []string{"--cert", b.write("c.pem", certPEM(b.box.Merchant().Certificate))}
		}, []string{"✗ serial       WXPAY_SERIAL is 0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A, and the certificate has 5A"}, ""},
		{"serial in lower case", both, 0, func(b *keysBench) []string {
			b.set("WXPAY_SERIAL", strings.Repeat("0a", 20))
			return nil
		}, []string{"✗ serial       WXPAY_SERIAL has lower-case digits: write it in upper case"}, ""},
		{"serial without its zeros", both, 0, func(b *keysBench) []string {
			b.set("WXPAY_SERIAL", strings.Repeat("A", 39))
			return nil
		}, []string{"✗ serial       WXPAY_SERIAL is not 40 hex digits"}, ""},
		{"serial is the id of the public key", both, 0, func(b *keysBench) []string {
			b.set("WXPAY_SERIAL", b.box.PublicKeyID())
			return nil
		}, []string{"✗ serial       WXPAY_SERIAL is the id of the WeChat Pay public key"}, ""},
		{"APIv3 key too short", both, 0, func(b *keysBench) []string {
			b.set("WXPAY_APIV3_KEY", strings.Repeat("k", 31))
			return nil
		}, []string{"✗ APIv3 key    it has 31 bytes instead of 32: set WXPAY_APIV3_KEY", "✓ mode         both"}, "both"},
		{"APIv3 key of another", both, 0, func(b *keysBench) []string {
			b.set("WXPAY_APIV3_KEY", strings.Repeat("k", 32))
			return nil
		}, []string{"✗ APIv3 key    the platform's certificates do not decrypt with it"}, ""},
		{"no APIv3 key", both, 0, func(b *keysBench) []string {
			b.set("WXPAY_APIV3_KEY", "")
			return nil
		}, []string{"– APIv3 key    none is given", "✓ mode         both"}, "both"},
		{"no APIv3 key and no certificates", public, 0, func(b *keysBench) []string {
			b.set("WXPAY_APIV3_KEY", "")
			return nil
		}, []string{"✓ mode         public key only"}, "public-key"},
		{"no key of the platform", both, 0, func(b *keysBench) []string {
			b.set("WXPAY_APIV3_KEY", "")
			b.set("WXPAY_PUBLIC_KEY", "")
			b.set("WXPAY_PUBLIC_KEY_ID", "")
			return nil
		}, []string{"✗ platform     no answer can be verified, for there is neither a public key nor an APIv3 key: set "}, ""},
		{"certificates only", certificates, 0, nil, []string{"✓ mode         certificates: ", "✓ works        certificate "}, "certificates"},
		{"certificates only, and a public key", certificates, 0, func(b *keysBench) []string {
			b.set("WXPAY_PUBLIC_KEY_ID", b.box.PublicKeyID())
			der, err := x509.MarshalPKIXPublicKey(b.box.PublicKey())
			require.NoError(t, err)
			b.set("WXPAY_PUBLIC_KEY", string(block("PUBLIC KEY", der)))
			return nil
		}, []string{"✓ mode         certificates only", "✗ works        public key PUB_KEY_ID_01190000010920250101000000000001: the platform does not know it as this merchant's"}, "certificates"},
		{"certificates only, a public key, and no APIv3 key", certificates, 0, func(b *keysBench) []string {
			b.set("WXPAY_APIV3_KEY", "")
			b.set("WXPAY_PUBLIC_KEY_ID", b.box.PublicKeyID())
			der, err := x509.MarshalPKIXPublicKey(b.box.PublicKey())
			require.NoError(t, err)
			b.set("WXPAY_PUBLIC_KEY", string(block("PUBLIC KEY", der)))
			return nil
		}, []string{"– mode         not known: set WXPAY_APIV3_KEY", "✗ works        public key PUB_KEY_ID_01190000010920250101000000000001: the platform does not know it as this merchant's"}, ""},
		{"public key only", public, 0, nil, []string{"✓ mode         public key only", "✓ works        public key "}, "public-key"},
		{"public key only, and none is given", public, 0, func(b *keysBench) []string {
			b.set("WXPAY_PUBLIC_KEY", "")
			b.set("WXPAY_PUBLIC_KEY_ID", "")
			return nil
		}, []string{"✗ mode         public key only, and no usable one is given: save it from the merchant platform"}, "public-key"},
		{"another public key under the id", both, 0, func(b *keysBench) []string {
			der, err := x509.MarshalPKIXPublicKey(other.Public())
			require.NoError(t, err)
			b.set("WXPAY_PUBLIC_KEY", string(block("PUBLIC KEY", der)))
			return nil
		}, []string{"✗ works        public key PUB_KEY_ID_"}, "both"},
		{"the merchant's own public key", both, 0, func(b *keysBench) []string {
			der, err := x509.MarshalPKIXPublicKey(b.box.Merchant().PrivateKey.Public())
			require.NoError(t, err)
			b.set("WXPAY_PUBLIC_KEY", string(block("PUBLIC KEY", der)))
			return nil
		}, []string{"✗ public key   it is the merchant's own public key", "✓ mode         certificates"}, "certificates"},
		{"public key without its id", both, 0, func(b *keysBench) []string {
			b.set("WXPAY_PUBLIC_KEY_ID", "")
			return nil
		}, []string{"✗ public key   WXPAY_PUBLIC_KEY is set and WXPAY_PUBLIC_KEY_ID is not"}, "certificates"},
		{"id is a serial", both, 0, func(b *keysBench) []string {
			b.set("WXPAY_PUBLIC_KEY_ID", strings.Repeat("A", 40))
			return nil
		}, []string{"✗ public key   WXPAY_PUBLIC_KEY_ID is the serial of a certificate"}, "certificates"},
		{"clock far ahead", both, 10 * time.Minute, nil, []string{
			"✗ clock        this machine's is 10m", "ahead of the platform's, at most 5m0s are allowed", "✗ signature    the platform refuses it: this machine's clock is"}, ""},
		{"clock far behind", both, -10 * time.Minute, nil, []string{"✗ clock        this machine's is ", "behind the platform's", "✗ signature"}, ""},
		{"clock somewhat ahead", both, 2 * time.Minute, nil, []string{"– clock        this machine's is 2m", "✓ mode         both"}, "both"},
		{"merchant number", both, 0, func(b *keysBench) []string {
			b.set("WXPAY_MCHID", "wx1900000109")
			return nil
		}, []string{"✗ merchant     the merchant number is not made of digits"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newKeysBench(t, test.late, sandbox.WithKeyMode(test.mode))
			args := []string{"check"}
			if test.spoil != nil {
				args = append(args, test.spoil(b)...)
			}
			code, stdout, stderr := b.run(args...)
			assert.Empty(t, stderr)
			crosses := 0
			for _, want := range test.want {
				assert.Contains(t, stdout, want)
				crosses += strings.Count(want, "✗")
			}
			assert.Equal(t, crosses, strings.Count(stdout, "✗"), stdout)
			if crosses > 0 {
				assert.Equal(t, 1, code)
			} else {
				assert.Equal(t, 0, code)
				assert.True(t, strings.HasSuffix(stdout, "all is well\n"))
			}

			// The same for machines.
			again, stdout, stderr := b.run(append(args, "--json")...)
			assert.Equal(t, code, again)
			assert.Empty(t, stderr)
			var report struct {
				OK     bool
				Mode   string
				Checks []struct{ Name, Result, Text string }
			}
			require.NoError(t, json.Unmarshal([]byte(stdout), &report))
			assert.Equal(t, code == 0, report.OK)
			assert.Equal(t, test.mode2, report.Mode)
			failed := 0
			for _, check := range report.Checks {
				assert.NotEmpty(t, check.Text)
				if check.Result == "failed" {
					failed++
				}
			}
			assert.Equal(t, crosses, failed)
		})
	}
}

// TestKeysCheckRevoked tells of a certificate that is good by itself, and that the platform takes no more.
func TestKeysCheckRevoked(t *testing.T) {
	b := newKeysBench(t, 0)
	b.set("WXPAY_CERTIFICATE", string(certPEM(b.box.Merchant().Certificate)))
	_, err := b.box.AddMerchantCertificate()
	require.NoError(t, err)
	require.NoError(t, b.box.RevokeMerchantCertificate(b.box.Merchant().Serial))
	code, stdout, _ := b.run("check")
	assert.Equal(t, 1, code)
	assert.Contains(t, stdout, "✗ signature    the platform refuses it: ")
	assert.Contains(t, stdout, "1 check failed\n")
}

// TestKeysCheckUnreachable has a cross for a platform that is not there, or is none.
func TestKeysCheckUnreachable(t *testing.T) {
	b := newKeysBench(t, 0)
	b.set("WXPAY_BASE_URL", "http://127.0.0.1:1")
	code, stdout, _ := b.run("check", "--timeout", "5s")
	assert.Equal(t, 1, code)
	assert.Contains(t, stdout, "– clock        not compared")
	assert.Contains(t, stdout, "✗ platform     there is no connection to http://127.0.0.1:1: look at the network")

	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<h1>Welcome</h1>")) }))
	t.Cleanup(page.Close)
	b.set("WXPAY_BASE_URL", page.URL)
	code, stdout, _ = b.run("check")
	assert.Equal(t, 1, code)
	assert.Contains(t, stdout, "✗ platform     it gives no answer that can be trusted: ")
	assert.NotContains(t, stdout, "Welcome")
}

// TestKeysShow tells of each kind of file what it holds.
func TestKeysShow(t *testing.T) {
	b := newKeysBench(t, 0)
	merchant := b.box.Merchant()
	key, err := x509.MarshalPKCS8PrivateKey(merchant.PrivateKey)
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(merchant.PrivateKey.Public())
	require.NoError(t, err)
	store, err := p12.LegacyRC2.Encode(merchant.PrivateKey, merchant.Certificate, nil, merchant.ID)
	require.NoError(t, err)
	locked, err := p12.Modern.Encode(merchant.PrivateKey, merchant.Certificate, nil, "another")
	require.NoError(t, err)
	sealed := sealPKCS8(t, merchant.PrivateKey, merchant.ID)
	lockedKey := sealPKCS8(t, merchant.PrivateKey, "another")
	certificate := certPEM(merchant.Certificate)
	type facts struct {
		Kind, Serial, Mchid, Algorithm, Fingerprint, Error string
		Bits                                               int
		Owner                                              string `json:"issued_to"`
	}
	for _, test := range []struct {
		name    string
		data    []byte
		kinds   string
		serial  bool
		problem string
	}{
		{name: "key", data: block("PRIVATE KEY", key), kinds: "private key"},
		{name: "key DER", data: key, kinds: "private key"},
		{name: "key PKCS1", data: block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(merchant.PrivateKey)), kinds: "private key"},
		{name: "key from a variable", data: []byte(strings.ReplaceAll(string(block("PRIVATE KEY", key)), "\n", `\n`)), kinds: "private key"},
		{name: "certificate", data: certificate, kinds: "certificate", serial: true},
		{name: "certificate DER", data: merchant.Certificate.Raw, kinds: "certificate", serial: true},
		{name: "public key", data: block("PUBLIC KEY", public), kinds: "public key"},
		{name: "public key DER", data: public, kinds: "public key"},
		{name: "p12", data: store, kinds: "PKCS#12", serial: true},
		{name: "encrypted key", data: block("ENCRYPTED PRIVATE KEY", sealed), kinds: "encrypted private key"},
		{name: "encrypted key DER", data: sealed, kinds: "encrypted private key"},
		{name: "two", data: slices.Concat(block("PRIVATE KEY", key), []byte("between\n"), certificate), kinds: "private key, certificate"},

		{name: "p12 under another password", data: locked, kinds: "PKCS#12", problem: "it cannot be opened: the password is wrong"},
		{name: "p12 cut", data: store[:len(store)-9], kinds: "unknown", problem: "it is damaged, or no key"},
		{name: "key under another password", data: block("ENCRYPTED PRIVATE KEY", lockedKey), kinds: "encrypted private key", problem: "it is encrypted: the password is wrong"},
		{name: "key under another password DER", data: lockedKey, kinds: "encrypted private key", problem: "it is encrypted: the password is wrong"},
		{name: "key encrypted in the old way", kinds: "encrypted private key", problem: "in the old way of PEM",
			data: pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-128-CBC,00"}, Bytes: key})},
		{name: "key cut", data: block("PRIVATE KEY", key[:len(key)-1]), kinds: "private key", problem: "it is damaged, or not what it says: not a private key"},
		{name: "certificate under the name of a key", data: block("PRIVATE KEY", merchant.Certificate.Raw), kinds: "private key", problem: "this is a certificate"},
		{name: "certificate cut", data: block("CERTIFICATE", merchant.Certificate.Raw[:500]), kinds: "certificate", problem: "it is damaged"},
		{name: "public key cut", data: block("PUBLIC KEY", public[:50]), kinds: "public key", problem: "it is damaged"},
		{name: "one line", data: bytes.ReplaceAll(certificate, []byte("\n"), []byte(" ")), kinds: "unknown", problem: "the PEM text is damaged: line breaks are lost"},
		{name: "first one damaged", data: slices.Concat(bytes.Replace(certificate, []byte("\nMI"), []byte("\n!!"), 1), certificate), kinds: "unknown, certificate", problem: "the PEM text is damaged"},
		{name: "end is missing", data: slices.Concat(certificate, certificate[:200]), kinds: "certificate, unknown", problem: "the PEM text is damaged"},
		{name: "request", data: block("CERTIFICATE REQUEST", public), kinds: "unknown", problem: `"CERTIFICATE REQUEST" is neither a key nor a certificate`},
		{name: "empty", data: []byte(" \n"), kinds: "unknown", problem: "it is empty"},
		{name: "text", data: []byte("hello \x1b[31m"), kinds: "unknown", problem: "it is damaged, or no key"},
		{name: "binary", data: []byte{0x30, 0x03, 1, 2, 3}, kinds: "unknown", problem: "it is damaged, or no key"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := b.write("file", test.data)
			code, stdout, stderr := b.run("show", "--json", path)
			assert.Empty(t, stderr)
			var files []struct {
				File string
				Keys []facts
			}
			require.NoError(t, json.Unmarshal([]byte(stdout), &files))
			require.Len(t, files, 1)
			var kinds, problems []string
			for _, f := range files[0].Keys {
				kinds = append(kinds, f.Kind)
				if f.Error != "" {
					problems = append(problems, f.Error)
					continue
				}
				assert.Equal(t, "RSA", f.Algorithm)
				assert.Equal(t, 2048, f.Bits)
				assert.Equal(t, fingerprint(t, merchant.PrivateKey.Public()), f.Fingerprint)
				if test.serial {
					assert.Equal(t, merchant.Serial, f.Serial)
					assert.Equal(t, merchant.ID, f.Mchid)
					assert.Equal(t, "merchant "+merchant.ID, f.Owner)
				}
			}
			assert.Equal(t, test.kinds, strings.Join(kinds, ", "))
			readable, text, _ := b.run("show", path)
			assert.Equal(t, code, readable)
			if test.problem == "" {
				assert.Equal(t, 0, code)
				assert.Empty(t, problems)
				assert.Contains(t, text, "  key          RSA, 2048 bits\n")
				return
			}
			assert.Equal(t, 1, code)
			require.Len(t, problems, 1)
			assert.Contains(t, problems[0], test.problem)
			assert.Contains(t, text, "  problem      ✗ "+problems[0]+"\n")
		})
	}

	// Without a password there is nothing wrong with it.
	b.set("WXPAY_MCHID", "")
	_, stdout, _ := b.run("show", b.write("store.p12", store))
	assert.Contains(t, stdout, "it cannot be opened: give the password by --password-file or WXPAY_KEY_PASSWORD (")
	b.set("WXPAY_KEY_PASSWORD", merchant.ID)
	code, stdout, _ := b.run("show", b.write("store.p12", store))
	assert.Equal(t, 0, code)
	assert.Contains(t, stdout, "issued to    merchant "+merchant.ID)
}

// fingerprint is what openssl pkey -pubout -outform DER | sha256sum prints.
func fingerprint(t *testing.T, key crypto.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	require.NoError(t, err)
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// TestKeysDownload writes what the platform has, and leaves what is newer or not a certificate.
func TestKeysDownload(t *testing.T) {
	b := newKeysBench(t, 0)
	listed := b.box.Certificates()
	dir := filepath.Join(b.dir, "new", "certificates")
	path := func(certificate *x509.Certificate) string {
		return filepath.Join(dir, "wechatpay_"+apiv3.Serial(certificate)+".pem")
	}
	code, stdout, stderr := b.run("download", "--out", dir)
	require.Equal(t, 0, code, stderr)
	for _, certificate := range listed {
		data, err := os.ReadFile(path(certificate))
		require.NoError(t, err)
		assert.Equal(t, string(certPEM(certificate)), string(data))
		assert.Contains(t, stdout, "wrote "+path(certificate)+" (")
	}
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, files, len(listed), "nothing else is left behind")

	code, stdout, _ = b.run("download", "--out", dir)
	assert.Equal(t, 0, code)
	assert.Equal(t, 2, strings.Count(stdout, ", which holds the same ("))

	// An older one is replaced, a newer one stays.
	older := issue(t, b.box.Merchant().PrivateKey, listed[0].SerialNumber, listed[0].Subject, listed[0].NotBefore, listed[0].NotAfter.Add(-time.Hour))
	newer := issue(t, b.box.Merchant().PrivateKey, listed[1].SerialNumber, listed[1].Subject, listed[1].NotBefore, listed[1].NotAfter.Add(time.Hour))
	require.NoError(t, os.WriteFile(path(older), certPEM(older), 0o600))
	require.NoError(t, os.WriteFile(path(newer), certPEM(newer), 0o600))
	code, stdout, _ = b.run("download", "--out", dir)
	assert.Equal(t, 0, code)
	assert.Contains(t, stdout, "replaced "+path(older)+", which was older (")
	assert.Contains(t, stdout, "kept "+path(newer)+", which holds a newer one (")
	for name, want := range map[string][]byte{path(older): certPEM(listed[0]), path(newer): certPEM(newer)} {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.Equal(t, string(want), string(data))
	}

	// What is no certificate, or another, is not the program's to overwrite; the others are written all the same.
	require.NoError(t, os.WriteFile(path(listed[0]), []byte("my notes"), 0o600))
	require.NoError(t, os.Remove(path(listed[1])))
	code, stdout, stderr = b.run("download", "--out", dir)
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, "is in the way, and holds no certificate: move it away")
	assert.Contains(t, stdout, "wrote "+path(listed[1]))
	data, err := os.ReadFile(path(listed[0]))
	require.NoError(t, err)
	assert.Equal(t, "my notes", string(data))
	require.NoError(t, os.WriteFile(path(listed[0]), certPEM(listed[1]), 0o600))
	code, _, stderr = b.run("download", "--out", dir)
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, "is in the way, and holds the certificate "+apiv3.Serial(listed[1]))
}

// TestKeysDownloadFails writes nothing where the list cannot be had or trusted, and says why.
func TestKeysDownloadFails(t *testing.T) {
	for _, test := range []struct {
		name, variable, value string
		mode                  sandbox.KeyMode
		code                  int
		want                  string
	}{
		{"public key only", "", "", sandbox.PublicKeyOnly, 1, "this merchant has no platform certificates, only the WeChat Pay public key, and there is nothing to download: save the key"},
		{"another APIv3 key", "WXPAY_APIV3_KEY", strings.Repeat("k", 32), sandbox.BothKeys, 1, "the platform's certificates do not decrypt: set WXPAY_APIV3_KEY"},
		{"no APIv3 key", "WXPAY_APIV3_KEY", "", sandbox.BothKeys, 2, "WXPAY_APIV3_KEY is not set"},
		{"short APIv3 key", "WXPAY_APIV3_KEY", "k", sandbox.BothKeys, 2, "the APIv3 key has 1 bytes"},
		{"not a key", "WXPAY_PRIVATE_KEY", "nofile", sandbox.BothKeys, 2, "neither PEM text nor a readable file"},
		{"another serial", "WXPAY_SERIAL", strings.Repeat("A", 40), sandbox.BothKeys, 1, "SIGN_ERROR"},
		{"no connection", "WXPAY_BASE_URL", "http://127.0.0.1:1", sandbox.BothKeys, 4, "127.0.0.1:1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newKeysBench(t, 0, sandbox.WithKeyMode(test.mode))
			if test.variable != "" {
				b.set(test.variable, test.value)
			}
			dir := filepath.Join(b.dir, "certificates")
			code, stdout, stderr := b.run("download", "--out", dir)
			assert.Equal(t, test.code, code, stderr)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, test.want)
			assert.NoDirExists(t, dir)
		})
	}
}
