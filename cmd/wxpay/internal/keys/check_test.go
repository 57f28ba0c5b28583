package keys_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	p12 "software.sslmate.com/src/go-pkcs12"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/clitest"
	"github.com/wxpay-go/wxpay/sandbox"
)

// TestKeysCheck has one cross for each way in which the keys are wrong, and tells what to do.
func TestKeysCheck(t *testing.T) {
	t.Parallel()
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	now := time.Now()
	subject := func(id string) pkix.Name {
		return pkix.Name{CommonName: id, Organization: []string{"微信商户系统"}}
	}
	own := func(b *bench, id string, from, to time.Time) string {
		merchant := b.box.Merchant()
		return b.write("apiclient_cert.pem", certPEM(issue(t, merchant.PrivateKey, merchant.Certificate.SerialNumber,
			subject(id), from, to)))
	}
	both, certificates, public := sandbox.BothKeys, sandbox.CertificatesOnly, sandbox.PublicKeyOnly
	for _, test := range []struct {
		name  string
		mode  sandbox.KeyMode
		late  time.Duration
		spoil func(b *bench) (args []string)
		want  []string // with a mark: lines; all crosses are among them
		mode2 string   // the mode that is found
	}{
		{"all given", both, 0, func(b *bench) []string {
			return []string{"--cert", b.write("c.pem", certPEM(b.box.Merchant().Certificate))}
		}, []string{"✓ certificate  issued to merchant 1900000109, and the private key belongs to it",
			"✓ mode         both"}, "both"},
		{"p12 alone", both, 0, func(b *bench) []string {
			b.set("WXPAY_PRIVATE_KEY", "")
			b.set("WXPAY_SERIAL", "")
			merchant := b.box.Merchant()
			data, err := p12.LegacyRC2.Encode(merchant.PrivateKey, merchant.Certificate, nil, merchant.ID)
			require.NoError(t, err)
			return []string{"--p12", b.write("apiclient_cert.p12", data)}
		}, []string{"✓ certificate  issued to merchant 1900000109", "✓ mode         both"}, "both"},
		{"p12 with a password in a file", both, 0, func(b *bench) []string {
			merchant := b.box.Merchant()
			data, err := p12.LegacyRC2.Encode(merchant.PrivateKey, merchant.Certificate, nil, "secret 1")
			require.NoError(t, err)
			return []string{"--p12", b.write("apiclient_cert.p12", data), "--password-file",
				b.write("password", []byte("secret 1\n"))}
		}, []string{"✓ mode         both"}, "both"},
		{"p12 with another password", both, 0, func(b *bench) []string {
			merchant := b.box.Merchant()
			data, err := p12.LegacyRC2.Encode(merchant.PrivateKey, merchant.Certificate, nil, "secret 1")
			require.NoError(t, err)
			return []string{"--p12", b.write("apiclient_cert.p12", data)}
		}, []string{"✗ private key  it cannot be used: --p12: wrong password", "✗ certificate  it cannot be used",
			"– platform     not asked"}, ""},
		{"no certificate", both, 0, nil, []string{"– certificate  none is given", "✓ mode         both"}, "both"},
		{"key of another", both, 0, func(b *bench) []string {
			b.set("WXPAY_PRIVATE_KEY", string(keyPEM(t, other)))
			return nil
		}, []string{"✗ signature    the platform rejects it: both sides built a message of the same length: the " +
			"private key does not belong to the certificate serial"}, ""},
		{"key of another, and the certificate", both, 0, func(b *bench) []string {
			b.set("WXPAY_PRIVATE_KEY", string(keyPEM(t, other)))
			b.set("WXPAY_CERTIFICATE", string(certPEM(b.box.Merchant().Certificate)))
			return nil
		}, []string{"✗ certificate  the private key does not belong to it: take apiclient_key.pem and " +
			"apiclient_cert.pem that were made together", "– platform     not asked"}, ""},
		{"certificate for a key", both, 0, func(b *bench) []string {
			b.set("WXPAY_PRIVATE_KEY", string(certPEM(b.box.Merchant().Certificate)))
			return nil
		}, []string{"✗ private key  it cannot be used: this is a certificate; the private key is the file " +
			"apiclient_key.pem"}, ""},
		{"short key", both, 0, func(b *bench) []string {
			b.set("WXPAY_PRIVATE_KEY", string(keyPEM(t, short)))
			return nil
		}, []string{"✗ private key  it cannot be used: it has 1024 bits"}, ""},
		{"certificate of the platform", both, 0, func(b *bench) []string {
			return []string{"--cert", b.write("c.pem", certPEM(b.box.Keys.Certificates()[0]))}
		}, []string{"✗ certificate  it was issued to the platform (Tenpay.com sign): the merchant's own is " +
			"apiclient_cert.pem", "✗ serial       WXPAY_SERIAL is "}, ""},
		{"certificate of another merchant", both, 0, func(b *bench) []string {
			return []string{"--cert", own(b, "1900000110", now.Add(-time.Hour), now.AddDate(1, 0, 0))}
		}, []string{"✗ certificate  it was issued to merchant 1900000110 and not to merchant 1900000109"}, ""},
		{"key for a certificate", both, 0, func(b *bench) []string {
			return []string{"--cert", b.write("c.pem", keyPEM(t, other))}
		}, []string{"✗ certificate  it cannot be used: --cert: this is a private key, not a certificate"}, ""},
		{"expired", both, 0, func(b *bench) []string {
			return []string{"--cert", own(b, "1900000109", now.AddDate(-5, 0, 0), now.Add(-49*time.Hour))}
		}, []string{"✗ validity     the certificate is no longer valid (", ", expired 2 days ago): apply for a new one",
			"✓ mode         both"}, "both"},
		{"not yet valid", both, 0, func(b *bench) []string {
			return []string{"--cert", own(b, "1900000109", now.Add(25*time.Hour), now.AddDate(5, 0, 0))}
		}, []string{"✗ validity     the certificate is not valid yet (", "begins in 1 day)"}, "both"},
		{"expires soon", both, 0, func(b *bench) []string {
			return []string{"--cert", own(b, "1900000109", now.AddDate(-1, 0, 0), now.Add(30*24*time.Hour-time.Minute))}
		}, []string{"– validity", ", 29 days left: apply for a new one", "✓ mode"}, "both"},
		{"expires less soon", both, 0, func(b *bench) []string {
			return []string{"--cert", own(b, "1900000109", now.AddDate(-1, 0, 0), now.Add(30*24*time.Hour+time.Hour))}
		}, []string{"✓ validity", ", 30 days left\n"}, "both"},
		{"serial of another certificate", both, 0, func(b *bench) []string {
			b.set("WXPAY_SERIAL", strings.Repeat("0A", 20))
			return []string{"--cert", b.write("c.pem", certPEM(b.box.Merchant().Certificate))}
		}, []string{"✗ serial       WXPAY_SERIAL is 0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A0A, and the certificate has 5A"}, ""},
		{"serial in lower case", both, 0, func(b *bench) []string {
			b.set("WXPAY_SERIAL", strings.Repeat("0a", 20))
			return nil
		}, []string{"✗ serial       WXPAY_SERIAL has lower-case digits: write it in upper case"}, ""},
		{"serial without its zeros", both, 0, func(b *bench) []string {
			b.set("WXPAY_SERIAL", strings.Repeat("A", 39))
			return nil
		}, []string{"✗ serial       WXPAY_SERIAL is not 40 hex digits"}, ""},
		{"serial is the id of the public key", both, 0, func(b *bench) []string {
			b.set("WXPAY_SERIAL", b.box.Keys.PublicKeyID())
			return nil
		}, []string{"✗ serial       WXPAY_SERIAL is the id of the WeChat Pay public key"}, ""},
		{"APIv3 key too short", both, 0, func(b *bench) []string {
			b.set("WXPAY_APIV3_KEY", strings.Repeat("k", 31))
			return nil
		}, []string{"✗ APIv3 key    it has 31 bytes instead of 32: set WXPAY_APIV3_KEY", "✓ mode         both"}, "both"},
		{"APIv3 key of another", both, 0, func(b *bench) []string {
			b.set("WXPAY_APIV3_KEY", strings.Repeat("k", 32))
			return nil
		}, []string{"✗ APIv3 key    the platform's certificates do not decrypt with it"}, ""},
		{"no APIv3 key", both, 0, func(b *bench) []string {
			b.set("WXPAY_APIV3_KEY", "")
			return nil
		}, []string{"– APIv3 key    none is given", "✓ mode         both"}, "both"},
		{"no APIv3 key and no certificates", public, 0, func(b *bench) []string {
			b.set("WXPAY_APIV3_KEY", "")
			return nil
		}, []string{"✓ mode         public key only"}, "public-key"},
		{"no key of the platform", both, 0, func(b *bench) []string {
			b.set("WXPAY_APIV3_KEY", "")
			b.set("WXPAY_PUBLIC_KEY", "")
			b.set("WXPAY_PUBLIC_KEY_ID", "")
			return nil
		}, []string{"✗ platform     no response can be verified without a public key and without an APIv3 key: set "}, ""},
		{"certificates only", certificates, 0, nil, []string{"✓ mode         certificates: ",
			"✓ works        certificate "}, "certificates"},
		{"certificates only, and a public key", certificates, 0, func(b *bench) []string {
			b.set("WXPAY_PUBLIC_KEY_ID", b.box.Keys.PublicKeyID())
			der, err := x509.MarshalPKIXPublicKey(b.box.Keys.PublicKey())
			require.NoError(t, err)
			b.set("WXPAY_PUBLIC_KEY", string(block("PUBLIC KEY", der)))
			return nil
		}, []string{"✓ mode         certificates only", "✗ works        public key " +
			"PUB_KEY_ID_01190000010920250101000000000001: the platform does not know it as this merchant's"}, "certificates"},
		{"certificates only, a public key, and no APIv3 key", certificates, 0, func(b *bench) []string {
			b.set("WXPAY_APIV3_KEY", "")
			b.set("WXPAY_PUBLIC_KEY_ID", b.box.Keys.PublicKeyID())
			der, err := x509.MarshalPKIXPublicKey(b.box.Keys.PublicKey())
			require.NoError(t, err)
			b.set("WXPAY_PUBLIC_KEY", string(block("PUBLIC KEY", der)))
			return nil
		}, []string{"✗ platform     it gives no response that can be verified", "the platform signs with that when it does not know " +
			"PUB_KEY_ID_01190000010920250101000000000001 as this merchant's public key"}, ""},
		{"public key only", public, 0, nil, []string{"✓ mode         public key only", "✓ works        public key "},
			"public-key"},
		{"public key only, and none is given", public, 0, func(b *bench) []string {
			b.set("WXPAY_PUBLIC_KEY", "")
			b.set("WXPAY_PUBLIC_KEY_ID", "")
			return nil
		}, []string{"✗ mode         public key only, and no usable one is given: save it from the merchant platform"},
			"public-key"},
		{"another public key under the id", both, 0, func(b *bench) []string {
			der, err := x509.MarshalPKIXPublicKey(other.Public())
			require.NoError(t, err)
			b.set("WXPAY_PUBLIC_KEY", string(block("PUBLIC KEY", der)))
			return nil
		}, []string{"✗ works        public key PUB_KEY_ID_"}, "both"},
		{"the merchant's own public key", both, 0, func(b *bench) []string {
			der, err := x509.MarshalPKIXPublicKey(b.box.Merchant().PrivateKey.Public())
			require.NoError(t, err)
			b.set("WXPAY_PUBLIC_KEY", string(block("PUBLIC KEY", der)))
			return nil
		}, []string{"✗ public key   it is the merchant's own public key", "✓ mode         certificates"}, "certificates"},
		{"public key without its id", both, 0, func(b *bench) []string {
			b.set("WXPAY_PUBLIC_KEY_ID", "")
			return nil
		}, []string{"✗ public key   WXPAY_PUBLIC_KEY is set and WXPAY_PUBLIC_KEY_ID is not"}, "certificates"},
		{"id is a serial", both, 0, func(b *bench) []string {
			b.set("WXPAY_PUBLIC_KEY_ID", strings.Repeat("A", 40))
			return nil
		}, []string{"✗ public key   WXPAY_PUBLIC_KEY_ID is the serial of a certificate"}, "certificates"},
		{"clock far ahead", both, 10 * time.Minute, nil, []string{
			"✗ clock        this machine's is 10m", "ahead of the platform's, at most 5m0s are allowed",
			"✗ signature    the platform rejects it: this machine's clock is"}, ""},
		{"clock far behind", both, -10 * time.Minute, nil, []string{"✗ clock        this machine's is ",
			"behind the platform's", "✗ signature"}, ""},
		{"clock somewhat ahead", both, 2 * time.Minute, nil, []string{"– clock        this machine's is 2m",
			"✓ mode         both"}, "both"},
		{"merchant number", both, 0, func(b *bench) []string {
			b.set("WXPAY_MCHID", "wx1900000109")
			return nil
		}, []string{"✗ merchant     the merchant number is not made of digits"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, test.late, sandbox.WithKeyMode(test.mode))
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
			again, stdout, stderr := b.run(append(args, "--format=json")...)
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
	t.Parallel()
	b := newBench(t, 0)
	b.set("WXPAY_CERTIFICATE", string(certPEM(b.box.Merchant().Certificate)))
	_, err := b.box.Keys.AddMerchantCertificate()
	require.NoError(t, err)
	require.NoError(t, b.box.Keys.RevokeMerchantCertificate(b.box.Merchant().Serial))
	code, stdout, _ := b.run("check")
	assert.Equal(t, 1, code)
	assert.Contains(t, stdout, "✗ signature    the platform rejects it: ")
	assert.Contains(t, stdout, "1 check failed\n")
}

// TestKeysCheckUnreachable has a cross for a platform that is not there, or is none.
func TestKeysCheckUnreachable(t *testing.T) {
	t.Parallel()
	b := newBench(t, 0)
	b.set("WXPAY_BASE_URL", "http://127.0.0.1:1")
	code, stdout, _ := b.run("check", "--timeout", "5s")
	assert.Equal(t, 1, code)
	assert.Contains(t, stdout, "– clock        not compared")
	assert.Contains(t, stdout, "✗ platform     there is no connection to http://127.0.0.1:1: look at the network")

	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_,
			_ = w.Write([]byte("<h1>Welcome</h1>"))
	}))
	t.Cleanup(page.Close)
	b.set("WXPAY_BASE_URL", page.URL)
	code, stdout, _ = b.run("check")
	assert.Equal(t, 1, code)
	assert.Contains(t, stdout, "✗ platform     it gives no response that can be verified: ")
	assert.NotContains(t, stdout, "Welcome")
}

