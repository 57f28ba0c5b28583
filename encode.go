package wxpay

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// JSON is a request body, or a part of one, written in place. Its members travel sorted by name.
type JSON map[string]any

// encode returns the bytes of a body.
func encode(body any) (encoded []byte, err error) {
	switch v := body.(type) {
	case nil:
		return nil, nil
	case []byte:
		encoded = v
	case json.RawMessage:
		encoded = v
	case string:
		encoded = []byte(v)
	case io.Reader:
		return nil, fmt.Errorf("the body is a reader (%T): pass a value to marshal, or its bytes", body)
	default:
		scratch := scratches.Get().(*[]byte)
		written, err := appendJSON((*scratch)[:0], body, 0)
		if errors.Is(err, jsonwalk.ErrNotUTF8) {
			return nil, err
		} else if err != nil {
			return nil, fmt.Errorf("the body cannot be marshalled to JSON: %w", err)
		}
		encoded = bytes.Clone(written) // an attempt may read it long after this
		keepScratch(scratch, written)
	}
	if !utf8.Valid(encoded) { // the platform would read other words, or none
		return nil, &FieldError{Pointer: jsonwalk.Broken(encoded), Err: jsonwalk.ErrNotUTF8}
	}
	switch trimmed := bytes.TrimSpace(encoded); {
	case len(trimmed) == 0:
		return nil, errors.New("the body is empty: pass a bare nil to send none, or wxpay.JSON{} for an empty object")
	case string(trimmed) == "null":
		return nil, errors.New("the body is null: pass a bare nil to send none")
	}
	return encoded, nil
}

// scratches is room in which bodies are written before their length is known, so that each takes no more memory than it has
// bytes.
var scratches = sync.Pool{New: func() any { b := make([]byte, 0, 2048); return &b }}

// maxScratch is the capacity up to which such room is kept: one huge body must not stay in memory for ever.
const maxScratch = 64 << 10

// keepScratch gives room back, which may have grown.
func keepScratch(scratch *[]byte, grown []byte) {
	if *scratch = grown; cap(grown) <= maxScratch {
		scratches.Put(scratch)
	}
}

// appendJSON appends v as encoding/json writes it, less the HTML escaping and the U+FFFD in the place of bytes that are not
// UTF-8: what is sent is what was written, or nothing. Maps and slices made in place, the usual bodies, are written without
// reflection, which costs encoding/json two allocations a member; everything else goes through encoding/json.
func appendJSON(dst []byte, v any, depth int) ([]byte, error) {
	if depth > jsonwalk.MaxDepth {
		return dst, errors.New("it is nested too deeply, or contains itself")
	}
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case string:
		return appendString(dst, v), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case int:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case int64:
		return strconv.AppendInt(dst, v, 10), nil
	case JSON:
		return appendObject(dst, v, depth)
	case map[string]any:
		return appendObject(dst, v, depth)
	case []any:
		return appendArray(dst, v, depth)
	case []string:
		return appendArray(dst, v, depth)
	case []JSON:
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
	if pointer, found := jsonwalk.Replaced(out.Bytes(), v); found {
		return dst, &FieldError{Pointer: pointer, Err: jsonwalk.ErrNotUTF8}
	}
	return append(dst, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...), nil
}

// entry is a member of an object that is being written.
type entry struct {
	name  string
	value any
}

func appendObject(dst []byte, object map[string]any, depth int) (_ []byte, err error) {
	if object == nil {
		return append(dst, "null"...), nil
	}
	var space [16]entry
	members := space[:0]
	for name, value := range object {
		members = append(members, entry{name, value})
	}
	slices.SortFunc(members, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	dst = append(dst, '{')
	for i := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		m := &members[i]
		dst = append(appendString(dst, m.name), ':')
		if dst, err = appendJSON(dst, m.value, depth+1); err != nil {
			return dst, inside(m.name, err)
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
		if dst, err = appendJSON(dst, any(array[i]), depth+1); err != nil {
			return dst, inside(strconv.Itoa(i), err)
		}
	}
	return append(dst, ']'), nil
}

// inside says of an error in which member or element it is.
func inside(name string, err error) error {
	pointer := place{{name: []byte(name)}}.pointer()
	if inner, ok := err.(*FieldError); ok {
		return &FieldError{Pointer: pointer + inner.Pointer, Err: inner.Err}
	}
	return &FieldError{Pointer: pointer, Err: err}
}

// appendString appends s quoted. Only what JSON, or JavaScript reading it, cannot take is escaped; bytes that are not UTF-8
// stay, so that they are found.
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= 0x20 && c != '"' && c != '\\' {
				i++
				continue
			}
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

// marshalError is an error of encoding/json without what it may repeat of a value: that of a Marshaler, or of a json.Number.
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
