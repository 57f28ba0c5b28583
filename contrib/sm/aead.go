package sm

import (
	"crypto/cipher"
	"fmt"

	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"

	"github.com/wxpay-go/wxpay/apiv3"
)

// AlgorithmSM4GCM names the cipher of notifications and certificates of merchants who use SM2.
const AlgorithmSM4GCM = "AEAD_SM4_GCM"

// tagSize is the length of the authentication tag that follows the encrypted bytes.
const tagSize = 16

// Open decrypts AEAD_SM4_GCM, as apiv3.OpenAESGCM decrypts AEAD_AES_256_GCM. key is the APIv3 key
// as typed, 32 bytes; the first half of its SM3 digest is the SM4 key. ciphertext is the encrypted
// bytes and the 16-byte tag, decoded from base64. nonce is the bytes in the message. additional is
// the associated data, empty if absent. A failure is apiv3.ErrDecrypt.
func Open(key, nonce, additional, ciphertext []byte) ([]byte, error) {
	if len(nonce) == 0 {
		return nil, fmt.Errorf("%w: the nonce is empty", apiv3.ErrDecrypt)
	}
	if len(ciphertext) < tagSize {
		return nil, fmt.Errorf("%w: the ciphertext is shorter than its tag", apiv3.ErrDecrypt)
	}
	gcm, err := newGCM(key, len(nonce))
	if err != nil {
		return nil, err
	}
	plaintext, err := gcm.Open(nil, nonce, ciphertext, additional)
	if err != nil {
		return nil, apiv3.ErrDecrypt
	}
	return plaintext, nil
}

// Seal encrypts AEAD_SM4_GCM; see [Open]. The nonce must never repeat under one key.
func Seal(key, nonce, additional, plaintext []byte) ([]byte, error) {
	if len(nonce) == 0 {
		return nil, fmt.Errorf("%w: the nonce is empty", apiv3.ErrKey)
	}
	gcm, err := newGCM(key, len(nonce))
	if err != nil {
		return nil, err
	}
	return gcm.Seal(nil, nonce, plaintext, additional), nil
}

func newGCM(key []byte, nonceSize int) (cipher.AEAD, error) {
	if err := apiv3.CheckKey(key); err != nil {
		return nil, err
	}
	digest := sm3.Sum(key)
	block, err := sm4.NewCipher(digest[:sm4.BlockSize])
	if err != nil {
		return nil, fmt.Errorf("%w: %w", apiv3.ErrKey, err)
	}
	return cipher.NewGCMWithNonceSize(block, nonceSize)
}
