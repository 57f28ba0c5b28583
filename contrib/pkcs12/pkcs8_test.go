package pkcs12_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"hash"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/scrypt"
	p12 "software.sslmate.com/src/go-pkcs12"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/contrib/pkcs12"
)

func asPassword(err error) bool { return errors.Is(err, pkcs12.ErrPassword) }

// sealed is an encrypted PKCS#8 key in the making. The zero value is one that OpenSSL could write.
type sealed struct {
	inner      []byte // the PKCS#8 structure; the merchant's key by default
	password   string
	cipher     asn1.ObjectIdentifier
	prf        asn1.ObjectIdentifier // nil leaves it out, which means SHA-1
	noPRF      bool
	iterations int
	keyLength  int // written if not zero, as Java does
	scrypt     []int
	kdf        asn1.ObjectIdentifier
	pbes       asn1.ObjectIdentifier
	cut        int // bytes taken off the ciphertext
	cutIV      int // bytes taken off the initial vector
}

var (
	aes128    = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 2}
	aes192    = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 22}
	aes256    = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
	tripleDES = asn1.ObjectIdentifier{1, 2, 840, 113549, 3, 7}
	hmacOf    = func(n int) asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113549, 2, n} }
	pbkdf2ID  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	scryptID  = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}
	pbes2ID   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
)

func (s sealed) der(t testing.TB) []byte {
	t.Helper()
	marshal := func(value any) []byte {
		der, err := asn1.Marshal(value)
		require.NoError(t, err)
		return der
	}
	identifier := func(id asn1.ObjectIdentifier, params ...any) pkix.AlgorithmIdentifier {
		var whole []byte
		for _, p := range params {
			whole = append(whole, marshal(p)...)
		}
		return pkix.AlgorithmIdentifier{Algorithm: id,
			Parameters: asn1.RawValue{FullBytes: marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: whole})}}
	}
	orElse := func(id, other asn1.ObjectIdentifier) asn1.ObjectIdentifier {
		if id == nil {
			return other
		}
		return id
	}

	if s.inner == nil {
		var err error
		s.inner, err = x509.MarshalPKCS8PrivateKey(keys().merchant)
		require.NoError(t, err)
	}
	if s.iterations == 0 {
		s.iterations = 3
	}
	scheme := orElse(s.cipher, aes256)
	keySize, open := 32, aes.NewCipher
	switch scheme.String() {
	case aes128.String():
		keySize = 16
	case aes192.String():
		keySize = 24
	case tripleDES.String():
		keySize, open = 24, des.NewTripleDESCipher
	}
	salt := []byte("saltsalt")

	var key []byte
	var kdf pkix.AlgorithmIdentifier
	if s.scrypt != nil {
		params := []any{salt, s.scrypt[0], s.scrypt[1], s.scrypt[2]}
		if s.keyLength != 0 {
			params = append(params, s.keyLength)
		}
		kdf = identifier(orElse(s.kdf, scryptID), params...)
		key = make([]byte, keySize)
		if s.scrypt[0] <= 1024 && s.scrypt[0]&(s.scrypt[0]-1) == 0 { // beyond that nobody is to use the key
			var err error
			key, err = scrypt.Key([]byte(s.password), salt, s.scrypt[0], s.scrypt[1], s.scrypt[2], keySize)
			require.NoError(t, err)
		}
	} else {
		params := []any{salt, s.iterations}
		if s.keyLength != 0 {
			params = append(params, s.keyLength)
		}
		newHash := sha1.New
		if !s.noPRF {
			prf := orElse(s.prf, hmacOf(9))
			params = append(params, pkix.AlgorithmIdentifier{Algorithm: prf, Parameters: asn1.NullRawValue})
			newHash = map[int]func() hash.Hash{7: sha1.New, 8: sha256.New224, 9: sha256.New, 10: sha512.New384, 11: sha512.New, 99: sha1.New}[prf[len(prf)-1]]
		}
		kdf = identifier(orElse(s.kdf, pbkdf2ID), params...)
		key = plainPBKDF2(newHash, s.password, salt, max(1, min(s.iterations, 3)), keySize)
	}

	block, err := open(key)
	require.NoError(t, err)
	iv := bytes.Repeat([]byte{7}, block.BlockSize())
	padding := block.BlockSize() - len(s.inner)%block.BlockSize()
	data := append(bytes.Clone(s.inner), bytes.Repeat([]byte{byte(padding)}, padding)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(data, data)

	encryption := pkix.AlgorithmIdentifier{Algorithm: scheme, Parameters: asn1.RawValue{FullBytes: marshal(iv[s.cutIV:])}}
	return marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}{identifier(orElse(s.pbes, pbes2ID), kdf, encryption), data[:len(data)-s.cut]})
}

func (s sealed) pem(t testing.TB) []byte {
	t.Helper()
	return pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: s.der(t)})
}

// plainPBKDF2 is RFC 8018 section 5.2, written down a second time so that the test does not repeat the code.
func plainPBKDF2(newHash func() hash.Hash, password string, salt []byte, iterations, size int) (key []byte) {
	for block := uint32(1); len(key) < size; block++ {
		round := binary.BigEndian.AppendUint32(bytes.Clone(salt), block)
		var sum []byte
		for range iterations {
			mac := hmac.New(newHash, []byte(password))
			mac.Write(round)
			round = mac.Sum(nil)
			if sum == nil {
				sum = bytes.Clone(round)
				continue
			}
			for i := range sum {
				sum[i] ^= round[i]
			}
		}
		key = append(key, sum...)
	}
	return key[:size]
}

func TestParseEncryptedPKCS8(t *testing.T) {
	const password = "密码 of one's own"
	for _, test := range []struct {
		name string
		key  sealed
	}{
		{"AES-256, SHA-256, as OpenSSL writes it", sealed{}},
		{"AES-192", sealed{cipher: aes192}},
		{"AES-128", sealed{cipher: aes128}},
		{"3DES", sealed{cipher: tripleDES}},
		{"SHA-1 by default", sealed{noPRF: true}},
		{"SHA-1 by name", sealed{prf: hmacOf(7)}},
		{"SHA-224", sealed{prf: hmacOf(8)}},
		{"SHA-384", sealed{prf: hmacOf(10)}},
		{"SHA-512", sealed{prf: hmacOf(11)}},
		{"with the key's length, as Java writes it", sealed{keyLength: 32}},
		{"one round", sealed{iterations: 1}},
		{"scrypt", sealed{scrypt: []int{16, 8, 1}}},
		{"scrypt with the key's length", sealed{scrypt: []int{2, 1, 16}, keyLength: 32}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.key.password = password
			forms := map[string][]byte{"PEM": test.key.pem(t), "DER": test.key.der(t)}
			forms["PEM on one line"] = []byte(strings.ReplaceAll(string(forms["PEM"]), "\n", `\n`))
			for form, data := range forms {
				key, err := pkcs12.ParseEncryptedPKCS8(data, password)
				require.NoError(t, err, form)
				assert.True(t, keys().merchant.Equal(key), form)

				_, err = pkcs12.ParseEncryptedPKCS8(data, password+"x")
				require.ErrorIs(t, err, pkcs12.ErrPassword, form)
				require.ErrorIs(t, err, apiv3.ErrKey, form)
			}
		})
	}
}

