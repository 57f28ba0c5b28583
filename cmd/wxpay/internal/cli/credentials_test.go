package cli_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	p12 "software.sslmate.com/src/go-pkcs12"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/clitest"
	"github.com/wxpay-go/wxpay/sandbox"
)

// account is a merchant of a sandbox, with the files that the merchant platform hands out.
type account struct {
	*sandbox.Server
	variables map[string]string
	dir       string
}

func newAccount(t *testing.T, options ...sandbox.Option) *account {
	t.Helper()
	s, err := sandbox.New(options...)
	require.NoError(t, err)
	server, err := s.Listen("127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { server.Close() })
	a := &account{Server: server, variables: make(map[string]string), dir: t.TempDir()}
	for _, name := range []string{"WXPAY_MCHID", "WXPAY_SERIAL", "WXPAY_PRIVATE_KEY", "WXPAY_APIV3_KEY", "WXPAY_PUBLIC_KEY_ID",
		"WXPAY_PUBLIC_KEY", "WXPAY_BASE_URL"} {
		if value, ok := server.LookupEnv(name); ok {
			a.variables[name] = value
		}
	}
	merchant := server.Merchant()
	a.write(t, "apiclient_key.pem", []byte(a.variables["WXPAY_PRIVATE_KEY"]))
	a.write(t, "apiclient_cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: merchant.Certificate.Raw}))
	a.write(t, "apiv3_key", []byte(merchant.APIv3Key+"\n"))
	for name, password := range map[string]string{"apiclient_cert.p12": merchant.ID, "locked.p12": "secret 1"} {
		data, err := p12.LegacyRC2.Encode(merchant.PrivateKey, merchant.Certificate, nil, password)
		require.NoError(t, err)
		a.write(t, name, data)
	}
	a.write(t, "password", []byte("secret 1\n"))
	return a
}

func (a *account) path(name string) string { return filepath.Join(a.dir, name) }

func (a *account) write(t *testing.T, name string, data []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(a.path(name), data, 0o600))
}

// environ returns the variables with changes; an empty one is not set.
func (a *account) environ(changes map[string]string) (environ []string) {
	all := maps.Clone(a.variables)
	maps.Copy(all, changes)
	for name, value := range all {
		if value != "" {
			environ = append(environ, name+"="+value)
		}
	}
	return environ
}

// Every way to give credentials makes a client for every command.
func TestCredentials(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	alone := newAccount(t, sandbox.WithKeyMode(sandbox.CertificatesOnly))
	der, err := x509.MarshalPKCS8PrivateKey(a.Merchant().PrivateKey)
	require.NoError(t, err)
	unset := map[string]string{"WXPAY_PRIVATE_KEY": "", "WXPAY_SERIAL": ""}
	with := func(more map[string]string) map[string]string {
		changes := maps.Clone(unset)
		maps.Copy(changes, more)
		return changes
	}
	for _, test := range []struct {
		name    string
		account *account
		changes map[string]string
		args    []string
	}{
		{"as the sandbox prints them", a, nil, nil},
		{"platform certificates, without a public key", alone, map[string]string{"WXPAY_PUBLIC_KEY_ID": "", "WXPAY_PUBLIC_KEY": ""}, nil},
		{"platform certificates beside a public key", a, map[string]string{"WXPAY_FETCH_CERTIFICATES": "true"}, nil},
		{"certificate instead of the serial", a, map[string]string{"WXPAY_SERIAL": "", "WXPAY_CERTIFICATE": a.path("apiclient_cert.pem")}, nil},
		{"--cert", a, map[string]string{"WXPAY_SERIAL": ""}, []string{"--cert", a.path("apiclient_cert.pem")}},
		{"WXPAY_P12", a, with(map[string]string{"WXPAY_P12": a.path("apiclient_cert.p12")}), nil},
		{"WXPAY_P12 with a password", a, with(map[string]string{"WXPAY_P12": a.path("locked.p12"), "WXPAY_KEY_PASSWORD": "secret 1"}), nil},
		{"WXPAY_P12 with a password elsewhere", a, with(map[string]string{"WXPAY_P12": a.path("locked.p12"),
			"WXPAY_KEY_PASSWORD": "file:" + a.path("password")}), nil},
		{"--p12 replaces the variables", a, map[string]string{"WXPAY_PRIVATE_KEY": "nofile.pem", "WXPAY_SERIAL": ""},
			[]string{"--p12", a.path("locked.p12"), "--password-file", a.path("password")}},
		{"references", a, map[string]string{
			"WXPAY_PRIVATE_KEY": "file:" + a.path("apiclient_key.pem"), "WXPAY_APIV3_KEY": "file:" + a.path("apiv3_key"),
			"WXPAY_MCHID": "env:SHOP", "SHOP": a.Merchant().ID, "WXPAY_PUBLIC_KEY_ID": "", "WXPAY_PUBLIC_KEY": "",
		}, nil},
		{"base64", a, map[string]string{
			"WXPAY_PRIVATE_KEY": "base64:" + base64.StdEncoding.EncodeToString(der),
			"WXPAY_MCHID":       "base64:" + base64.StdEncoding.EncodeToString([]byte(a.Merchant().ID)),
		}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			environ := test.account.environ(test.changes)
			out := filepath.Join(t.TempDir(), "certificates")
			for _, command := range [][]string{
				{"call", "v3/certificates", "--get", "data.#"},
				{"download", "v3/certificates", "-o", "-"},
				{"keys", "check"},
				{"keys", "download", "--output", out},
			} {
				code, _, stderr := clitest.Run(t, environ, append(command, test.args...)...)
				assert.Zero(t, code, "%v: %s", command, stderr)
			}
		})
	}
}

