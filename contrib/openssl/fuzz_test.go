package openssl_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever the digest, both libraries sign it alike or both refuse.
func FuzzSign(f *testing.F) {
	signer := newSigner(f, testKey())
	f.Add([]byte("0123456789abcdef0123456789abcdef"), uint(crypto.SHA256))
	f.Add(make([]byte, 20), uint(crypto.SHA1))
	f.Add([]byte{}, uint(crypto.SHA512))
	f.Fuzz(func(t *testing.T, digest []byte, n uint) {
		hash := everyHash[n%uint(len(everyHash))]
		want, wantErr := testKey().Sign(rand.Reader, digest, hash)
		got, err := signer.Sign(rand.Reader, digest, hash)
		require.Equal(t, wantErr == nil, err == nil, "%v, %v", wantErr, err)
		require.Equal(t, want, got)
		if signature, err := signer.Sign(rand.Reader, digest, &rsa.PSSOptions{Hash: hash}); err == nil {
			require.NoError(t, rsa.VerifyPSS(&testKey().PublicKey, hash, digest, signature, nil))
		}
	})
}

// Whatever the ciphertext, both libraries open it alike or both refuse, without a reason.
func FuzzDecrypt(f *testing.F) {
	signer := newSigner(f, testKey())
	sealed, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, &testKey().PublicKey, []byte("name"), nil)
	require.NoError(f, err)
	f.Add(sealed, []byte(nil))
	f.Add(sealed, []byte("label"))
	f.Add(make([]byte, 256), []byte(nil))
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, ciphertext, label []byte) {
		opts := &rsa.OAEPOptions{Hash: crypto.SHA1, Label: label}
		want, wantErr := testKey().Decrypt(nil, ciphertext, opts)
		got, err := signer.Decrypt(nil, ciphertext, opts)
		require.Equal(t, errors.Is(wantErr, rsa.ErrDecryption), errors.Is(err, rsa.ErrDecryption), "%v, %v", wantErr, err)
		require.Equal(t, wantErr == nil, err == nil, "%v, %v", wantErr, err)
		require.Equal(t, string(want), string(got))
	})
}

// What is sealed, with whatever text and label, comes out again.
func FuzzRoundTrip(f *testing.F) {
	signer := newSigner(f, testKey())
	f.Add([]byte("张三"), []byte("label"))
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, plaintext, label []byte) {
		ciphertext, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, &testKey().PublicKey, plaintext, label)
		if errors.Is(err, rsa.ErrMessageTooLong) {
			t.Skip()
		}
		require.NoError(t, err)
		got, err := signer.Decrypt(nil, ciphertext, &rsa.OAEPOptions{Hash: crypto.SHA1, Label: label})
		require.NoError(t, err)
		require.Equal(t, string(plaintext), string(got))
	})
}
