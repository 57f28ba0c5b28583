package wxsql

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
)

// ErrSealed means that a job cannot be opened: it was sealed under a key that is not among
// OutboxConfig.Keys, or somebody changed it. It stays as it is.
var ErrSealed = errors.New("wxsql: the job was sealed under another key, or changed since")

// keySize is the size of a key of AES-256, in bytes.
const keySize = 32

// sealer encrypts what an outbox stores, with AES-256-GCM and random nonces. The first key seals,
// all open.
type sealer []cipher.AEAD

func newSealer(keys [][]byte) (s sealer, err error) {
	for i, key := range keys {
		if len(key) != keySize {
			return nil, fmt.Errorf("wxsql: key %d of the outbox has %d bytes, it must have %d (openssl rand 32)", i+1, len(key), keySize)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		s = append(s, aead)
	}
	if len(s) == 0 {
		return nil, errors.New("wxsql: the outbox has no key: bodies name people, so they are stored encrypted (openssl rand 32)")
	}
	return s, nil
}

// seal encrypts text for a place. A text that was encrypted for one place cannot be decrypted in
// another.
func (s sealer) seal(place string, text []byte) []byte {
	return s[0].Seal(nil, nil, text, []byte(place))
}

func (s sealer) open(place string, sealed []byte) ([]byte, error) {
	for _, aead := range s {
		if text, err := aead.Open(nil, nil, sealed, []byte(place)); err == nil {
			return text, nil
		}
	}
	return nil, ErrSealed
}
