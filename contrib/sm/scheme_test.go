package sm_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/contrib/sm"
)

// vectors is testdata/vectors.json.
type vectors struct {
	PrivateKeyHex string `json:"private_key_hex"`
	PublicKeyPEM  string `json:"public_key_pem"`
	Sign          struct {
		Message   string
		Signature []byte // base64
	} `json:"sm-01-sign"`
	Encrypt struct {
		Plaintext  string
		Ciphertext []byte // base64
	} `json:"sm-02-encrypt"`
	GCM struct {
		APIv3Key       string `json:"apiv3_key"`
		Nonce          string
		AssociatedData string `json:"associated_data"`
		Plaintext      string
		Ciphertext     []byte // base64
	} `json:"sm-03-sm4-gcm"`
}

func readVectors(t testing.TB) (v vectors, private *sm2.PrivateKey) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "vectors.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &v))
	scalar, err := hex.DecodeString(v.PrivateKeyHex)
	require.NoError(t, err)
	private, err = sm2.NewPrivateKey(scalar)
	require.NoError(t, err)
	return v, private
}

func newKey(t testing.TB) *sm2.PrivateKey {
	t.Helper()
	key, err := sm2.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return key
}

func newRSAKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	return key
}

func newP256Key(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return key
}

func TestVectors(t *testing.T) {
	v, private := readVectors(t)
	scheme := sm.Scheme()
	public, err := sm.ParsePublicKey([]byte(v.PublicKeyPEM))
	require.NoError(t, err)
	require.True(t, private.PublicKey.Equal(public))

	t.Run("sm-01", func(t *testing.T) {
		require.NoError(t, scheme.Verify(public, []byte(v.Sign.Message), v.Sign.Signature))
		assert.Equal(t, v.Sign.Message,
			string(apiv3.AppendRequestMessage(nil, "GET", "/v3/certificates?algorithm_type=SM2", "1735689600", "593BEC0C930BF1AFEB40B4A08C8FB242", nil)))
		for i := range v.Sign.Signature {
			changed := bytes.Clone(v.Sign.Signature)
			changed[i] ^= 0x01
			require.ErrorIs(t, scheme.Verify(public, []byte(v.Sign.Message), changed), apiv3.ErrSignature, "byte %d", i)
		}
	})
	t.Run("sm-02", func(t *testing.T) {
		plaintext, err := scheme.Decrypt(private, v.Encrypt.Ciphertext)
		require.NoError(t, err)
		assert.Equal(t, v.Encrypt.Plaintext, string(plaintext))
		for i := range v.Encrypt.Ciphertext {
			changed := bytes.Clone(v.Encrypt.Ciphertext)
			changed[i] ^= 0x01
			_, err := scheme.Decrypt(private, changed)
			require.ErrorIs(t, err, apiv3.ErrDecrypt, "byte %d", i)
		}
	})
	t.Run("sm-03", func(t *testing.T) {
		key, nonce, additional := []byte(v.GCM.APIv3Key), []byte(v.GCM.Nonce), []byte(v.GCM.AssociatedData)
		plaintext, err := sm.Open(key, nonce, additional, v.GCM.Ciphertext)
		require.NoError(t, err)
		assert.Equal(t, v.GCM.Plaintext, string(plaintext))
		ciphertext, err := sm.Seal(key, nonce, additional, []byte(v.GCM.Plaintext))
		require.NoError(t, err)
		assert.Equal(t, v.GCM.Ciphertext, ciphertext)
	})
}

func TestNames(t *testing.T) {
	scheme := sm.Scheme()
	assert.Equal(t, "WECHATPAY2-SM2-WITH-SM3", scheme.Name())
	assert.Equal(t, "WECHATPAY2-SM2-WITH-SM3", scheme.SignatureType())
	assert.Equal(t, "mchid", scheme.Identity())
	assert.Equal(t, "1234567812345678", sm.UserID)
}

