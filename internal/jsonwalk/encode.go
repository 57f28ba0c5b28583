package jsonwalk

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Marshal returns v as encoding/json writes it, without the HTML escapes, and without U+FFFD in
// place of bytes that are not UTF-8: such text is an ErrNotUTF8. An error inside v is a
// *[FieldError].
//
// It writes the maps and slices of literals without reflection, which costs encoding/json two
// allocations a field. Everything else goes through encoding/json.
func Marshal(v any) ([]byte, error) {
	scratch := Borrow()
	written, err := appendValue(*scratch, v, 0)
	if err != nil {
		return nil, err
	}
	text := bytes.Clone(written) // an attempt may read it long after this
	Return(scratch, written)
	return text, nil
}

// scratches is memory for texts whose length is not known yet, so that each takes no more memory
// than it has bytes.
var scratches = sync.Pool{New: func() any { b := make([]byte, 0, 2048); return &b }}

// maxScratch is the capacity up to which such memory is kept: one huge body must not stay in memory
// for ever.
const maxScratch = 64 << 10

// Borrow returns memory for a text whose length is not known yet: an empty slice, to be given to
// [Return].
func Borrow() *[]byte { return scratches.Get().(*[]byte) }

// Return takes borrowed memory back, which may have grown. Nothing may refer to it any more.
func Return(scratch *[]byte, grown []byte) {
	if *scratch = grown[:0]; cap(grown) <= maxScratch {
		scratches.Put(scratch)
	}
}

func appendValue(dst []byte, v any, depth int) ([]byte, error) {
	if depth > MaxDepth {
		return dst, errors.New("it is nested too deeply, or contains itself")
	}
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case string:
		return AppendQuote(dst, v), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case int:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(dst, v, 10), nil
	case map[string]any:
		return appendObject(dst, v, depth)
	case []any:
		return appendArray(dst, v, depth)
	case []string:
		return appendArray(dst, v, depth)
	case []map[string]any:
		return appendArray(dst, v, depth)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return dst, &marshalError{err}
	}
	if pointer, found := Replaced(out.Bytes(), v); found {
		return dst, &FieldError{Pointer: pointer, Err: ErrNotUTF8}
	}
	return append(dst, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...), nil
}

// entry is a field of an object that is being written.
type entry struct {
	name  string
	value any
}

func appendObject(dst []byte, object map[string]any, depth int) (_ []byte, err error) {
	if object == nil {
		return append(dst, "null"...), nil
	}
	var space [16]entry
	fields := space[:0]
	for name, value := range object {
		fields = append(fields, entry{name, value})
	}
	slices.SortFunc(fields, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	dst = append(dst, '{')
	for i := range fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		f := &fields[i]
		dst = append(AppendQuote(dst, f.name), ':')
		if dst, err = appendValue(dst, f.value, depth+1); err != nil {
			return dst, inside(f.name, err)
		}
	}
	return append(dst, '}'), nil
}

func appendArray[E any](dst []byte, array []E, depth int) (_ []byte, err error) {
	if array == nil {
		return append(dst, "null"...), nil
	}
	dst = append(dst, '[')
	for i := range array {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = appendValue(dst, any(array[i]), depth+1); err != nil {
			return dst, inside(strconv.Itoa(i), err)
		}
	}
	return append(dst, ']'), nil
}

// inside says of an error in which field or element it is.
func inside(name string, err error) error {
	pointer := Below("", name)
	if inner, ok := err.(*FieldError); ok {
		return &FieldError{Pointer: pointer + inner.Pointer, Err: inner.Err}
	}
	return &FieldError{Pointer: pointer, Err: err}
}

// AppendQuote appends s as a JSON string. It escapes only what JSON, or JavaScript that reads it,
// cannot take; bytes that are not UTF-8 stay, so that they are found.
func AppendQuote(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if sorts[c] == plain {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			dst = append(dst, s[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\b':
				dst = append(dst, '\\', 'b')
			case '\f':
				dst = append(dst, '\\', 'f')
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == '\u2028' || r == '\u2029' {
			dst = append(append(dst, s[start:i]...), '\\', 'u', '2', '0', '2', hex[r&15])
			start = i + size
		}
		i += size
	}
	return append(append(dst, s[start:]...), '"')
}

// marshalError is an error of encoding/json without what it may repeat of a value: that of a
// Marshaler, or of a json.Number.
type marshalError struct{ err error }

func (e *marshalError) Error() string {
	var kind *json.UnsupportedTypeError
	var value *json.UnsupportedValueError // NaN, an infinity, a cycle
	var refused *json.MarshalerError
	switch {
	case errors.As(e.err, &kind), errors.As(e.err, &value):
		return e.err.Error()
	case errors.As(e.err, &refused):
		return fmt.Sprintf("a %s refused to be written", refused.Type)
	}
	return "a value refused to be written"
}

// Unwrap returns what a Marshaler of the user's said, perhaps.
func (e *marshalError) Unwrap() error { return fault.Outside(e.err) }

// Format prints the error's text under every verb.
func (e marshalError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText gives encodings the error's text.
func (e marshalError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }
