package keyring_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/keyring"
	"github.com/wxpay-go/wxpay/internal/vectors"
)

var testKeys = sync.OnceValue(func() (keys [2]*rsa.PrivateKey) {
	for i := range keys {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		keys[i] = key
	}
	return keys
})

func serial(digit string) string { return strings.Repeat(digit, 40) }

// counting is a private key that counts its decryptions.
type counting struct {
	*rsa.PrivateKey
	count *int
}

func (c counting) Decrypt(r io.Reader, text []byte, options crypto.DecrypterOpts) ([]byte, error) {
	*c.count++
	return c.PrivateKey.Decrypt(r, text, options)
}

// signingOnly is a key that cannot decrypt.
type signingOnly struct{ crypto.Signer }

// The certificate that the request was signed with is tried first, then the others; what no key opens is an error.
func TestDecrypt(t *testing.T) {
	var counts [2]int
	ring := new(keyring.Ring)
	for i, key := range testKeys() {
		require.NoError(t, ring.Add(keyring.Certificate{Serial: serial(string(rune('1' + i))), PrivateKey: counting{key, &counts[i]}}))
	}
	ciphertext, err := apiv3.RSA().Encrypt(testKeys()[1].Public(), []byte("张三"))
	require.NoError(t, err)
	text := []byte(base64.StdEncoding.EncodeToString(ciphertext))
	for _, test := range []struct {
		serial string
		tries  [2]int
	}{
		{serial("2"), [2]int{0, 1}},
		{serial("1"), [2]int{1, 1}},
		{serial("9"), [2]int{1, 1}},
		{"", [2]int{1, 1}},
	} {
		counts = [2]int{}
		plain, err := ring.Decrypt(apiv3.RSA(), test.serial, text)
		require.NoError(t, err)
		assert.Equal(t, "张三", string(plain))
		assert.Equal(t, test.tries, counts, "with %q first", test.serial)
	}
	_, err = ring.Decrypt(apiv3.RSA(), "", []byte("***"))
	require.ErrorContains(t, err, "not base64")
	require.NoError(t, ring.Remove(serial("2")))
	_, err = ring.Decrypt(apiv3.RSA(), "", text)
	require.ErrorIs(t, err, apiv3.ErrDecrypt)
	signs := keyring.Of(keyring.Certificate{Serial: serial("1"), PrivateKey: signingOnly{testKeys()[0]}})
	_, err = signs.Decrypt(apiv3.RSA(), "", text)
	require.ErrorContains(t, err, "which signs and does not decrypt")
}

// A ring that serves a caller takes no certificate that does not fit, and serves no other caller.
func TestServe(t *testing.T) {
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	ring := keyring.Of(keyring.Certificate{Serial: serial("1"), PrivateKey: curve})
	require.ErrorContains(t, ring.Serve(apiv3.RSA(), "1900000109"), "needs RSA")
	require.NoError(t, ring.Add(keyring.Certificate{Serial: serial("2"), PrivateKey: testKeys()[0]}))
	require.NoError(t, ring.Switch(serial("2")))
	require.NoError(t, ring.Remove(serial("1")))
	require.NoError(t, ring.Serve(apiv3.RSA(), "1900000109"))
	require.NoError(t, ring.Serve(apiv3.RSA(), "1900000109"))
	require.ErrorContains(t, ring.Serve(apiv3.RSA(), "1900000110"), "in use for another caller")
	require.ErrorContains(t, ring.Serve(apiv3.Brand(), "1900000109"), "in use for another caller")
	require.ErrorContains(t, ring.Add(keyring.Certificate{Serial: serial("1"), PrivateKey: curve}), "needs RSA")
	require.ErrorContains(t, ring.Switch("x"), "Add it first")
	require.ErrorContains(t, ring.Remove("x"), "holds no certificate")

	assert.True(t, ring.Owns(apiv3.PlatformKey{Serial: "PUB_KEY_ID_1", Key: testKeys()[0].Public()}))
	assert.True(t, ring.Owns(apiv3.PlatformKey{Serial: serial("2"), Key: testKeys()[1].Public()}))
	assert.False(t, ring.Owns(apiv3.PlatformKey{Serial: serial("1"), Key: testKeys()[1].Public()}))
}