func TestSignAndVerify(t *testing.T) {
	scheme, key, message := sm.Scheme(), newKey(t), []byte("GET\n/\n1\nn\n\n")
	signature, err := scheme.Sign(key, message)
	require.NoError(t, err)
	require.NoError(t, scheme.Verify(key.Public(), message, signature))

	again, err := scheme.Sign(key, message)
	require.NoError(t, err)
	assert.NotEqual(t, signature, again)

	assert.True(t, sm2.VerifyASN1WithSM2(&key.PublicKey, []byte("1234567812345678"), message, signature))
	assert.False(t, sm2.VerifyASN1WithSM2(&key.PublicKey, []byte("ALICE123@YAHOO.COM"), message, signature), "another user id")

	foreign, err := key.Sign(rand.Reader, message, sm2.NewSM2SignerOption(true, []byte("ALICE123@YAHOO.COM")))
	require.NoError(t, err)
	for name, wrong := range map[string]struct {
		key                crypto.PublicKey
		message, signature []byte
	}{
		"another key":      {newKey(t).Public(), message, signature},
		"another message":  {key.Public(), message[1:], signature},
		"no signature":     {key.Public(), message, nil},
		"cut":              {key.Public(), message, signature[:len(signature)-1]},
		"more behind":      {key.Public(), message, append(bytes.Clone(signature), 0)},
		"not DER":          {key.Public(), message, make([]byte, 64)},
		"zeroes":           {key.Public(), message, []byte{0x30, 6, 2, 1, 0, 2, 1, 0}},
		"another user id":  {key.Public(), message, foreign},
		"an RSA key":       {newRSAKey(t).Public(), message, signature},
		"a key of P-256":   {newP256Key(t).Public(), message, signature},
		"no key":           {nil, message, signature},
		"a nil key":        {(*ecdsa.PublicKey)(nil), message, signature},
		"a point off from": {offCurve(t), message, signature},
	} {
		assert.ErrorIs(t, scheme.Verify(wrong.key, wrong.message, wrong.signature), apiv3.ErrSignature, name)
	}
}

// offCurve is a public key whose point is not on the curve. Only a caller who builds one by hand can have it.
func offCurve(t testing.TB) *ecdsa.PublicKey {
	t.Helper()
	a, b := newKey(t).PublicKey, newKey(t).PublicKey
	//lint:ignore SA1019 the encodings of crypto/ecdsa do not know the curve of SM2
	return &ecdsa.PublicKey{Curve: sm2.P256(), X: a.X, Y: b.Y}
}

func TestCheckPublicKey(t *testing.T) {
	scheme := sm.Scheme()
	require.NoError(t, scheme.CheckPublicKey(newKey(t).Public()))
	for name, wrong := range map[string]struct {
		key  crypto.PublicKey
		says string
	}{
		"RSA":        {newRSAKey(t).Public(), "*rsa.PublicKey"},
		"P-256":      {newP256Key(t).Public(), "another curve"},
		"off curve":  {offCurve(t), "not on the curve"},
		"private":    {newKey(t), "*sm2.PrivateKey"},
		"nil":        {nil, "<nil>"},
		"nil inside": {(*ecdsa.PublicKey)(nil), "empty"},
		"empty":      {&ecdsa.PublicKey{Curve: sm2.P256()}, "empty"},
	} {
		err := scheme.CheckPublicKey(wrong.key)
		require.ErrorIs(t, err, apiv3.ErrKey, name)
		assert.ErrorContains(t, err, wrong.says, name)
		assert.Zero(t, scheme.MaxPlaintext(wrong.key), name)
	}
}

// remote is a key that lives elsewhere: it keeps the promises of Scheme and nothing more.
type remote struct {
	public crypto.PublicKey
	sign   func(digest []byte, opts crypto.SignerOpts) ([]byte, error)
}

func (r remote) Public() crypto.PublicKey { return r.public }
func (r remote) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return r.sign(digest, opts)
}

func TestSignRemotely(t *testing.T) {
	scheme, key, message := sm.Scheme(), newKey(t), []byte("message")
	signer := remote{key.Public(), func(digest []byte, opts crypto.SignerOpts) ([]byte, error) {
		assert.Len(t, digest, 32)
		assert.Zero(t, opts.HashFunc())
		return sm2.SignASN1(rand.Reader, key, digest, nil)
	}}
	signature, err := scheme.Sign(signer, message)
	require.NoError(t, err)
	require.NoError(t, scheme.Verify(key.Public(), message, signature))

	down := errors.New("the module is down")
	signer.sign = func([]byte, crypto.SignerOpts) ([]byte, error) { return nil, down }
	_, err = scheme.Sign(signer, message)
	require.ErrorIs(t, err, down)
}

