package apiv3_test

import (
	"crypto"
	"crypto/rsa"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/vectors"
)

var errBroken = errors.New("the module is gone")

// brokenSigner is a key in a module that fails.
type brokenSigner struct{ crypto.Signer }

func (brokenSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errBroken
}

// remoteKey is a key of a type of its own, as a key service has; it sees digests only.
type remoteKey struct {
	key  *rsa.PrivateKey
	asks *[]string
}

func (r remoteKey) Public() crypto.PublicKey { return r.key.Public() }
func (r remoteKey) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	*r.asks = append(*r.asks, opts.HashFunc().String())
	return r.key.Sign(random, digest, opts)
}
func (r remoteKey) Decrypt(random io.Reader, ciphertext []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	oaep := opts.(*rsa.OAEPOptions)
	*r.asks = append(*r.asks, oaep.Hash.String()+" OAEP")
	return r.key.Decrypt(random, ciphertext, opts)
}

func TestAnySignerFits(t *testing.T) {
	var asks []string
	key := remoteKey{vectors.Key(t, "merchant"), &asks}
	scheme := apiv3.RSA()
	message := []byte("message\n")
	signature, err := scheme.Sign(key, message)
	require.NoError(t, err)
	assert.NoError(t, scheme.CheckPublicKey(key.Public()))
	assert.NoError(t, scheme.Verify(key.Public(), message, signature))
	sealed, err := scheme.Encrypt(key.Public(), []byte("张三"))
	require.NoError(t, err)
	opened, err := scheme.Decrypt(key, sealed)
	require.NoError(t, err)
	assert.Equal(t, "张三", string(opened))
	assert.Equal(t, []string{"SHA-256", "SHA-1 OAEP"}, asks)
}

func TestOAEP(t *testing.T) {
	scheme := apiv3.RSA()
	key, other := vectors.Key(t, "merchant"), vectors.Key(t, "platform_a")
	for _, length := range []int{0, 1, 213, 214} {
		text := strings.Repeat("x", length)
		sealed, err := scheme.Encrypt(&key.PublicKey, []byte(text))
		require.NoError(t, err)
		assert.Len(t, sealed, 256)
		opened, err := scheme.Decrypt(key, sealed)
		require.NoError(t, err)
		assert.Equal(t, text, string(opened))
		_, err = scheme.Decrypt(other, sealed)
		assert.Equal(t, apiv3.ErrDecrypt, err, "no reason is told")
		sealed[100] ^= 1
		_, err = scheme.Decrypt(key, sealed)
		assert.Equal(t, apiv3.ErrDecrypt, err)
	}
	for name, ciphertext := range map[string][]byte{"nothing": nil, "short": random(255), "long": random(257), "zero": make([]byte, 256)} {
		_, err := scheme.Decrypt(key, ciphertext)
		assert.Equal(t, apiv3.ErrDecrypt, err, name)
	}
	_, err := scheme.Encrypt(&key.PublicKey, []byte(strings.Repeat("中", 72))) // 216 bytes
	assert.ErrorIs(t, err, apiv3.ErrTooLong)
	assert.EqualError(t, err, "plaintext too long: 216 bytes of UTF-8, at most 214 fit")
}
