package sm_test

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"testing"

	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/contrib/sm"
)

const apiv3Key = "TestOnlyAPIv3Key0123456789abcdef"

// The assembly of the library gives what the plain code of the standard library gives over the same cipher, at every
// length around its strides.
func TestSealAndOpen(t *testing.T) {
	digest := sm3.Sum([]byte(apiv3Key))
	block, err := sm4.NewCipher(digest[:16])
	require.NoError(t, err)
	plain := struct{ cipher.Block }{block} // hides the library's own GCM

	data := make([]byte, 600)
	_, _ = rand.Read(data)
	for _, nonceSize := range []int{1, 11, 12, 13, 16, 40} {
		nonce := data[:nonceSize]
		reference, err := cipher.NewGCMWithNonceSize(plain, nonceSize)
		require.NoError(t, err)
		for size := range len(data) {
			plaintext, additional := data[:size], data[len(data)-size%37:]
			ciphertext, err := sm.Seal([]byte(apiv3Key), nonce, additional, plaintext)
			require.NoError(t, err)
			require.Equal(t, reference.Seal(nil, nonce, plaintext, additional), ciphertext, "nonce of %d, %d bytes", nonceSize, size)

			opened, err := sm.Open([]byte(apiv3Key), nonce, additional, ciphertext)
			require.NoError(t, err)
			require.True(t, bytes.Equal(plaintext, opened), "nonce of %d, %d bytes", nonceSize, size)

			ciphertext[size/2] ^= 0x80
			_, err = sm.Open([]byte(apiv3Key), nonce, additional, ciphertext)
			require.ErrorIs(t, err, apiv3.ErrDecrypt)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	key, nonce, additional := []byte(apiv3Key), []byte("uluk4a9R25RW"), []byte("certificate")
	ciphertext, err := sm.Seal(key, nonce, additional, []byte("x"))
	require.NoError(t, err)
	foreign, err := apiv3.SealAESGCM(key, nonce, additional, []byte("x"))
	require.NoError(t, err)
	for _, test := range []struct {
		name                              string
		key, nonce, additional, cipertext []byte
		is                                error
	}{
		{"another key", []byte("TestOnlyAPIv3Key0123456789abcdeX"), nonce, additional, ciphertext, apiv3.ErrDecrypt},
		{"another nonce", key, []byte("uluk4a9R25RX"), additional, ciphertext, apiv3.ErrDecrypt},
		{"other associated data", key, nonce, []byte("transaction"), ciphertext, apiv3.ErrDecrypt},
		{"no associated data", key, nonce, nil, ciphertext, apiv3.ErrDecrypt},
		{"AES instead of SM4", key, nonce, additional, foreign, apiv3.ErrDecrypt},
		{"no nonce", key, nil, additional, ciphertext, apiv3.ErrDecrypt},
		{"only a tag", key, nonce, additional, ciphertext[1:], apiv3.ErrDecrypt},
		{"less than a tag", key, nonce, additional, ciphertext[:15], apiv3.ErrDecrypt},
		{"nothing", key, nonce, additional, nil, apiv3.ErrDecrypt},
		{"short key", key[1:], nonce, additional, ciphertext, apiv3.ErrKey},
		{"no key", nil, nonce, additional, ciphertext, apiv3.ErrKey},
	} {
		plaintext, err := sm.Open(test.key, test.nonce, test.additional, test.cipertext)
		assert.ErrorIs(t, err, test.is, test.name)
		assert.Nil(t, plaintext, test.name)
	}
	_, err = sm.Seal(key[1:], nonce, nil, nil)
	require.ErrorIs(t, err, apiv3.ErrKey)
	_, err = sm.Seal(key, nil, nil, nil)
	require.ErrorIs(t, err, apiv3.ErrKey)
	assert.NotContains(t, err.Error(), apiv3Key)
}

// Nothing opens but what was sealed, and nothing panics.
func FuzzOpen(f *testing.F) {
	v, _ := readVectors(f)
	f.Add([]byte(v.GCM.Nonce), []byte(v.GCM.AssociatedData), v.GCM.Ciphertext)
	f.Add([]byte("n"), []byte{}, make([]byte, 16))
	f.Fuzz(func(t *testing.T, nonce, additional, ciphertext []byte) {
		plaintext, err := sm.Open([]byte(v.GCM.APIv3Key), nonce, additional, ciphertext)
		if err != nil {
			require.ErrorIs(t, err, apiv3.ErrDecrypt)
			return
		}
		require.Equal(t, v.GCM.Plaintext, string(plaintext))
	})
}