func TestSignRefuses(t *testing.T) {
	key := newKey(t)
	signs := func(made []byte, err error) crypto.Signer {
		require.NoError(t, err)
		return remote{key.Public(), func([]byte, crypto.SignerOpts) ([]byte, error) { return made, nil }}
	}
	for name, wrong := range map[string]crypto.Signer{
		"RSA":                                  newRSAKey(t),
		"P-256":                                newP256Key(t),
		"the bare key of the standard library": &key.PrivateKey,
		"a wrong public half":                  remote{public: offCurve(t)},
		"another user id":                      signs(key.Sign(rand.Reader, []byte("message"), sm2.NewSM2SignerOption(true, []byte("ALICE123@YAHOO.COM")))),
		"bare numbers":                         signs(make([]byte, 64), nil),
		"nothing":                              signs(nil, nil),
		"the digest hashed once more": remote{key.Public(), func(digest []byte, _ crypto.SignerOpts) ([]byte, error) {
			return key.Sign(rand.Reader, digest, sm2.DefaultSM2SignerOpts)
		}},
	} {
		_, err := sm.Scheme().Sign(wrong, []byte("message"))
		assert.ErrorIs(t, err, apiv3.ErrKey, name)
	}
}

func TestEncryptAndDecrypt(t *testing.T) {
	scheme, key := sm.Scheme(), newKey(t)
	for _, plaintext := range []string{"张三", "x", strings.Repeat("长", 10_000)} {
		require.LessOrEqual(t, len(plaintext), scheme.MaxPlaintext(key.Public()))
		ciphertext, err := scheme.Encrypt(key.Public(), []byte(plaintext))
		require.NoError(t, err)
		assert.Equal(t, byte(0x30), ciphertext[0], "ASN.1")
		opened, err := scheme.Decrypt(key, ciphertext)
		require.NoError(t, err)
		assert.Equal(t, plaintext, string(opened))

		_, err = scheme.Decrypt(newKey(t), ciphertext)
		require.ErrorIs(t, err, apiv3.ErrDecrypt)
		_, err = scheme.Decrypt(newRSAKey(t), ciphertext)
		require.ErrorIs(t, err, apiv3.ErrDecrypt)
	}

}

// With one byte, the key stream is all zeroes once in 256 times, and has to be drawn anew: some of these 2,000 would
// else come out so that nobody can decrypt them, or in clear.
func TestEncryptOneByte(t *testing.T) {
	scheme, key := sm.Scheme(), newKey(t)
	for range 2000 {
		ciphertext, err := scheme.Encrypt(key.Public(), []byte("7"))
		require.NoError(t, err)
		require.NotEqual(t, byte('7'), ciphertext[len(ciphertext)-1], "in clear")
		opened, err := scheme.Decrypt(key, ciphertext)
		require.NoError(t, err)
		require.Equal(t, "7", string(opened))
	}
}

func TestEncryptRefuses(t *testing.T) {
	scheme, key := sm.Scheme(), newKey(t)
	_, err := scheme.Encrypt(key.Public(), nil)
	require.ErrorContains(t, err, "leave it empty")
	_, err = scheme.Encrypt(newRSAKey(t).Public(), []byte("x"))
	require.ErrorIs(t, err, apiv3.ErrKey)

	plain, err := sm2.Encrypt(rand.Reader, &key.PublicKey, []byte("x"), nil)
	require.NoError(t, err)
	ciphertext, err := scheme.Encrypt(key.Public(), []byte("x"))
	require.NoError(t, err)
	for name, wrong := range map[string][]byte{
		"the form without ASN.1": plain, "empty": nil, "one byte": {0x30}, "cut": ciphertext[:len(ciphertext)-1], "more behind": append(bytes.Clone(ciphertext), 0),
	} {
		_, err := scheme.Decrypt(key, wrong)
		assert.ErrorIs(t, err, apiv3.ErrDecrypt, name)
	}
}

func TestConcurrently(t *testing.T) {
	scheme, key := sm.Scheme(), newKey(t)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 20 {
				signature, err := scheme.Sign(key, []byte("message"))
				assert.NoError(t, err)
				assert.NoError(t, scheme.Verify(key.Public(), []byte("message"), signature))
				ciphertext, err := scheme.Encrypt(key.Public(), []byte("value"))
				assert.NoError(t, err)
				_, err = scheme.Decrypt(key, ciphertext)
				assert.NoError(t, err)
			}
		})
	}
	wait.Wait()
}

// A valid signature that the library refused before v0.44.1 where the processor has ADX: a carry was lost in its
// assembly (github.com/emmansun/gmsm issue 560, whose numbers these are).
func TestLibraryCarries(t *testing.T) {
	der, err := hex.DecodeString(
		"3059301306072a8648ce3d020106082a811ccf5501822d03420004ef4de57af00ae424c00c4caadff7193f804a19dd73a7e2954db9d0d15ab4cbba67728c3f4572878b7a6" +
			"74735da9fde1682fe2d9e0799c4a5cde57e3d473039a2")
	require.NoError(t, err)
	signature, err := hex.DecodeString(
		"3046022100be0ea64e1ec06f0d247093f3ccbbadcfb6260224272f86ddb78326e7cd6c7560022100e9f6ab2fcc48a2cef94838e66b5c7e21fd8e4de25990dd98ca5243f4966f2853")
	require.NoError(t, err)
	key, err := sm.ParsePublicKey(der)
	require.NoError(t, err)
	assert.True(t, sm2.VerifyASN1(key.(*ecdsa.PublicKey), make([]byte, 32), signature))
}

