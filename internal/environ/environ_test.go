package environ_test

import (
	"crypto/x509"
	"encoding/base64"
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
	value := func(name string) environ.Value { return environ.Value{Name: name, Text: changed[name]} }
	source := environ.Source{
		MchID: value("WXPAY_MCHID"), BrandID: value("WXPAY_BRAND_ID"), Serial: value("WXPAY_SERIAL"), Certificate: value("WXPAY_CERTIFICATE"),
		PrivateKey: value("WXPAY_PRIVATE_KEY"), APIv3Key: value("WXPAY_APIV3_KEY"), PublicKeyID: value("WXPAY_PUBLIC_KEY_ID"),
		PublicKey: value("WXPAY_PUBLIC_KEY"), BaseURL: value("WXPAY_BASE_URL"), Overlay: value("WXPAY_CATALOG_OVERLAY"),
		Lacks:  "not set in the environment: ",
		Lookup: func(name string) (string, bool) { return changed[name], changed[name] != "" },
	}
	return source.Read()
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
	assert.Equal(t, "{}", string(c.Overlay))
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
		"no such file": {map[string]string{"WXPAY_PRIVATE_KEY": "/nonexistent/apiclient_key.pem"},
			`WXPAY_PRIVATE_KEY: the file "/nonexistent/apiclient_key.pem" cannot be read: no such file or directory`},
		"a damaged key": {map[string]string{"WXPAY_PRIVATE_KEY": "-----BEGIN PRIVATE KEY-----secretsecret"},
			"WXPAY_PRIVATE_KEY: unusable key: the PEM text is damaged"},
		"a public key": {map[string]string{"WXPAY_PRIVATE_KEY": set["WXPAY_PUBLIC_KEY"]},
			"this is a public key; the private key is the file apiclient_key.pem"},
		"a private key":   {map[string]string{"WXPAY_PUBLIC_KEY": set["WXPAY_PRIVATE_KEY"]}, "WXPAY_PUBLIC_KEY: unusable key: this is a private key"},
		"no certificate":  {map[string]string{"WXPAY_CERTIFICATE": "/nonexistent/cert"}, `WXPAY_CERTIFICATE: the file "/nonexistent/cert" cannot be read`},
		"a part of a key": {map[string]string{"WXPAY_PRIVATE_KEY": "secretsecretsecret"}, "WXPAY_PRIVATE_KEY: it is neither the text of a key nor the path of a readable file (it is not shown"},
		"two faults": {map[string]string{"WXPAY_PUBLIC_KEY": "/nonexistent/a.pem", "WXPAY_CERTIFICATE": "/nonexistent/b.pem"},
			`b.pem" cannot be read: no such file or directory; WXPAY_PUBLIC_KEY: the file "/nonexistent/a.pem"`},
		"a reference to nothing":    {map[string]string{"WXPAY_APIV3_KEY": "env:NOTHING"}, `WXPAY_APIV3_KEY: the variable "NOTHING" is not set in the environment`},
		"a reference to no file":    {map[string]string{"WXPAY_APIV3_KEY": "file:/nonexistent/apiv3.key"}, `WXPAY_APIV3_KEY: the file "/nonexistent/apiv3.key" cannot be read`},
		"a reference to no base64":  {map[string]string{"WXPAY_APIV3_KEY": "base64:secret!"}, "WXPAY_APIV3_KEY: the text after base64: is not base64"},
		"a key referred to nowhere": {map[string]string{"WXPAY_PRIVATE_KEY": "file:/nonexistent/k.pem"}, `WXPAY_PRIVATE_KEY: the file "/nonexistent/k.pem" cannot be read`},
		"a key without name":        {map[string]string{"WXPAY_PUBLIC_KEY_ID": ""}, "belong together"},
		"a name without key":        {map[string]string{"WXPAY_PUBLIC_KEY": ""}, "belong together"},
		"no overlay":                {map[string]string{"WXPAY_CATALOG_OVERLAY": "/nonexistent/facts"}, "WXPAY_CATALOG_OVERLAY: "},
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
	assert.ErrorContains(t, err, file+` "`)

	_, err = environ.Load("keys/apiclient_key.pem", apiv3.ParsePrivateKey)
	here, wrong := os.Getwd()
	require.NoError(t, wrong)
	assert.EqualError(t, err, `the file "keys/apiclient_key.pem", in the folder "`+here+`", cannot be read: no such file or directory`)

	require.NoError(t, os.WriteFile(file, []byte("no key"), 0o600))
	_, err = environ.Load(file, apiv3.ParsePrivateKey)
	assert.EqualError(t, err, `the file "`+file+`": unusable key: not a private key in PKCS#8 or PKCS#1`)
}

// What may be a part of a key is in no error, wherever it was cut.
func TestLoadShowsNoKey(t *testing.T) {
	der, err := x509.MarshalPKCS8PrivateKey(vectors.Key(t, "merchant"))
	require.NoError(t, err)
	text := base64.StdEncoding.EncodeToString(der)
	for at := 1; at < len(text)-300; at += 3 {
		for _, size := range []int{40, 64, 250} {
			cut := text[at : at+size]
			_, err := environ.Load(cut, apiv3.ParsePrivateKey)
			require.Error(t, err)
			require.NotContains(t, err.Error(), cut[:16], "%d bytes from %d", size, at)
		}
	}
}

// Every value may stand elsewhere.
func TestReferences(t *testing.T) {
	set := variables(t)
	dir := t.TempDir()
	written := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	want, err := read(set, nil)
	require.NoError(t, err)
	for name, change := range map[string]map[string]string{
		"files": {
			"WXPAY_PRIVATE_KEY": "file:" + written("key", set["WXPAY_PRIVATE_KEY"]), "WXPAY_APIV3_KEY": "file:" + written("apiv3", set["WXPAY_APIV3_KEY"]+"\r\n"),
			"WXPAY_PUBLIC_KEY": "file:" + written("pub", set["WXPAY_PUBLIC_KEY"]), "WXPAY_MCHID": "file:" + written("mchid", set["WXPAY_MCHID"]+"\n"),
		},
		"variables": {
			"WXPAY_PRIVATE_KEY": "env:SHOP_KEY", "SHOP_KEY": set["WXPAY_PRIVATE_KEY"], "WXPAY_APIV3_KEY": "env:SHOP_APIV3", "SHOP_APIV3": set["WXPAY_APIV3_KEY"],
			"WXPAY_SERIAL": "env:SHOP_SERIAL", "SHOP_SERIAL": set["WXPAY_SERIAL"],
		},
		"a variable with a path": {"WXPAY_PRIVATE_KEY": "env:SHOP_KEY", "SHOP_KEY": written("key2", set["WXPAY_PRIVATE_KEY"])},
		"base64": {
			"WXPAY_PRIVATE_KEY": "base64:" + base64.StdEncoding.EncodeToString([]byte(set["WXPAY_PRIVATE_KEY"])),
			"WXPAY_APIV3_KEY":   "base64:" + base64.StdEncoding.EncodeToString([]byte(set["WXPAY_APIV3_KEY"])),
		},
		"base64 of a file, no reference": {"WXPAY_PRIVATE_KEY": base64.StdEncoding.EncodeToString([]byte(set["WXPAY_PRIVATE_KEY"]))},
	} {
		got, err := read(set, change)
		require.NoError(t, err, name)
		assert.Equal(t, want, got, name)
	}
}
