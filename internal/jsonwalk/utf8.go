package jsonwalk

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Valid reports whether text is one JSON text in UTF-8.
func Valid(text []byte) bool {
	c := Cursor{Text: text}
	c.Skip()
	c.End()
	return c.Err == nil && utf8.Valid(text)
}

// Broken returns the JSON pointer of the first string in a JSON text, be it a value or a name, that
// is not UTF-8, for an error that names the place; empty if there is none, or the text is not JSON
// before it.
func Broken(text []byte) string {
	c := Cursor{Text: text}
	return c.broken("")
}

func (c *Cursor) broken(at string) (pointer string) {
	switch c.Peek() {
	case '{':
		for more := c.Enter('}'); more; more = c.More('}') {
			name := c.Name()
			inside := Below(at, string(name.Raw))
			if c.Err == nil && !utf8.Valid(name.Raw) {
				return inside
			}
			if pointer = c.broken(inside); pointer != "" {
				return pointer
			}
		}
	case '[':
		index := 0
		for more := c.Enter(']'); more; more = c.More(']') {
			if pointer = c.broken(Below(at, strconv.Itoa(index))); pointer != "" {
				return pointer
			}
			index++
		}
	case '"':
		if text := c.Quoted(); !utf8.Valid(text.Raw) {
			return at
		}
	default:
		c.Scalar()
	}
	return ""
}

// replaced is the text that encoding/json writes for a byte that is not UTF-8. It writes the
// character U+FFFD itself unescaped.
var replaced = []byte(`\ufffd`)

// Replaced returns the JSON pointer of a value or a key in v that is not UTF-8, so that
// encoding/json replaced bytes of it when it wrote text from v. It looks into v only if text has
// such an escape, which a json.RawMessage may have for reasons of its own.
func Replaced(text []byte, v any) (pointer string, found bool) {
	if !bytes.Contains(text, replaced) {
		return "", false
	}
	return make(searcher).search(reflect.ValueOf(v), "", false)
}

// searcher has the pointers that a search has followed.
type searcher map[uintptr]struct{}

// search looks through a value as encoding/json does. Of a value that writes itself it looks at
// every field.
func (s searcher) search(v reflect.Value, at string, all bool) (string, bool) {
	if !v.IsValid() || v.Type() == rawMessage {
		return "", false
	}
	if v.Type().Implements(jsonMarshaler) || v.CanAddr() && v.Addr().Type().Implements(jsonMarshaler) {
		all = true
	} else if v.CanInterface() {
		if marshaler, ok := v.Interface().(encoding.TextMarshaler); ok && !nilPointer(v) {
			text, err := marshaler.MarshalText()
			return at, err == nil && !utf8.Valid(text)
		}
	}
	switch v.Kind() {
	case reflect.String:
		return at, !utf8.ValidString(v.String())
	case reflect.Pointer:
		if _, been := s[v.Pointer()]; been {
			return "", false
		}
		s[v.Pointer()] = struct{}{}
		return s.search(v.Elem(), at, all)
	case reflect.Interface:
		return s.search(v.Elem(), at, all)
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 { // in base64
			return "", false
		}
		for i := range v.Len() {
			if pointer, found := s.search(v.Index(i), Below(at, strconv.Itoa(i)), all); found {
				return pointer, true
			}
		}
	case reflect.Map:
		for key, value := range v.Seq2() {
			inside := Below(at, fmt.Sprint(key))
			if key.Kind() == reflect.String && !utf8.ValidString(key.String()) {
				return inside, true
			}
			if pointer, found := s.search(value, inside, all); found {
				return pointer, true
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if !all && (name == "-" || !field.IsExported() && !field.Anonymous) {
				continue
			}
			inside := at
			if name != "" {
				inside = Below(at, name)
			} else if !field.Anonymous {
				inside = Below(at, field.Name)
			}
			if pointer, found := s.search(v.Field(i), inside, all); found {
				return pointer, true
			}
		}
	}
	return "", false
}

func nilPointer(v reflect.Value) bool { return v.Kind() == reflect.Pointer && v.IsNil() }

var (
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	rawMessage    = reflect.TypeFor[json.RawMessage]()
)