// asBrand gives the environment the keys of the sandbox's brand.
func (b *bench) asBrand() sandbox.Brand {
	brand, err := b.box.Brand()
	require.NoError(b.t, err)
	public, err := x509.MarshalPKIXPublicKey(brand.PublicKey)
	require.NoError(b.t, err)
	for name, value := range map[string]string{
		"WXPAY_MCHID": "", "WXPAY_BRAND_ID": brand.ID, "WXPAY_SERIAL": brand.Serial, "WXPAY_PRIVATE_KEY": string(keyPEM(b.t, brand.PrivateKey)),
		"WXPAY_PUBLIC_KEY_ID": brand.PublicKeyID, "WXPAY_PUBLIC_KEY": string(block("PUBLIC KEY", public)), "WXPAY_APIV3_KEY": brand.Key,
	} {
		b.set(name, value)
	}
	return brand
}

// A brand has no certificates of the platform and no self-test: a read shows that both signatures are right.
func TestKeysCheckOfBrand(t *testing.T) {
	t.Parallel()
	b := newBench(t, 0)
	brand := b.asBrand()
	code, stdout, stderr := b.run("check", "--cert", b.write("c.pem", certPEM(brand.Certificate)))
	assert.Zero(t, code, stdout+stderr)
	for _, want := range []string{"Brand " + brand.ID + " at http://127.0.0.1:", "✓ certificate  issued to", "✓ clock ", "✓ signature    the platform accepts it",
		"✓ works        public key " + brand.PublicKeyID + ": signing and verifying; the platform has no self-test for brands", "all is well"} {
		assert.Contains(t, stdout, want)
	}
	code, stdout, _ = b.run("check", "--format", "json")
	assert.Zero(t, code)
	assert.Contains(t, stdout, `"brand_id": "`+brand.ID+`"`)
	assert.NotContains(t, stdout, `"mchid"`)

	other, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	b.set("WXPAY_PRIVATE_KEY", string(keyPEM(t, other)))
	code, stdout, _ = b.run("check")
	assert.Equal(t, 1, code)
	assert.Contains(t, stdout, "✗ signature    the platform rejects it")

	b.asBrand()
	b.set("WXPAY_PUBLIC_KEY_ID", "")
	b.set("WXPAY_PUBLIC_KEY", "")
	code, stdout, _ = b.run("check")
	assert.Equal(t, 1, code)
	assert.Contains(t, stdout, "✗ platform     no response to a brand can be verified without a public key")
	code, _, stderr = b.run("download", "--output", b.dir+"/certificates")
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "there are no platform certificates for brands")
}

