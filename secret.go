package wxpay

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Secret is a text that travels encrypted wherever it stands, with or without a catalogue: as a value in a map or a
// slice, as a struct's field, as a query value.
//
//	wxpay.JSON{"openid": openid, "user_name": wxpay.Secret("张三")}
//
// It is never sent in clear: where it cannot be encrypted (in the name of a member, amid other text) the call is refused.
// The empty Secret is an empty text, and [Chain.Plain] on a Secret is a mistake. An answer may be decoded into one.
//
// Marshalled by encoding/json and anything else that asks for encoding.TextMarshaler it becomes a token that is sealed for
// this process: a body that was marshalled beforehand may be handed to a verb, and one that ends up anywhere else tells
// nothing but the length: another process takes it for the text of the token. (As the key of a map encoding/json takes it for a plain string; encodings that look at the kind
// of a type only, such as encoding/gob, do so for values too.) It prints redacted. The text itself is string(secret).
type Secret string

// MarshalText returns the token; see [Secret].
func (s Secret) MarshalText() ([]byte, error) {
	if s == "" {
		return []byte{}, nil
	}
	if _, err := openSecret([]byte(s)); err == nil { // it was unmarshalled from a token
		return []byte(s), nil
	}
	return base64.RawURLEncoding.AppendEncode([]byte(secretMark), secretBox().Seal(nil, nil, []byte(s), nil)), nil
}

// Format prints no secret under any verb.
func (s Secret) Format(state fmt.State, verb rune) {
	redact.Format(state, verb, "wxpay.Secret(redacted)")
}

// LogValue gives slog no secret.
func (s Secret) LogValue() slog.Value { return slog.StringValue("redacted") }

var secretType = reflect.TypeFor[Secret]()

// secretMark begins a token. It is another one in each process, so that no text of a user's is taken for a token, and made of
// characters that no encoding of text escapes.
var (
	secretMark      = "wxpay-secret." + rand.Text() + "."
	secretMarkBytes = []byte(secretMark)
)

// secretBox seals tokens with a key that lives and dies with the process.
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

// holdsSecret reports whether there may be a token in text.
func holdsSecret(text []byte) bool { return bytes.Contains(text, secretMarkBytes) }

func hasSecret(text string) bool { return strings.Contains(text, secretMark) }

// isSecret reports whether text begins as a token.
func isSecret(text []byte) bool { return bytes.HasPrefix(text, secretMarkBytes) }

var errBrokenSecret = errors.New("it is a Secret that was changed, or has other text around it: a Secret is sent as a value of its own")

// openSecret returns the text in a token.
func openSecret(token []byte) ([]byte, error) {
	sealed, ok := bytes.CutPrefix(token, secretMarkBytes)
	if !ok {
		return nil, errBrokenSecret
	}
	sealed, err := base64.RawURLEncoding.Strict().AppendDecode(nil, sealed)
	if err != nil {
		return nil, errBrokenSecret
	}
	text, err := secretBox().Open(nil, nil, sealed, nil)
	if err != nil {
		return nil, errBrokenSecret
	}
	if !utf8.Valid(text) {
		return nil, jsonwalk.ErrNotUTF8
	}
	return text, nil
}
