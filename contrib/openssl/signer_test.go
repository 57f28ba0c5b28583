package openssl_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha3"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/contrib/openssl"
	"github.com/wxpay-go/wxpay/middleware"
)

// The client signs without a goroutine of its own.
var _ middleware.ContextSigner = (*openssl.Signer)(nil)

var testKey = sync.OnceValue(func() *rsa.PrivateKey { return generate(2048) })

func generate(bits int) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return key
}

// newSigner fails where there is no library: a machine that tests this module has to have one.
func newSigner(tb testing.TB, key *rsa.PrivateKey) *openssl.Signer {
	tb.Helper()
	signer, err := openssl.New(key)
	require.NoError(tb, err, "these tests need libcrypto 3 (Debian: apt install libssl3)")
	return signer
}

func digest(hash crypto.Hash, message []byte) []byte {
	h := hash.New()
	h.Write(message)
	return h.Sum(nil)
}

var everyHash = []crypto.Hash{
	crypto.SHA1, crypto.SHA224, crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA512_224, crypto.SHA512_256,
	crypto.SHA3_224, crypto.SHA3_256, crypto.SHA3_384, crypto.SHA3_512,
}

// PKCS #1 v1.5 is deterministic: both make the same bytes.
func TestSignsAsTheStandardLibraryDoes(t *testing.T) {
	for _, bits := range []int{2048, 3072, 4096} {
		key := testKey()
		if bits != 2048 {
			key = generate(bits)
		}
		signer := newSigner(t, key)
		assert.Equal(t, &key.PublicKey, signer.Public())
		for _, hash := range everyHash {
			sum := digest(hash, []byte("message"))
			want, err := key.Sign(rand.Reader, sum, hash)
			require.NoError(t, err, hash)
			got, err := signer.Sign(rand.Reader, sum, hash)
			require.NoError(t, err, hash)
			assert.Equal(t, want, got, hash)
			got, err = signer.SignContext(t.Context(), nil, sum, hash)
			require.NoError(t, err, hash)
			assert.Equal(t, want, got, hash)
		}
		require.NoError(t, signer.Close())
	}
}

func TestPSS(t *testing.T) {
	signer := newSigner(t, testKey())
	for _, hash := range everyHash {
		sum := digest(hash, []byte("message"))
		for _, salt := range []int{rsa.PSSSaltLengthAuto, rsa.PSSSaltLengthEqualsHash, 1, 20} {
			signature, err := signer.Sign(rand.Reader, sum, &rsa.PSSOptions{SaltLength: salt, Hash: hash})
			require.NoError(t, err, "%v, salt %d", hash, salt)
			require.NoError(t, rsa.VerifyPSS(&testKey().PublicKey, hash, sum, signature, &rsa.PSSOptions{SaltLength: salt}), "%v, salt %d", hash, salt)
		}
		longest := testKey().Size() - 2 - hash.Size()
		signature, err := signer.Sign(rand.Reader, sum, &rsa.PSSOptions{Hash: hash})
		require.NoError(t, err)
		require.NoError(t, rsa.VerifyPSS(&testKey().PublicKey, hash, sum, signature, &rsa.PSSOptions{SaltLength: longest}), "as long as possible, as in crypto/rsa")
		_, err = signer.Sign(rand.Reader, sum, &rsa.PSSOptions{SaltLength: longest + 1, Hash: hash})
		require.Error(t, err)
	}
}

func TestSignRefuses(t *testing.T) {
	signer := newSigner(t, testKey())
	sum := digest(crypto.SHA256, nil)
	for name, tt := range map[string]struct {
		digest []byte
		opts   crypto.SignerOpts
		want   string
	}{
		"no options":         {sum, nil, "pass crypto.SHA256"},
		"no hash":            {sum, crypto.Hash(0), "is not supported"},
		"a hash of long ago": {make([]byte, 16), crypto.MD5, "the hash MD5 is not supported"},
		"a short digest":     {sum[:31], crypto.SHA256, "the digest has 31 bytes, one of SHA-256 has 32"},
		"no digest":          {nil, crypto.SHA256, "the digest has 0 bytes"},
		"a long digest":      {append(sum, 0), crypto.SHA256, "the digest has 33 bytes"},
		"a negative salt":    {sum, &rsa.PSSOptions{SaltLength: -2, Hash: crypto.SHA256}, "a PSS salt of -2 bytes"},
		"PSS without a hash": {sum, &rsa.PSSOptions{}, "is not supported"},
	} {
		t.Run(name, func(t *testing.T) {
			signature, err := signer.Sign(rand.Reader, tt.digest, tt.opts)
			require.ErrorContains(t, err, tt.want)
			assert.Nil(t, signature)
		})
	}
	ended, end := context.WithCancelCause(context.Background())
	end(errors.New("enough"))
	_, err := signer.SignContext(ended, nil, sum, crypto.SHA256)
	require.EqualError(t, err, "enough")
}