// What is wrong in a profile is told by the names of the profile.
func TestMessagesSpeakOfTheProfile(t *testing.T) {
	t.Parallel()
	b := newBench(t, 0)
	config := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(config, "wxpay"), 0o700))
	merchant := b.box.Merchant()
	profile := `[default]
mchid = "` + merchant.ID + `"
serial = "` + strings.ToLower(merchant.Serial) + `"
private_key = '''` + string(keyPEM(t, merchant.PrivateKey)) + `'''
apiv3_key = "short"
`
	path := filepath.Join(config, "wxpay", "config.toml")
	require.NoError(t, os.WriteFile(path, []byte(profile), 0o600))
	b.environ = []string{"XDG_CONFIG_HOME=" + config}
	code, stdout, stderr := b.run("check")
	assert.Equal(t, 1, code, stderr)
	assert.Contains(t, stdout, "serial has lower-case digits")
	assert.Contains(t, stdout, "set apiv3_key to the key from the merchant platform")
	assert.NotContains(t, stdout+stderr, "WXPAY_")

	require.NoError(t, os.WriteFile(path, []byte("[default]\nmchid = \"1900000109\"\n"), 0o600))
	code, _, stderr = b.run("check")
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "not set in "+path+": private_key (or --p12)")
	notification := b.write("n.http", []byte("POST / HTTP/1.1\nA: b\n\n{}"))
	code, _, stderr = clitest.Run(t, b.environ, "webhook", "verify", notification)
	assert.Equal(t, 2, code)
	assert.Contains(t, stderr, "set public_key_id and public_key")
	assert.NotContains(t, stderr, "WXPAY_")
}
