//go:build go1.26

package openssl_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// OAEP may use another hash for its mask. Go 1.26 is the first that encrypts so.
func TestDecryptWithTwoHashes(t *testing.T) {
	opts := &rsa.OAEPOptions{Hash: crypto.SHA256, MGFHash: crypto.SHA1}
	ciphertext, err := rsa.EncryptOAEPWithOptions(rand.Reader, &testKey().PublicKey, []byte("x"), opts)
	require.NoError(t, err)
	plaintext, err := newSigner(t, testKey()).Decrypt(nil, ciphertext, opts)
	require.NoError(t, err)
	assert.Equal(t, "x", string(plaintext))
}
