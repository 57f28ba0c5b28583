package environ_test

import (
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/environ"
	"github.com/wxpay-go/wxpay/internal/vectors"
)

// variables are those of a merchant with a public key.
func variables(t *testing.T) map[string]string {
	p := vectors.Load(t).Parameters
	private, err := x509.MarshalPKCS8PrivateKey(vectors.Key(t, "merchant"))
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(vectors.Key(t, "platform_a").Public())
	require.NoError(t, err)
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return map[string]string{
		"WXPAY_MCHID": p.MchID, "WXPAY_SERIAL": p.MerchantSerial, "WXPAY_PRIVATE_KEY": text("PRIVATE KEY", private),
		"WXPAY_APIV3_KEY": p.APIv3Key, "WXPAY_PUBLIC_KEY_ID": p.PublicKeyID, "WXPAY_PUBLIC_KEY": text("PUBLIC KEY", public),
	}
}

// read reads variables after a change; an empty one is not set.
func read(set, change map[string]string) (environ.Config, error) {
	changed := maps.Clone(set)
	maps.Copy(changed, change)
	return environ.Read(func(name string) (string, bool) { return changed[name], changed[name] != "" })
}

func TestRead(t *testing.T) {
	set := variables(t)
	c, err := read(set, nil)
	require.NoError(t, err)
	p, merchant, platform := vectors.Load(t).Parameters, vectors.Key(t, "merchant"), vectors.Key(t, "platform_a")
	want := environ.Config{
		ID: p.MchID, Serial: p.MerchantSerial, PrivateKey: merchant, APIv3Key: p.APIv3Key,
		PublicKeyID: p.PublicKeyID, PublicKey: platform.Public(),
	}
	assert.True(t, merchant.Equal(c.PrivateKey))
	assert.True(t, platform.PublicKey.Equal(c.PublicKey))
	c.PrivateKey, c.PublicKey = merchant, platform.Public()
	assert.Equal(t, want, c)

	c, err = read(set, map[string]string{"WXPAY_APIV3_KEY": "", "WXPAY_PUBLIC_KEY_ID": "", "WXPAY_PUBLIC_KEY": ""})
	require.NoError(t, err, "whoever reads certificates has no public key")
	assert.Nil(t, c.PublicKey)

	c, err = read(set, map[string]string{"WXPAY_MCHID": "", "WXPAY_BRAND_ID": "1004", "WXPAY_BASE_URL": "nowhere"})
	require.NoError(t, err, "a client checks the address")
	assert.Equal(t, []any{"1004", true, "nowhere"}, []any{c.ID, c.Brand, c.BaseURL})

	file := filepath.Join(t.TempDir(), "overlay.jsonl")
	require.NoError(t, os.WriteFile(file, []byte("{}\n"), 0o600))
	c, err = read(set, map[string]string{"WXPAY_CATALOG_OVERLAY": file})
	require.NoError(t, err)
	assert.Equal(t, "{}\n", string(c.Overlay))
}

func TestReadMistakes(t *testing.T) {
	set := variables(t)
	for name, tt := range map[string]struct {
		change map[string]string
		says   string
	}{
		"nothing": {map[string]string{"WXPAY_MCHID": "", "WXPAY_SERIAL": "", "WXPAY_PRIVATE_KEY": ""},
			"not set in the environment: WXPAY_MCHID, WXPAY_SERIAL, WXPAY_PRIVATE_KEY"},
		"nothing of a brand": {map[string]string{"WXPAY_MCHID": "", "WXPAY_BRAND_ID": "1004", "WXPAY_SERIAL": ""},
			"not set in the environment: WXPAY_SERIAL"},
		"two callers":    {map[string]string{"WXPAY_BRAND_ID": "1004"}, "WXPAY_MCHID and WXPAY_BRAND_ID are both set"},
		"an unseen mark": {map[string]string{"WXPAY_SERIAL": set["WXPAY_SERIAL"] + " "}, "WXPAY_SERIAL is "},
		"a brand's blank": {map[string]string{"WXPAY_MCHID": "", "WXPAY_BRAND_ID": "1004 "},
			`WXPAY_BRAND_ID is "1004 ": character 5 is a blank`},
		"a key with a mark": {map[string]string{"WXPAY_APIV3_KEY": "\ufeffsecret"}, "WXPAY_APIV3_KEY: character 1 is a byte order mark"},
		"no such file":      {map[string]string{"WXPAY_PRIVATE_KEY": "/nonexistent/secret"}, "WXPAY_PRIVATE_KEY: neither PEM text nor a readable file"},
		"a damaged key": {map[string]string{"WXPAY_PRIVATE_KEY": "-----BEGIN PRIVATE KEY-----secretsecret"},
			"WXPAY_PRIVATE_KEY: unusable key: the PEM text is damaged"},
		"a public key": {map[string]string{"WXPAY_PRIVATE_KEY": set["WXPAY_PUBLIC_KEY"]},
			"this is a public key; the private key is the file apiclient_key.pem"},
		"a private key":      {map[string]string{"WXPAY_PUBLIC_KEY": set["WXPAY_PRIVATE_KEY"]}, "WXPAY_PUBLIC_KEY: unusable key: this is a private key"},
		"no certificate":     {map[string]string{"WXPAY_CERTIFICATE": "/nonexistent/secret"}, "WXPAY_CERTIFICATE: neither PEM text nor a readable file"},
		"a key without name": {map[string]string{"WXPAY_PUBLIC_KEY_ID": ""}, "belong together"},
		"a name without key": {map[string]string{"WXPAY_PUBLIC_KEY": ""}, "belong together"},
		"no overlay":         {map[string]string{"WXPAY_CATALOG_OVERLAY": "/nonexistent/facts"}, "WXPAY_CATALOG_OVERLAY: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(set, tt.change)
			require.ErrorContains(t, err, tt.says)
			assert.NotContains(t, err.Error(), "secret")
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

// A key is the path of a file, the PEM text, or that text with literal line breaks.
func TestLoad(t *testing.T) {
	key := vectors.Key(t, "merchant")
	text := variables(t)["WXPAY_PRIVATE_KEY"]
	file := filepath.Join(t.TempDir(), "key.der")
	require.NoError(t, os.WriteFile(file, x509.MarshalPKCS1PrivateKey(key), 0o600))
	for name, from := range map[string]string{"PEM": text, "one line": strings.ReplaceAll(text, "\n", `\n`), "a file": file} {
		loaded, err := environ.Load(from, apiv3.ParsePrivateKey)
		require.NoError(t, err, name)
		assert.True(t, key.Equal(loaded), name)
	}
	_, err := environ.Load(file+" ", apiv3.ParsePrivateKey)
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.ErrorContains(t, err, "a blank (U+0020)", "what nobody sees in a path is named")
	assert.NotContains(t, err.Error(), "key.der", "what is no path might be a key")
}
