package apiv3

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"

	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/visible"
)

// KeySize is the length of the APIv3 key in bytes: exactly 32 characters as typed, not hex and not
// base64.
const KeySize = 32

// AlgorithmAESGCM names the cipher of notifications and certificates.
const AlgorithmAESGCM = "AEAD_AES_256_GCM"

// tagSize is the length of the authentication tag that follows the encrypted bytes.
const tagSize = 16

// CheckKey returns an error for an APIv3 key of the wrong form: another length, or an invisible or
// untypeable character, such as the line break of a file. The error does not contain the key.
func CheckKey(key []byte) error {
	err := visible.Word(string(key))
	switch {
	case err != nil && len(key) != KeySize:
		return fmt.Errorf("%w: the APIv3 key has %d bytes instead of %d, and its %w (%s)", ErrKey, len(key), KeySize, err, keySource)
	case err != nil:
		return fmt.Errorf("%w: the APIv3 key is of letters and digits, and its %w (%s)", ErrKey, err, keySource)
	case len(key) != KeySize:
		return fmt.Errorf("%w: the APIv3 key has %d bytes instead of %d (%s)", ErrKey, len(key), KeySize, keySource)
	}
	return nil
}

const keySource = "it is set in the merchant platform under API security, and is used as typed"

// OpenAESGCM decrypts AEAD_AES_256_GCM. ciphertext is the encrypted bytes and the 16-byte tag,
// decoded from base64. nonce is the bytes in the message (12 in notifications, 16 in encrypted
// bills; any length above zero is valid). additional is the associated data, empty if absent. A
// failure is ErrDecrypt; after a verified signature it nearly always means that the APIv3 key has
// changed.
func OpenAESGCM(key, nonce, additional, ciphertext []byte) ([]byte, error) {
	if err := checkSealed(nonce, ciphertext); err != nil {
		return nil, err
	}
	gcm, err := newGCM(key, len(nonce))
	if err != nil {
		return nil, err
	}
	return open(gcm, nil, nonce, additional, ciphertext)
}

// checkSealed rejects an empty nonce and a short ciphertext.
func checkSealed(nonce, ciphertext []byte) error {
	if len(nonce) == 0 {
		return fmt.Errorf("%w: the nonce is empty", ErrDecrypt)
	}
	if len(ciphertext) < tagSize {
		return fmt.Errorf("%w: the ciphertext is shorter than its tag", ErrDecrypt)
	}
	return nil
}

func open(gcm cipher.AEAD, dst, nonce, additional, ciphertext []byte) ([]byte, error) {
	plaintext, err := gcm.Open(dst, nonce, ciphertext, additional)
	if err != nil {
		return nil, ErrDecrypt
	}
	return plaintext, nil
}

// usualNonce is the length of a nonce in notifications.
const usualNonce = 12

// Opener decrypts AEAD_AES_256_GCM many times with one key: it expands the key once. It is safe for
// concurrent use and prints redacted.
type Opener struct {
	block func() cipher.Block // hidden, since its members tell the key
	usual func() cipher.AEAD  // for nonces of the usual length
}

// NewOpener returns an opener for an APIv3 key. The error for a key that [CheckKey] rejects is
// ErrKey.
func NewOpener(key []byte) (*Opener, error) {
	if err := CheckKey(key); err != nil {
		return nil, err
	}
	block, err := newBlock(key)
	if err != nil {
		return nil, err
	}
	usual, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return &Opener{redact.Hide(block), redact.Hide(usual)}, nil
}

// Format prints no key under any verb.
func (o Opener) Format(s fmt.State, verb rune) { redact.Format(s, verb, "apiv3.Opener{key redacted}") }

// MarshalText returns the text that Format prints.
func (o Opener) MarshalText() ([]byte, error) { return []byte("apiv3.Opener{key redacted}"), nil }

// Open decrypts like OpenAESGCM and appends the plaintext to dst. dst may be ciphertext[:0] to
// decrypt in place; a failure then destroys the ciphertext.
func (o *Opener) Open(dst, nonce, additional, ciphertext []byte) ([]byte, error) {
	if err := checkSealed(nonce, ciphertext); err != nil {
		return nil, err
	}
	gcm := o.usual()
	if len(nonce) != usualNonce {
		var err error
		if gcm, err = cipher.NewGCMWithNonceSize(o.block(), len(nonce)); err != nil {
			return nil, ErrDecrypt
		}
	}
	return open(gcm, dst, nonce, additional, ciphertext)
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

func newBlock(key []byte) (cipher.Block, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("%w: the key has %d bytes instead of %d", ErrKey, len(key), KeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return block, nil
}

func newGCM(key []byte, nonceSize int) (cipher.AEAD, error) {
	block, err := newBlock(key)
	if err != nil {
		return nil, err
	}
	if nonceSize == usualNonce {
		return cipher.NewGCM(block)
	}
	return cipher.NewGCMWithNonceSize(block, nonceSize)
}