// Every mistake in a caller is named at once, with the field and the file.
func TestCallerNamesWhatIsWrong(t *testing.T) {
	own, key := vectors.Certificate(t, "merchant"), vectors.Key(t, "merchant")
	now := own.NotAfter.Add(-time.Hour)
	good := keyring.Caller{ID: "1900000109", Certificate: keyring.Certificate{PrivateKey: key, Certificate: own}}
	edit := func(change func(*keyring.Caller)) keyring.Caller { c := good; change(&c); return c }
	for name, test := range map[string]struct {
		caller keyring.Caller
		scheme apiv3.Scheme
		now    time.Time
		says   []string
	}{
		"nothing": {keyring.Caller{}, apiv3.RSA(), now,
			[]string{"Merchant.ID is missing: it is the merchant number", "Merchant.PrivateKey is missing", "Merchant.Serial is missing"}},
		"no brand id":    {edit(func(c *keyring.Caller) { c.ID = "" }), apiv3.Brand(), now, []string{"Merchant.ID is missing: it is the brand id"}},
		"an appid":       {edit(func(c *keyring.Caller) { c.ID = "wx8888888888888888" }), apiv3.RSA(), now, []string{"not made of digits"}},
		"a hidden blank": {edit(func(c *keyring.Caller) { c.ID += " " }), apiv3.RSA(), now, []string{`Merchant.ID is "1900000109 "`}},
		"ended":          {good, apiv3.RSA(), now.Add(2 * time.Hour), []string{"ended on " + own.NotAfter.Format(time.DateOnly)}},
		"both":           {edit(func(c *keyring.Caller) { c.Ring = new(keyring.Ring) }), apiv3.RSA(), now, []string{"KeyRing stands in place of"}},
		"an empty ring":  {keyring.Caller{ID: "1", Ring: new(keyring.Ring)}, apiv3.RSA(), now, []string{"KeyRing is empty"}},
		"a short key":    {edit(func(c *keyring.Caller) { c.APIv3Key = "short" }), apiv3.RSA(), now, []string{"Merchant.APIv3Key", "5 bytes"}},
		"lower case": {edit(func(c *keyring.Caller) { c.Serial, c.Certificate.Certificate = serial("a"), nil }), apiv3.RSA(), now,
			[]string{"write it in upper case"}},
		"a key's id":     {edit(func(c *keyring.Caller) { c.Serial = "PUB_KEY_ID_0119" }), apiv3.RSA(), now, []string{"it belongs into WithPublicKey"}},
		"another serial": {edit(func(c *keyring.Caller) { c.Serial = serial("7") }), apiv3.RSA(), now, []string{"has the serial " + apiv3.Serial(own)}},
		"another key":    {edit(func(c *keyring.Caller) { c.PrivateKey = testKeys()[0] }), apiv3.RSA(), now, []string{"does not belong to Certificate"}},
	} {
		_, err := test.caller.Check(test.scheme, test.now)
		for _, says := range test.says {
			assert.ErrorContains(t, err, says, name)
		}
	}
	ring, err := good.Check(apiv3.RSA(), now)
	require.NoError(t, err)
	assert.Equal(t, []string{apiv3.Serial(own)}, ring.Serials())
}

// A merchant's certificate names its merchant, so that of another one is recognised.
func TestFits(t *testing.T) {
	own := vectors.Certificate(t, "merchant")
	named := *own
	named.Subject.Organization, named.Subject.CommonName = []string{"微信商户系统"}, "1900000109"
	certificate := keyring.Certificate{PrivateKey: vectors.Key(t, "merchant"), Certificate: &named}
	assert.True(t, keyring.IsMerchants(&named))
	assert.False(t, keyring.IsMerchants(&x509.Certificate{}))
	require.NoError(t, certificate.Fits(apiv3.RSA(), "1900000109"))
	require.ErrorContains(t, certificate.Fits(apiv3.RSA(), "1900000110"), `names merchant "1900000109", not "1900000110"`)
	require.NoError(t, certificate.Fits(apiv3.Brand(), "1004"), "of brands nothing is known")
}