// What is signed and encrypted here, OpenSSL verifies and decrypts.
func TestOpenSSL(t *testing.T) {
	if os.Getenv("WXPAY_TEST_LONG") == "" {
		t.Skip("it needs the openssl command: set WXPAY_TEST_LONG=1 to run it")
	}
	scheme, key, dir := sm.Scheme(), newKey(t), t.TempDir()
	write := func(name string, data []byte, err error) string {
		require.NoError(t, err)
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return path
	}
	openssl := func(args ...string) string {
		output, err := exec.Command("openssl", args...).Output()
		require.NoError(t, err)
		return string(output)
	}
	public, err := smx509.MarshalPKIXPublicKey(key.Public())
	publicFile := write("public.der", public, err)
	private, err := smx509.MarshalPKCS8PrivateKey(key)
	privateFile := write("private.der", private, err)

	for _, message := range []string{"GET\n/v3/certificates?algorithm_type=SM2\n1735689600\nn\n\n", "x"} {
		signature, err := scheme.Sign(key, []byte(message))
		assert.Contains(t, openssl("pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", publicFile, "-rawin", "-digest", "sm3",
			"-in", write("message", []byte(message), nil), "-sigfile", write("signature", signature, err), "-pkeyopt", "distid:"+sm.UserID), "Verified Successfully")
	}
	ciphertext, err := scheme.Encrypt(key.Public(), []byte("张三"))
	assert.Equal(t, "张三", openssl("pkeyutl", "-decrypt", "-keyform", "DER", "-inkey", privateFile, "-in", write("ciphertext", ciphertext, err)))

	// And the other way, with a key that OpenSSL made.
	for _, args := range [][]string{{"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2"}, {"ecparam", "-genkey", "-name", "SM2"}} {
		text := openssl(args...)
		own, err := sm.ParsePrivateKey([]byte(text))
		require.NoError(t, err, args)
		signature, err := scheme.Sign(own, []byte("message"))
		require.NoError(t, err)
		require.NoError(t, scheme.Verify(own.Public(), []byte("message"), signature))
		file := write("key.pem", []byte(text), nil)
		spki, err := sm.ParsePublicKey([]byte(openssl("pkey", "-in", file, "-pubout")))
		require.NoError(t, err)
		assert.True(t, own.Public().(*ecdsa.PublicKey).Equal(spki))
		certificate, err := sm.ParseCertificate([]byte(openssl("req", "-new", "-x509", "-sm3", "-key", file, "-subj", "/CN=1900000109", "-sigopt",
			"distid:"+sm.UserID, "-set_serial", "0x0B5C6D7E8F90A1B2C3D4E5F60718293A4B5C6D7E")))
		require.NoError(t, err)
		assert.Equal(t, "0B5C6D7E8F90A1B2C3D4E5F60718293A4B5C6D7E", apiv3.Serial(certificate))
	}
}

// Nothing opens but what was sealed, and nothing panics.
func FuzzDecrypt(f *testing.F) {
	v, private := readVectors(f)
	f.Add(v.Encrypt.Ciphertext)
	f.Add([]byte{0x30, 0})
	f.Fuzz(func(t *testing.T, ciphertext []byte) {
		plaintext, err := sm.Scheme().Decrypt(private, ciphertext)
		if err != nil {
			require.ErrorIs(t, err, apiv3.ErrDecrypt)
			return
		}
		require.Equal(t, v.Encrypt.Plaintext, string(plaintext), "forged: %s", base64.StdEncoding.EncodeToString(ciphertext))
	})
}

// Nothing verifies but the one signature.
func FuzzVerify(f *testing.F) {
	v, private := readVectors(f)
	f.Add([]byte(v.Sign.Message), v.Sign.Signature)
	f.Fuzz(func(t *testing.T, message, signature []byte) {
		err := sm.Scheme().Verify(private.Public(), message, signature)
		if string(message) == v.Sign.Message && bytes.Equal(signature, v.Sign.Signature) {
			require.NoError(t, err)
			return
		}
		require.ErrorIs(t, err, apiv3.ErrSignature)
	})
}