func TestDecrypt(t *testing.T) {
	key := testKey()
	signer := newSigner(t, key)
	for _, hash := range everyHash {
		longest := key.Size() - 2*hash.Size() - 2
		for _, size := range []int{0, 1, longest} {
			for _, label := range [][]byte{nil, []byte("label")} {
				plaintext := bytes.Repeat([]byte{'x'}, size)
				ciphertext, err := rsa.EncryptOAEP(hash.New(), rand.Reader, &key.PublicKey, plaintext, label)
				require.NoError(t, err)
				opened, err := signer.Decrypt(nil, ciphertext, &rsa.OAEPOptions{Hash: hash, Label: label})
				require.NoError(t, err, "%v, %d bytes", hash, size)
				assert.Equal(t, plaintext, opened)
				_, err = signer.Decrypt(nil, ciphertext, &rsa.OAEPOptions{Hash: hash, Label: []byte("another")})
				require.ErrorIs(t, err, rsa.ErrDecryption)
			}
		}
	}
}

func TestDecryptRefuses(t *testing.T) {
	key := testKey()
	signer := newSigner(t, key)
	ciphertext, err := rsa.EncryptOAEP(crypto.SHA1.New(), rand.Reader, &key.PublicKey, []byte("secret"), nil)
	require.NoError(t, err)
	changed := bytes.Clone(ciphertext)
	changed[100] ^= 1
	oaep := &rsa.OAEPOptions{Hash: crypto.SHA1}
	for name, text := range map[string][]byte{
		"changed": changed, "empty": nil, "short": ciphertext[1:], "long": append(bytes.Clone(ciphertext), 0),
		"beyond the modulus": bytes.Repeat([]byte{0xff}, key.Size()), "zero": make([]byte, key.Size()),
	} {
		plaintext, err := signer.Decrypt(nil, text, oaep)
		require.Equal(t, rsa.ErrDecryption, err, name)
		assert.Nil(t, plaintext, name)
	}
	for want, opts := range map[string]crypto.DecrypterOpts{
		"needs *rsa.OAEPOptions, not <nil>":                       nil,
		"needs *rsa.OAEPOptions, not *rsa.PKCS1v15DecryptOptions": &rsa.PKCS1v15DecryptOptions{},
		"the hash MD5 is not supported":                           &rsa.OAEPOptions{Hash: crypto.MD5},
		"the hash MD4 is not supported":                           &rsa.OAEPOptions{Hash: crypto.SHA1, MGFHash: crypto.MD4},
	} {
		_, err := signer.Decrypt(nil, ciphertext, opts)
		require.ErrorContains(t, err, want)
	}
}

func TestNewRefuses(t *testing.T) {
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	damaged := *generate(2048)
	damaged.D = new(big.Int).Add(damaged.D, big.NewInt(2))
	for name, tt := range map[string]struct {
		key  crypto.Signer
		want string
	}{
		"nothing":     {nil, "the key is a <nil>"},
		"a nil key":   {(*rsa.PrivateKey)(nil), "the key is empty"},
		"a zero key":  {new(rsa.PrivateKey), "the key is empty"},
		"a curve":     {curve, "the key is a *ecdsa.PrivateKey: it has to be an *rsa.PrivateKey"},
		"another one": {&damaged, "the key is damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			signer, err := openssl.New(tt.key)
			require.ErrorContains(t, err, tt.want)
			require.NotErrorIs(t, err, openssl.ErrUnavailable)
			assert.Nil(t, signer)
		})
	}
}

// A key as the core reads it from a file goes in as it is.
func TestKeyFromPEM(t *testing.T) {
	for kind, der := range map[string][]byte{"RSA PRIVATE KEY": x509.MarshalPKCS1PrivateKey(testKey()), "PRIVATE KEY": pkcs8(t)} {
		key, err := apiv3.ParsePrivateKey(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
		require.NoError(t, err)
		signer, err := openssl.New(key)
		require.NoError(t, err)
		require.NoError(t, apiv3.RSA().CheckPublicKey(signer.Public()))
		signature, err := apiv3.RSA().Sign(signer, []byte("message"))
		require.NoError(t, err)
		require.NoError(t, apiv3.RSA().Verify(key.Public(), []byte("message"), signature))
		ciphertext, err := apiv3.RSA().Encrypt(signer.Public(), []byte("name"))
		require.NoError(t, err)
		plaintext, err := apiv3.RSA().Decrypt(signer, ciphertext)
		require.NoError(t, err)
		assert.Equal(t, "name", string(plaintext))
	}
}

func pkcs8(t *testing.T) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(testKey())
	require.NoError(t, err)
	return der
}

