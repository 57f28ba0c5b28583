package middleware

import (
	"fmt"
	"io"
	"net/http"

	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Body is the body of a response that Verify has read whole. Read it as usual, or at once with
// ReadBody.
type Body struct {
	raw   []byte
	read  int
	found *[]byte // the JSON text, usually raw itself; nil until it is needed
}

// Format prints the size under every verb.
func (b Body) Format(s fmt.State, verb rune) { redact.Format(s, verb, b.text()) }

// MarshalText returns the text that Format prints.
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

// Close does nothing: Verify has returned the connection.
func (b *Body) Close() error { return nil }

// judge finds the JSON text of the whole body; see [jsonwalk.Read].
func (b *Body) judge() error {
	text, err := jsonwalk.Read(b.raw)
	switch {
	case err != nil:
		b.found = &noText
	case &text[0] == &b.raw[0]:
		b.found = &b.raw
	default:
		cured := text // the only case with an allocation
		b.found = &cured
	}
	return err
}

var noText []byte

// json returns the JSON text of the whole body, nil if there is none.
func (b *Body) json() []byte {
	if b.found == nil {
		_ = b.judge()
	}
	return *b.found
}

// ReadBody returns the whole body of a response that came through Verify, and its JSON text: the
// same bytes with U+FFFD for each byte that is not UTF-8. It copies the body only if something has
// read from it. The text is nil if the body is not JSON or is ambiguous. Do not change the bytes.
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

// errorCode returns the error code of a response, empty without one.
func errorCode(res *http.Response) string {
	body, ok := res.Body.(*Body)
	if !ok {
		return ""
	}
	cursor := jsonwalk.Cursor{Text: body.json()}
	if cursor.Peek() != '{' {
		return ""
	}
	for more := cursor.Enter('}'); more; more = cursor.More('}') {
		if name := cursor.Name(); string(name.Key()) != "code" {
			cursor.Skip()
		} else if cursor.Peek() == '"' {
			code, _ := cursor.Quoted().Unquote()
			return redact.Printable(string(code))
		} else {
			break
		}
	}
	return ""
}
