package keys_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	p12 "software.sslmate.com/src/go-pkcs12"
)

// TestKeysShow tells of each kind of file what it holds.
func TestKeysShow(t *testing.T) {
	t.Parallel()
	b := newBench(t, 0)
	merchant := b.box.Merchant()
	key, err := x509.MarshalPKCS8PrivateKey(merchant.PrivateKey)
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(merchant.PrivateKey.Public())
	require.NoError(t, err)
	store, err := p12.LegacyRC2.Encode(merchant.PrivateKey, merchant.Certificate, nil, merchant.ID)
	require.NoError(t, err)
	locked, err := p12.Modern.Encode(merchant.PrivateKey, merchant.Certificate, nil, "another")
	require.NoError(t, err)
	encrypted := encryptPKCS8(t, merchant.PrivateKey, merchant.ID)
	lockedKey := encryptPKCS8(t, merchant.PrivateKey, "another")
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
		{name: "key PKCS1", data: block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(merchant.PrivateKey)),
			kinds: "private key"},
		{name: "key from a variable", data: []byte(strings.ReplaceAll(string(block("PRIVATE KEY", key)), "\n", `\n`)),
			kinds: "private key"},
		{name: "certificate", data: certificate, kinds: "certificate", serial: true},
		{name: "certificate DER", data: merchant.Certificate.Raw, kinds: "certificate", serial: true},
		{name: "public key", data: block("PUBLIC KEY", public), kinds: "public key"},
		{name: "public key DER", data: public, kinds: "public key"},
		{name: "p12", data: store, kinds: "PKCS#12", serial: true},
		{name: "encrypted key", data: block("ENCRYPTED PRIVATE KEY", encrypted), kinds: "encrypted private key"},
		{name: "encrypted key DER", data: encrypted, kinds: "encrypted private key"},
		{name: "two", data: slices.Concat(block("PRIVATE KEY", key), []byte("between\n"), certificate),
			kinds: "private key, certificate"},

		{name: "p12 under another password", data: locked, kinds: "PKCS#12",
			problem: "it cannot be decrypted: the password is wrong"},
		{name: "p12 cut", data: store[:len(store)-9], kinds: "unknown", problem: "it is damaged, or not a key"},
		{name: "key under another password", data: block("ENCRYPTED PRIVATE KEY", lockedKey),
			kinds: "encrypted private key", problem: "it is encrypted: the password is wrong"},
		{name: "key under another password DER", data: lockedKey, kinds: "encrypted private key",
			problem: "it is encrypted: the password is wrong"},
		{name: "key encrypted in the old way", kinds: "encrypted private key", problem: "in the old way of PEM",
			data: pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY",
				Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-128-CBC,00"}, Bytes: key})},
		{name: "key cut", data: block("PRIVATE KEY", key[:len(key)-1]), kinds: "private key",
			problem: "it is damaged, or not what its name says: this is a PEM block PRIVATE KEY, damaged"},
		{name: "certificate under the name of a key", data: block("PRIVATE KEY", merchant.Certificate.Raw),
			kinds: "private key", problem: "this is a certificate"},
		{name: "certificate cut", data: block("CERTIFICATE", merchant.Certificate.Raw[:500]), kinds: "certificate",
			problem: "it is damaged"},
		{name: "public key cut", data: block("PUBLIC KEY", public[:50]), kinds: "public key", problem: "it is damaged"},
		{name: "one line", data: bytes.ReplaceAll(certificate, []byte("\n"), []byte(" ")), kinds: "certificate",
			serial: true},
		{name: "first one damaged", data: slices.Concat(bytes.Replace(certificate, []byte("\nMI"), []byte("\n!!"), 1),
			certificate), kinds: "certificate, certificate", problem: "the PEM text is damaged"},
		{name: "end is missing", data: slices.Concat(certificate, certificate[:200]), kinds: "certificate, certificate",
			problem: "the PEM text is damaged"},
		{name: "request", data: block("CERTIFICATE REQUEST", public), kinds: "unknown",
			problem: `"CERTIFICATE REQUEST" is neither a key nor a certificate`},
		{name: "UTF-16", data: utf16(certificate), kinds: "certificate", serial: true},
		{name: "base64 of PEM", data: []byte(base64.StdEncoding.EncodeToString(certificate)), kinds: "certificate", serial: true},
		{name: "empty", data: []byte(" \n"), kinds: "unknown", problem: "it is empty"},
		{name: "text", data: []byte("hello \x1b[31m"), kinds: "unknown", problem: "it is damaged, or not a key"},
		{name: "binary", data: []byte{0x30, 0x03, 1, 2, 3}, kinds: "unknown", problem: "it is damaged, or not a key"},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := b.write("file", test.data)
			code, stdout, stderr := b.run("show", "--format=json", path)
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
	assert.Contains(t, stdout, "it cannot be decrypted: give the password by --password-file or WXPAY_KEY_PASSWORD (")
	b.set("WXPAY_KEY_PASSWORD", merchant.ID)
	code, stdout, _ := b.run("show", b.write("store.p12", store))
	assert.Equal(t, 0, code)
	assert.Contains(t, stdout, "issued to    merchant "+merchant.ID)
}

// fingerprint is what openssl pkey -pubout -outform DER | sha256sum prints.
// utf16 returns a text in UTF-16, as some editors save it.
func utf16(text []byte) []byte {
	wide := []byte{0xff, 0xfe}
	for _, c := range text {
		wide = append(wide, c, 0)
	}
	return wide
}

func fingerprint(t *testing.T, key crypto.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	require.NoError(t, err)
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}
