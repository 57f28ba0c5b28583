package wxpay

import (
	"fmt"
	"log/slog"
	"reflect"

	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/sensitive"
)

// Secret is a text that travels encrypted in every place, with or without a catalogue: as a value
// in a map or a slice, as a struct's field, as a query value.
//
//	wxpay.JSON{"openid": openid, "user_name": wxpay.Secret("张三")}
//
// It is never sent in clear: a Secret that cannot be encrypted (in the name of a field, amid other
// text) fails the call. The empty Secret is an empty text, and [Chain.Plain] on a Secret is a
// mistake. A response may be decoded into one.
//
// encoding/json, and every other encoding that uses encoding.TextMarshaler, writes it as a token
// that is encrypted for this process. A verb therefore also takes a body that was marshalled
// beforehand. Such a body tells nobody else more than the length; another process takes the token
// for plain text. (As the key of a map, encoding/json takes a Secret for a plain string; encodings
// that use only the kind of a type, such as encoding/gob, also do so for values.) It prints
// redacted. string(secret) is the text itself.
type Secret string

// MarshalText returns the token; see [Secret].
func (s Secret) MarshalText() ([]byte, error) { return sensitive.Token(string(s)), nil }

// Format prints no secret under any verb.
func (s Secret) Format(state fmt.State, verb rune) {
	redact.Format(state, verb, "wxpay.Secret(redacted)")
}

// LogValue gives slog no secret.
func (s Secret) LogValue() slog.Value { return slog.StringValue("redacted") }

var secretType = reflect.TypeFor[Secret]()