func TestParseEncryptedPKCS8Refuses(t *testing.T) {
	const password = "hunter2hunter2"
	plain, err := x509.MarshalPKCS8PrivateKey(keys().merchant)
	require.NoError(t, err)
	exchange, err := ecdh.X25519().GenerateKey(rand.Reader)
	require.NoError(t, err)
	cannotSign, err := x509.MarshalPKCS8PrivateKey(exchange)
	require.NoError(t, err)
	unknown := asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 99}
	block := func(kind string, headers map[string]string) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: plain, Headers: headers})
	}
	for _, test := range []struct {
		name string
		data []byte
		says string
	}{
		{"empty", nil, "empty"},
		{"text", []byte("no key"), "neither PEM nor DER"},
		{"too large", make([]byte, 1<<20+1), "1 MiB"},
		{"DER of something else", []byte{0x30, 0}, "not an encrypted private key"},
		{"more behind", append(sealed{password: password}.der(t), 0), "not an encrypted private key"},
		{"not encrypted", block("PRIVATE KEY", nil), "wxpay.LoadPrivateKey"},
		{"not encrypted, DER", plain, "wxpay.LoadPrivateKey"},
		{"encrypted in PEM headers", block("RSA PRIVATE KEY", map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-128-CBC,00"}), "openssl pkcs8 -topk8"},
		{"certificate", block("CERTIFICATE", nil), "CERTIFICATE"},
		{"PBES1", sealed{pbes: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 3}}.pem(t), "1.2.840.113549.1.5.3, not with PBES2; openssl pkcs8 -topk8"},
		{"unknown cipher", sealed{cipher: unknown}.pem(t), "the cipher 1.2.840.113549.2.99, which is unknown here; openssl pkcs8 -topk8"},
		{"unknown function", sealed{prf: unknown}.pem(t), "the function 1.2.840.113549.2.99"},
		{"unknown derivation", sealed{kdf: unknown}.pem(t), "the key derivation is 1.2.840.113549.2.99"},
		{"negative rounds", sealed{iterations: -1}.pem(t), "unreasonable work"},
		{"too many rounds", sealed{iterations: 10_000_001}.pem(t), "unreasonable work"},
		{"length of another key", sealed{keyLength: 16}.pem(t), "damaged"},
		{"scrypt of 512 MiB", sealed{scrypt: []int{1 << 19, 8, 1}}.pem(t), "unreasonable work"},
		{"scrypt beyond all numbers", sealed{scrypt: []int{1 << 30, 1 << 30, 1}}.pem(t), "unreasonable work"},
		{"scrypt with too many lanes", sealed{scrypt: []int{2, 1, 17}}.pem(t), "unreasonable work"},
		{"scrypt with a cost that is no power of two", sealed{scrypt: []int{3, 1, 1}}.pem(t), "power of 2"},
		{"cut ciphertext", sealed{cut: 3}.pem(t), "does not fit the cipher"},
		{"short vector", sealed{cutIV: 1}.pem(t), "does not fit the cipher"},
		{"a key that cannot sign", sealed{inner: cannotSign, password: password}.pem(t), "cannot sign"},
		{"no key inside", sealed{inner: []byte{0x30, 0}, password: password}.pem(t), "the password is right"},
	} {
		t.Run(test.name, func(t *testing.T) {
			key, err := pkcs12.ParseEncryptedPKCS8(test.data, password)
			require.ErrorIs(t, err, apiv3.ErrKey)
			assert.Nil(t, key)
			assert.False(t, asPassword(err))
			assert.ErrorContains(t, err, test.says)
			assert.NotContains(t, err.Error(), password)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

// One wrong password in 256 leaves a padding that looks right. It must not look like another fault.
func TestParseEncryptedPKCS8WrongPasswords(t *testing.T) {
	der := sealed{password: "right", iterations: 1}.der(t)
	for i := range 2000 {
		_, err := pkcs12.ParseEncryptedPKCS8(der, fmt.Sprintf("wrong %d", i))
		require.ErrorIs(t, err, pkcs12.ErrPassword)
	}
}

// What OpenSSL writes, in every form it knows, is read.
func TestOpenSSL(t *testing.T) {
	if os.Getenv("WXPAY_TEST_LONG") == "" {
		t.Skip("it needs the openssl command: set WXPAY_TEST_LONG=1 to run it")
	}
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	openssl := func(t *testing.T, args ...string) {
		t.Helper()
		output, err := exec.Command("openssl", args...).CombinedOutput()
		require.NoError(t, err, string(output))
	}
	der, err := x509.MarshalPKCS8PrivateKey(keys().merchant)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path("key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(path("cert.pem"),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate(t, serial, keys().merchant, 30).Raw}), 0o600))

	for _, args := range []string{
		"", "-v2 aes-128-cbc -v2prf hmacWithSHA512", "-v2 aes-192-cbc -v2prf hmacWithSHA224", "-v2 des3 -v2prf hmacWithSHA1", "-v2prf hmacWithSHA384 -iter 100000",
		"-scrypt", "-scrypt -scrypt_N 1024 -scrypt_r 4 -scrypt_p 2", "-outform DER",
	} {
		t.Run("pkcs8 "+args, func(t *testing.T) {
			openssl(t, append(strings.Fields("pkcs8 -topk8 -passout pass:"+mchid+" -in "+path("key.pem")+" -out "+path("out")), strings.Fields(args)...)...)
			data, err := os.ReadFile(path("out"))
			require.NoError(t, err)
			key, err := pkcs12.ParseEncryptedPKCS8(data, mchid)
			require.NoError(t, err)
			assert.True(t, keys().merchant.Equal(key))
			_, err = pkcs12.ParseEncryptedPKCS8(data, "1900000100")
			require.ErrorIs(t, err, pkcs12.ErrPassword)
		})
	}
	for _, args := range []string{
		"", "-legacy", "-keypbe AES-128-CBC -certpbe AES-192-CBC -macalg sha512", "-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1",
		"-keypbe NONE -certpbe NONE",
	} {
		t.Run("pkcs12 "+args, func(t *testing.T) {
			openssl(t, append(strings.Fields("pkcs12 -export -passout pass:"+mchid+" -inkey "+path("key.pem")+" -in "+path("cert.pem")+" -out "+
				path("out")), strings.Fields(args)...)...)
			credentials, err := pkcs12.LoadFile(path("out"), mchid)
			require.NoError(t, err)
			assert.Equal(t, serial, credentials.Serial)
			_, err = pkcs12.LoadFile(path("out"), "1900000100")
			require.ErrorIs(t, err, pkcs12.ErrPassword)
		})
	}
	t.Run("and it reads ours", func(t *testing.T) {
		require.NoError(t, os.WriteFile(path("ours.p12"), file(t, p12.Modern2023, mchid), 0o600))
		openssl(t, "pkcs12", "-in", path("ours.p12"), "-passin", "pass:"+mchid, "-nodes", "-out", path("out"))
	})
}

// Whatever the bytes, there is a key or an error.
func FuzzParseEncryptedPKCS8(f *testing.F) {
	f.Add(sealed{password: "p"}.pem(f), "p")
	f.Add(sealed{password: "p", cipher: tripleDES, noPRF: true}.der(f), "p")
	f.Add(sealed{password: "p", scrypt: []int{2, 1, 1}, keyLength: 32}.der(f), "p")
	f.Add([]byte{0x30, 0x80}, "")
	f.Fuzz(func(t *testing.T, data []byte, password string) {
		key, err := pkcs12.ParseEncryptedPKCS8(data, password)
		if err != nil {
			require.ErrorIs(t, err, apiv3.ErrKey)
			require.Nil(t, key)
			return
		}
		require.NotNil(t, key.Public())
	})
}
