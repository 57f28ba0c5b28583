package middleware

import (
	"fmt"
	"io"
	"net/http"

	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// first returns the first value of a header. Unlike http.Header.Get it takes the name as it is, in canonical form: every
// call asks for several.
func first(h http.Header, name string) string {
	if values := h[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// Body is the body of an answer that was read whole. It can be read as usual, or taken at once with ReadBody.
type Body struct {
	raw   []byte
	read  int
	found *[]byte // the JSON text in raw, which is raw as a rule; nil until somebody looks for it
}

// Format prints the size under every verb.
func (b Body) Format(s fmt.State, verb rune) { redact.Format(s, verb, b.text()) }

// MarshalText gives encodings what Format prints.
func (b Body) MarshalText() ([]byte, error) { return []byte(b.text()), nil }

func (b *Body) text() string { return fmt.Sprintf("middleware.Body{%d bytes}", len(b.raw)) }

// Read reads like any body.
func (b *Body) Read(p []byte) (int, error) {
	n := copy(p, b.raw[b.read:])
	b.read += n
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Close does nothing: the connection was given back when the answer was read.
func (b *Body) Close() error { return nil }

// judge looks for the JSON text in the whole body; see [jsonwalk.Read].
func (b *Body) judge() error {
	text, err := jsonwalk.Read(b.raw)
	switch {
	case err != nil:
		b.found = &noText
	case &text[0] == &b.raw[0]:
		b.found = &b.raw
	default:
		cured := text // which costs an allocation here alone
		b.found = &cured
	}
	return err
}

var noText []byte

// json returns the JSON text in the whole body, nil if there is none.
func (b *Body) json() []byte {
	if b.found == nil {
		_ = b.judge()
	}
	return *b.found
}

// ReadBody returns the whole body of an answer that came through Verify, without copying it if nothing has read from it,
// and the JSON text in it: the same bytes, save that each which is not UTF-8 is U+FFFD. The text is nil if the body is not JSON,
// or can be read in two ways. The bytes must not be changed.
func ReadBody(res *http.Response) (raw, text []byte, err error) {
	if body, ok := res.Body.(*Body); ok && body.read == 0 {
		return body.raw, body.json(), nil
	}
	defer res.Body.Close()
	if raw, err = io.ReadAll(res.Body); err == nil {
		text, _ = jsonwalk.Read(raw)
	}
	return raw, text, err
}

// errorCode returns the code of a refusal, if it has one.
func errorCode(res *http.Response) string {
	body, ok := res.Body.(*Body)
	if !ok {
		return ""
	}
	refusal := jsonwalk.Cursor{Text: body.json()}
	if refusal.Peek() != '{' {
		return ""
	}
	for more := refusal.Enter('}'); more; more = refusal.More('}') {
		if name := refusal.Name(); string(name.Key()) != "code" {
			refusal.Skip()
		} else if refusal.Peek() == '"' {
			code, _ := refusal.Quoted().Unquote()
			return redact.Printable(string(code))
		} else {
			break
		}
	}
	return ""
}