// A merchant outside the mainland has another list of certificates, and a brand another scheme.
func TestCredentialsOfOthers(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	keyless := map[string]string{"WXPAY_PUBLIC_KEY_ID": "", "WXPAY_PUBLIC_KEY": ""}
	for _, args := range [][]string{{"--overseas"}, nil} {
		a.Journal.Reset()
		if args == nil {
			keyless["WXPAY_OVERSEAS"] = "true"
		}
		_, _, stderr := clitest.Run(t, a.environ(keyless), append([]string{"call", "v3/certificates"}, args...)...)
		entries := a.Journal.All()
		require.NotEmpty(t, entries, stderr)
		assert.Contains(t, entries[0].String(), "/v3/global/certificates")
	}

	brand, err := a.Brand()
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(brand.PrivateKey)
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(brand.PublicKey)
	require.NoError(t, err)
	code, stdout, stderr := clitest.Run(t, []string{"WXPAY_BRAND_ID=" + brand.ID, "WXPAY_SERIAL=" + brand.Serial,
		"WXPAY_PRIVATE_KEY=" + clitest.PEM("PRIVATE KEY", der), "WXPAY_PUBLIC_KEY_ID=" + brand.PublicKeyID,
		"WXPAY_PUBLIC_KEY=" + clitest.PEM("PUBLIC KEY", public), "WXPAY_APIV3_KEY=" + brand.Key,
		"WXPAY_BASE_URL=" + a.URL}, "call", "brand/x", "--dry-run")
	assert.Zero(t, code, stderr)
	assert.Contains(t, stdout, "Authorization: WECHATPAY-BRAND-SHA256-RSA2048")
}

// What cannot be used is named by its variable, and nothing is sent.
func TestCredentialsMistakes(t *testing.T) {
	t.Parallel()
	a, other := newAccount(t), newAccount(t, sandbox.WithMerchant("1900000110"))
	for _, test := range []struct {
		name    string
		changes map[string]string
		args    []string
		want    string
	}{
		{"p12 beside a key", map[string]string{"WXPAY_P12": a.path("apiclient_cert.p12")}, nil,
			"WXPAY_P12: it is set beside WXPAY_PRIVATE_KEY or WXPAY_CERTIFICATE: leave one out"},
		{"p12 with another password", map[string]string{"WXPAY_P12": a.path("locked.p12"), "WXPAY_PRIVATE_KEY": ""}, nil,
			"WXPAY_P12: wrong password, or a damaged file"},
		{"p12 that is PEM", map[string]string{"WXPAY_P12": a.path("apiclient_key.pem"), "WXPAY_PRIVATE_KEY": ""}, nil,
			"WXPAY_P12: this is PEM text, not a .p12 file: WXPAY_PRIVATE_KEY takes it\n"},
		{"--p12 that is PEM", nil, []string{"--p12", a.path("apiclient_key.pem")},
			"wxpay: --p12: this is PEM text, not a .p12 file: WXPAY_PRIVATE_KEY takes it\n"},
		{"--p12 with another password", nil, []string{"--p12", a.path("locked.p12")}, "wxpay: --p12: wrong password, or a damaged file"},
		{"no such p12", map[string]string{"WXPAY_P12": "nofile.p12", "WXPAY_PRIVATE_KEY": ""}, nil, "WXPAY_P12: open nofile.p12: "},
		{"no such variable", map[string]string{"WXPAY_APIV3_KEY": "env:NOTHING"}, nil,
			"WXPAY_APIV3_KEY: the variable NOTHING is not set in the environment"},
		{"no such file", map[string]string{"WXPAY_APIV3_KEY": "file:nofile"}, nil, "WXPAY_APIV3_KEY: open nofile: "},
		{"no base64", map[string]string{"WXPAY_MCHID": "base64:?"}, nil, "WXPAY_MCHID: the text after base64: is not base64"},
		{"neither true nor false", map[string]string{"WXPAY_OVERSEAS": "hk"}, nil, `WXPAY_OVERSEAS is "hk", not true or false`},
		{"certificate that is none", nil, []string{"--cert", a.path("password")}, "wxpay: --cert: "},
		{"certificate of another", nil, []string{"--cert", other.path("apiclient_cert.pem")}, "does not belong to --cert ("},
		{"flags that exclude each other", nil, []string{"--cert", "a", "--p12", "b"}, "--cert and --p12 exclude each other"},
		{"password for nothing", nil, []string{"--password-file", a.path("password")}, "--password-file is for --p12, which is not given"},
		{"sandbox with a file", nil, []string{"--sandbox", "--cert", "a"}, "--sandbox brings its own credentials"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := clitest.Run(t, a.environ(test.changes), append([]string{"call", "v3/certificates"}, test.args...)...)
			assert.Equal(t, 2, code)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, test.want)
			assert.NotContains(t, stderr, "secret 1")
		})
	}
	assert.Empty(t, a.Journal.All())
}
