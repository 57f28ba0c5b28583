package wxpay_test

import (
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/sandbox"
)

// A configuration is the same in a file of any form and in the environment: each field has one name in all files, and its own
// variable.
func TestConfigTags(t *testing.T) {
	seen := map[string]bool{}
	for i := range reflect.TypeFor[wxpay.Config]().NumField() {
		field := reflect.TypeFor[wxpay.Config]().Field(i)
		key, variable := field.Tag.Get("json"), field.Tag.Get("env")
		for _, tag := range []string{"yaml", "toml"} {
			assert.Equal(t, key, field.Tag.Get(tag), "%s of %s", tag, field.Name)
		}
		assert.Regexp(t, `^[a-z0-9_]+$`, key, field.Name)
		assert.Regexp(t, `^WXPAY_[A-Z0-9_]+$`, variable, field.Name)
		assert.False(t, seen[key] || seen[variable], field.Name)
		seen[key], seen[variable] = true, true
	}
}

// A file with references makes a client that calls.
func TestFromConfig(t *testing.T) {
	for name, mode := range map[string]sandbox.KeyMode{"public key": sandbox.PublicKeyOnly, "certificates": sandbox.CertificatesOnly} {
		t.Run(name, func(t *testing.T) {
			gateway := sandbox.Start(t, sandbox.WithKeyMode(mode))
			variable := func(name string) string { value, _ := gateway.LookupEnv(name); return value }
			dir := t.TempDir()
			write := func(name, text string) string {
				path := filepath.Join(dir, name)
				require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
				return path
			}
			t.Setenv("SHOP_APIV3_KEY", variable("WXPAY_APIV3_KEY"))
			file := wxpay.JSON{
				"mchid": variable("WXPAY_MCHID"), "private_key": "file:" + write("apiclient_key.pem", variable("WXPAY_PRIVATE_KEY")),
				"certificate": write("apiclient_cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: gateway.Merchant().Certificate.Raw}))),
				"apiv3_key":   "env:SHOP_APIV3_KEY", "base_url": variable("WXPAY_BASE_URL"),
				"public_key_id": variable("WXPAY_PUBLIC_KEY_ID"), "public_key": variable("WXPAY_PUBLIC_KEY"), "fetch_certificates": mode == sandbox.CertificatesOnly,
			}
			text, err := json.Marshal(file)
			require.NoError(t, err)
			var config wxpay.Config
			require.NoError(t, json.Unmarshal(text, &config))
			client, err := wxpay.FromConfig(config)
			require.NoError(t, err)
			defer client.Close()
			assert.Equal(t, gateway.Merchant().Serial, client.Serial(), "from the certificate")
			res, err := client.Chain(feedsPath).Post(t.Context(), feed())
			require.NoError(t, err)
			assert.True(t, res.Verified)

			// The same in the environment.
			fetch := map[string]string{"WXPAY_FETCH_CERTIFICATES": "true"}
			client, err = wxpay.FromLookupEnv(func(name string) (string, bool) {
				if value, ok := fetch[name]; ok && mode == sandbox.CertificatesOnly {
					return value, true
				}
				return gateway.LookupEnv(name)
			})
			require.NoError(t, err)
			defer client.Close()
			_, err = client.Chain(feedsPath).Post(t.Context(), feed())
			require.NoError(t, err)
		})
	}
}

// A merchant outside the mainland has its own gateway and list of certificates.
func TestFromConfigOverseas(t *testing.T) {
	gateway := sandbox.Start(t)
	variable := func(name string) string { value, _ := gateway.LookupEnv(name); return value }
	config := wxpay.Config{
		MchID: variable("WXPAY_MCHID"), Serial: variable("WXPAY_SERIAL"), PrivateKey: variable("WXPAY_PRIVATE_KEY"),
		APIv3Key: variable("WXPAY_APIV3_KEY"), FetchCertificates: true, Overseas: true,
	}
	client, err := wxpay.FromConfig(config)
	require.NoError(t, err)
	assert.Equal(t, wxpay.OverseasBaseURL, client.BaseURL())
	require.NoError(t, client.Close())

	config.BaseURL = variable("WXPAY_BASE_URL")
	client, err = wxpay.FromConfig(config)
	require.NoError(t, err)
	defer client.Close()
	assert.Equal(t, config.BaseURL, client.BaseURL())
	_ = client.RefreshKeys(t.Context())
	requests := gateway.Journal.All()
	require.NotEmpty(t, requests)
	assert.Contains(t, requests[0].String(), "/v3/global/certificates")
}

// An error names all faults by the names that the reader has written.
func TestFromConfigMistakes(t *testing.T) {
	_, err := wxpay.FromConfig(wxpay.Config{})
	assert.EqualError(t, err, "wxpay: not set in the configuration: mchid, serial, private_key")
	_, err = wxpay.FromConfig(wxpay.Config{MchID: "1900000109 ", Serial: testSerial, PrivateKey: "/etc/wxpay/apiclient_key.pem", APIv3Key: "env:NOTHING"})
	assert.EqualError(t, err, `wxpay: mchid is "1900000109 ": character 11 is a blank (U+0020); apiv3_key: the variable "NOTHING" is not set in the environment; `+
		`private_key: the file "/etc/wxpay/apiclient_key.pem" cannot be read: no such file or directory`)
	_, err = wxpay.FromLookupEnv(func(name string) (string, bool) { return "perhaps", name == "WXPAY_FETCH_CERTIFICATES" })
	assert.EqualError(t, err, `wxpay: WXPAY_FETCH_CERTIFICATES is "perhaps", not true or false`)
}
