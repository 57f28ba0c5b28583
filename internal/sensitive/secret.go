// Package sensitive encrypts fields of requests and decrypts fields of responses and notifications:
// the fields that the catalogue marks, those that the caller's rules name, and the Secrets in a
// text.
package sensitive

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/internal/jsonwalk"
)

// secretMark begins a token. Each process has its own, so that no text of a user's is taken for a
// token. No encoding of text escapes its characters.
var (
	secretMark      = "wxpay-secret." + rand.Text() + "."
	secretMarkBytes = []byte(secretMark)
)

// secretBox encrypts tokens with a key that lives and dies with the process.
var secretBox = sync.OnceValue(func() cipher.AEAD {
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails
	block, err := aes.NewCipher(key[:])
	if err == nil {
		var box cipher.AEAD
		if box, err = cipher.NewGCMWithRandomNonce(block); err == nil {
			return box
		}
	}
	panic("wxpay: AES-GCM: " + err.Error())
})

// Token returns the token in which text travels through an encoding to the rewriting of a request:
// encrypted for this process. The token of an empty text is empty, that of a token is the token
// itself.
func Token(text string) []byte {
	if text == "" {
		return []byte{}
	}
	if _, err := openToken([]byte(text)); err == nil { // it was unmarshalled from a token
		return []byte(text)
	}
	return base64.RawURLEncoding.AppendEncode([]byte(secretMark), secretBox().Seal(nil, nil, []byte(text), nil))
}

// holdsToken reports whether there may be a token in text.
func holdsToken(text []byte) bool { return bytes.Contains(text, secretMarkBytes) }

// HasToken reports whether there may be a token in text.
func HasToken(text string) bool { return strings.Contains(text, secretMark) }

// IsToken reports whether text begins as a token.
func IsToken(text []byte) bool { return bytes.HasPrefix(text, secretMarkBytes) }

var errBrokenToken = errors.New("it is a Secret that was changed, or has other text around it: a Secret is sent as a value of its own")

// openToken returns the text in a token.
func openToken(token []byte) ([]byte, error) {
	encrypted, ok := bytes.CutPrefix(token, secretMarkBytes)
	if !ok {
		return nil, errBrokenToken
	}
	encrypted, err := base64.RawURLEncoding.Strict().AppendDecode(nil, encrypted)
	if err != nil {
		return nil, errBrokenToken
	}
	text, err := secretBox().Open(nil, nil, encrypted, nil)
	if err != nil {
		return nil, errBrokenToken
	}
	if !utf8.Valid(text) {
		return nil, jsonwalk.ErrNotUTF8
	}
	return text, nil
}
