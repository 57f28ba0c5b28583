package apiv3_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/vectors"
)

// entry is one entry of a certificate list; tests change what it is made of.
type entry struct{ serial, algorithm, nonce, associated, ciphertext string }

func newEntry(t *testing.T, key, serial string, plaintext []byte) entry {
	t.Helper()
	const nonce = "61f9c719728a"
	sealed, err := apiv3.SealAESGCM([]byte(key), []byte(nonce), []byte(apiv3.AssociatedCertificate), plaintext)
	require.NoError(t, err)
	return entry{serial, apiv3.AlgorithmAESGCM, nonce, apiv3.AssociatedCertificate, base64.StdEncoding.EncodeToString(sealed)}
}

func list(t *testing.T, entries ...entry) []byte {
	t.Helper()
	data := make([]any, len(entries))
	for i, e := range entries {
		// The blank after effective_time stands in an official sample.
		data[i] = map[string]any{"serial_no": e.serial, "effective_time ": "2024-06-01T08:00:00+08:00", "expire_time": 0, "encrypt_certificate": map[string]any{
			"algorithm": e.algorithm, "nonce": e.nonce, "associated_data": e.associated, "ciphertext": e.ciphertext,
		}}
	}
	body, err := json.Marshal(map[string]any{"data": data})
	require.NoError(t, err)
	return body
}

func TestOpenCertificates(t *testing.T) {
	p := vectors.Load(t).Parameters
	a, b := vectors.Certificate(t, "platform_a"), vectors.Certificate(t, "platform_b")
	good := newEntry(t, p.APIv3Key, p.CertificateASerial, pemOf("CERTIFICATE", a.Raw))
	second := newEntry(t, p.APIv3Key, p.CertificateBSerial, pemOf("CERTIFICATE", b.Raw))
	change := func(edit func(*entry)) entry {
		e := second
		edit(&e)
		return e
	}

	certificates, broken, err := apiv3.OpenCertificates([]byte(p.APIv3Key), list(t, second, good))
	require.NoError(t, err)
	require.Empty(t, broken)
	require.Len(t, certificates, 2)
	assert.True(t, certificates[0].Equal(b))
	assert.True(t, certificates[1].Equal(a))

	// One broken entry among two does not spoil the other.
	for name, test := range map[string]struct {
		entry entry
		is    error
		says  string
	}{
		"another APIv3 key": {newEntry(t, strings.Repeat("k", 32), p.CertificateBSerial, b.Raw), apiv3.ErrDecrypt,
			"is the APIv3 key the one set in the merchant platform?"},
		"ciphertext cut":    {change(func(e *entry) { e.ciphertext = e.ciphertext[:len(e.ciphertext)-4] }), apiv3.ErrDecrypt, "decryption failed"},
		"ciphertext short":  {change(func(e *entry) { e.ciphertext = "AAAA" }), apiv3.ErrDecrypt, "shorter than its tag"},
		"not base64":        {change(func(e *entry) { e.ciphertext = "***" }), apiv3.ErrDecrypt, "not base64"},
		"associated data":   {change(func(e *entry) { e.associated = "" }), apiv3.ErrDecrypt, "decryption failed"},
		"no nonce":          {change(func(e *entry) { e.nonce = "" }), apiv3.ErrDecrypt, "the nonce is empty"},
		"another algorithm": {change(func(e *entry) { e.algorithm = "AEAD_SM4_GCM" }), apiv3.ErrDecrypt, "not encrypted with AEAD_AES_256_GCM"},
		"not a certificate": {newEntry(t, p.APIv3Key, p.CertificateBSerial,
			vectors.File(t, "keys/wechatpay_pub_key.pem")), apiv3.ErrKey, "this is a public key, not a certificate"},
		"garbage": {newEntry(t, p.APIv3Key, p.CertificateBSerial, []byte("garbage")), apiv3.ErrKey, "not an X.509 certificate"},
		"another serial": {newEntry(t, p.APIv3Key, p.CertificateBSerial, pemOf("CERTIFICATE", a.Raw)), apiv3.ErrKey,
			"it holds the certificate " + p.CertificateASerial},
		"no serial":        {change(func(e *entry) { e.serial = "" }), apiv3.ErrKey, "without a proper serial"},
		"serial from hell": {change(func(e *entry) { e.serial = "a\nb" }), apiv3.ErrKey, "without a proper serial"},
	} {
		t.Run(name, func(t *testing.T) {
			certificates, broken, err := apiv3.OpenCertificates([]byte(p.APIv3Key), list(t, good, test.entry))
			require.NoError(t, err)
			require.Len(t, certificates, 1)
			assert.True(t, certificates[0].Equal(a))
			require.Len(t, broken, 1)
			require.ErrorIs(t, broken[0], test.is)
			assert.ErrorContains(t, broken[0], "certificate 2 of the list (")
			assert.ErrorContains(t, broken[0], test.says)
			assert.NotContains(t, broken[0].Error(), "\n")
			assert.NotContains(t, broken[0].Error(), p.APIv3Key)
		})
	}

	for name, test := range map[string]struct{ key, body, says string }{
		"HTML":           {p.APIv3Key, "<html>", "not the documented JSON"},
		"nothing":        {p.APIv3Key, "", "not the documented JSON"},
		"another object": {p.APIv3Key, `{"code":"X"}`, "the certificate list is empty"},
		"empty list":     {p.APIv3Key, `{"data":[]}`, "the certificate list is empty"},
		"another type":   {p.APIv3Key, `{"data":{}}`, "not the documented JSON"},
		"short key":      {"short", string(list(t, good)), "5 bytes instead of 32"},
	} {
		_, _, err := apiv3.OpenCertificates([]byte(test.key), []byte(test.body))
		assert.ErrorIs(t, err, apiv3.ErrKey, name)
		assert.ErrorContains(t, err, test.says, name)
	}
}

// FuzzOpenCertificates looks for a body that panics, or that yields a certificate without the APIv3 key having sealed it.
func FuzzOpenCertificates(f *testing.F) {
	for _, body := range []string{``, `{"data":[{}]}`,
		`{"data":[{"serial_no":"0","encrypt_certificate":{"algorithm":"AEAD_AES_256_GCM","nonce":"n","ciphertext":"AAAA"}}]}`} {
		f.Add([]byte(body))
	}
	key := []byte(strings.Repeat("k", 32))
	f.Fuzz(func(t *testing.T, body []byte) {
		certificates, broken, err := apiv3.OpenCertificates(key, body)
		if len(certificates) > 0 {
			t.Fatal("a certificate came out of a body that the key never sealed")
		}
		if err == nil && len(broken) == 0 {
			t.Fatal("nothing was read and nothing was reported")
		}
	})
}