// 32 goroutines sign, fail and decrypt with two keys, one of which is closed on the way. Every result is right, and an error of one
// thread never shows up in another.
func TestConcurrent(t *testing.T) {
	key, other := testKey(), generate(2048)
	signer, closing := newSigner(t, key), newSigner(t, other)
	sum := digest(crypto.SHA256, []byte("message"))
	want, err := key.Sign(nil, sum, crypto.SHA256)
	require.NoError(t, err)
	wantOther, err := other.Sign(nil, sum, crypto.SHA256)
	require.NoError(t, err)
	ciphertext, err := rsa.EncryptOAEP(crypto.SHA1.New(), rand.Reader, &key.PublicKey, []byte("secret"), nil)
	require.NoError(t, err)
	var group sync.WaitGroup
	for i := range 32 {
		group.Go(func() {
			for n := range 10 {
				got, err := signer.Sign(nil, sum, crypto.SHA256)
				assert.NoError(t, err)
				assert.Equal(t, want, got)
				_, err = signer.Decrypt(nil, bytes.Repeat([]byte{byte(i)}, key.Size()), &rsa.OAEPOptions{Hash: crypto.SHA1})
				assert.Equal(t, rsa.ErrDecryption, err)
				_, err = signer.Sign(nil, sum, &rsa.PSSOptions{SaltLength: key.Size(), Hash: crypto.SHA256})
				assert.ErrorContains(t, err, "openssl: signing: ")
				plaintext, err := signer.Decrypt(nil, ciphertext, &rsa.OAEPOptions{Hash: crypto.SHA1})
				assert.NoError(t, err)
				assert.Equal(t, "secret", string(plaintext))
				if got, err := closing.Sign(nil, sum, crypto.SHA256); err != nil {
					assert.Equal(t, openssl.ErrClosed, err)
				} else {
					assert.Equal(t, wantOther, got)
				}
				if i == 0 && n == 5 {
					assert.NoError(t, closing.Close())
				}
			}
		})
	}
	group.Wait()
}

// However many sign at once, the threads that they hold are few.
func TestThreadsAreFew(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc")
	}
	signer, sum := newSigner(t, testKey()), digest(crypto.SHA256, nil)
	var group sync.WaitGroup
	for range 300 {
		group.Go(func() {
			for range 3 {
				_, err := signer.Sign(nil, sum, crypto.SHA256)
				assert.NoError(t, err)
			}
		})
	}
	group.Wait()
	assert.Less(t, status(t, "Threads"), runtime.GOMAXPROCS(0)+100)
}

// A call that waits for its turn ends with its context.
func TestWaitingEnds(t *testing.T) {
	signer, sum := newSigner(t, testKey()), digest(crypto.SHA256, nil)
	ctx, end := context.WithCancelCause(context.Background())
	defer end(nil)
	var group sync.WaitGroup
	var signed, ended atomic.Int64
	for range 200 {
		group.Go(func() {
			switch _, err := signer.SignContext(ctx, nil, sum, crypto.SHA256); {
			case err == nil:
				signed.Add(1)
				end(errors.New("enough"))
			case err.Error() == "enough":
				ended.Add(1)
			default:
				assert.NoError(t, err)
			}
		})
	}
	group.Wait()
	assert.Positive(t, signed.Load())
	if runtime.GOMAXPROCS(0) < 100 {
		assert.Positive(t, ended.Load(), "not all can have had their turn")
	}
}

func TestClose(t *testing.T) {
	signer := newSigner(t, testKey())
	sum := digest(crypto.SHA256, nil)
	require.NoError(t, signer.Close())
	require.NoError(t, signer.Close())
	_, err := signer.Sign(nil, sum, crypto.SHA256)
	require.Equal(t, openssl.ErrClosed, err)
	_, err = signer.Decrypt(nil, make([]byte, testKey().Size()), &rsa.OAEPOptions{Hash: crypto.SHA1})
	require.Equal(t, openssl.ErrClosed, err)
	assert.Equal(t, &testKey().PublicKey, signer.Public(), "still to be asked")

	_, err = new(openssl.Signer).Decrypt(nil, make([]byte, 256), &rsa.OAEPOptions{Hash: crypto.SHA1})
	require.Equal(t, openssl.ErrClosed, err, "one that New did not make")
}

func TestPrintsRedacted(t *testing.T) {
	signer := newSigner(t, testKey())
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", signer)
	for _, text := range []string{fmt.Sprint(signer), fmt.Sprintf("%+v", signer), fmt.Sprintf("%#v", signer), fmt.Sprintf("%d", signer)} {
		assert.Equal(t, "openssl.Signer{RSA 2048 bits, redacted}", text)
	}
	assert.Contains(t, log.String(), `key="openssl.Signer{RSA 2048 bits, redacted}"`)
	assert.Less(t, log.Len(), 200)
}

// status is a number of /proc/self/status.
func status(t *testing.T, name string) (n int) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		if _, err := fmt.Sscanf(line, name+": %d", &n); err == nil {
			return n
		}
	}
	t.Fatalf("no %s in /proc/self/status", name)
	return 0
}
