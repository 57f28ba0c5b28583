package apiv3

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
)

// KeySize is the length of the APIv3 key in bytes: exactly 32 characters as typed, not hex and not base64.
const KeySize = 32

// AlgorithmAESGCM names the cipher of notifications and certificates.
const AlgorithmAESGCM = "AEAD_AES_256_GCM"

// tagSize is the length of the authentication tag that follows the encrypted bytes.
const tagSize = 16

// CheckKey reports an APIv3 key of the wrong form, without showing it.
func CheckKey(key []byte) error {
	if len(key) != KeySize {
		return fmt.Errorf("%w: the APIv3 key has %d bytes instead of %d (it is set in the merchant platform under API security, and is used as typed)", ErrKey, len(key), KeySize)
	}
	return nil
}

// OpenAESGCM decrypts AEAD_AES_256_GCM: ciphertext is the encrypted bytes followed by the 16-byte tag (already decoded
// from base64), nonce the bytes as they stand in the message (12 in notifications, 16 in encrypted bills; any length
// above zero is accepted), additional the associated data, empty if absent. A failure is ErrDecrypt, which after a
// verified signature nearly always means that the APIv3 key was changed.
func OpenAESGCM(key, nonce, additional, ciphertext []byte) ([]byte, error) {
	if len(nonce) == 0 {
		return nil, fmt.Errorf("%w: the nonce is empty", ErrDecrypt)
	}
	if len(ciphertext) < tagSize {
		return nil, fmt.Errorf("%w: the ciphertext is shorter than its tag", ErrDecrypt)
	}
	gcm, err := newGCM(key, len(nonce))
	if err != nil {
		return nil, err
	}
	plaintext, err := gcm.Open(nil, nonce, ciphertext, additional)
	if err != nil {
		return nil, ErrDecrypt
	}
	return plaintext, nil
}

// SealAESGCM encrypts AEAD_AES_256_GCM; see OpenAESGCM. The nonce must never repeat under one key.
func SealAESGCM(key, nonce, additional, plaintext []byte) ([]byte, error) {
	if len(nonce) == 0 {
		return nil, fmt.Errorf("%w: the nonce is empty", ErrKey)
	}
	gcm, err := newGCM(key, len(nonce))
	if err != nil {
		return nil, err
	}
	return gcm.Seal(nil, nonce, plaintext, additional), nil
}

func newGCM(key []byte, nonceSize int) (cipher.AEAD, error) {
	if err := CheckKey(key); err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if nonceSize == 12 {
		return cipher.NewGCM(block)
	}
	return cipher.NewGCMWithNonceSize(block, nonceSize)
}
