package webhook

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/sensitive"
)

// Decrypt decrypts one value that the platform encrypted for the merchant (RSA-OAEP, base64) and
// that no catalogue marks, such as encrypt_echo_message of SECURITY_ECHO.SUCCESS. A Handler with a
// private key and a catalogue has already decrypted the marked fields.
func (e *Event) Decrypt(ciphertext string) (string, error) {
	if e.owner == nil || e.owner().decrypter() == nil {
		return "", fmt.Errorf("webhook: %w: there is no private key to decrypt with (Merchant.PrivateKey)", apiv3.ErrKey)
	}
	raw, err := base64.StdEncoding.DecodeString(ciphertext)
	if err != nil {
		return "", fmt.Errorf("webhook: %w: the value is not base64", apiv3.ErrDecrypt)
	}
	plaintext, err := e.owner().scheme().Decrypt(e.owner().decrypter(), raw)
	if err != nil {
		return "", fmt.Errorf("webhook: %w", err)
	}
	return string(plaintext), nil
}

// decryptFields decrypts the marked fields of the resource and keeps every other byte. It also
// keeps a value that does not look encrypted: the documentation may be outdated, and the function
// needs the plaintext.
func (e *Event) decryptFields(facts *fact.Event) error {
	scheme, decrypter := e.owner().scheme(), e.owner().decrypter()
	if e.json == nil || decrypter == nil {
		return nil
	}
	shape := sensitive.NewShape(facts.Resource, false)
	if shape == nil {
		return nil
	}
	size := 0 // of a ciphertext in bytes; 0 when the key does not tell
	if public, ok := decrypter.Public().(interface{ Size() int }); ok {
		size = public.Size()
	}
	text, faults, err := sensitive.Decrypt(e.json, &sensitive.Field{Inner: shape}, func(value []byte) ([]byte, error) {
		const shortest = 64 // the ciphertexts of every scheme are longer
		raw, err := base64.StdEncoding.Strict().AppendDecode(nil, value)
		if err != nil || len(raw) < shortest || size != 0 && len(raw) != size {
			return nil, sensitive.ErrPlain
		}
		return scheme.Decrypt(decrypter, raw)
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	for _, fault := range faults {
		if !errors.Is(fault, sensitive.ErrPlain) {
			return fmt.Errorf("%w: it is encrypted for the merchant API certificate, is Merchant.PrivateKey the key of the current one?", fault)
		}
	}
	if !bytes.Equal(text, e.json) {
		e.resource, e.json = text, text
	}
	return nil
}
