package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// field is one -f or -F: a member of the JSON body.
type field struct {
	path  []string // names from the outside in; an empty name is an element of an array
	text  string
	typed bool // given by -F
	bare  bool // given without "=": an empty array
}

// fieldFlag collects the fields of one flag. The flags -f and -F share the list, so that the order is the user's.
type fieldFlag struct {
	list  *[]field
	typed bool
}

func (f *fieldFlag) String() string { return "" }
func (f *fieldFlag) Type() string   { return "name=value" }

// Set reads name=value, where the name may go deeper: a[b]=, a[]=, a[][b]=.
func (f *fieldFlag) Set(text string) error {
	if !utf8.ValidString(text) {
		return errNotText
	}
	name, value, ok := strings.Cut(text, "=")
	path, err := fieldPath(name)
	if err != nil {
		return err
	}
	if !ok && !strings.HasSuffix(name, "[]") {
		return fmt.Errorf("it is not of the form name=value")
	}
	*f.list = append(*f.list, field{path: path, text: value, typed: f.typed, bare: !ok})
	return nil
}

var errNotText = errors.New("it is not UTF-8, so JSON cannot carry it")

// fieldPath splits a[b][] into "a", "b", "".
func fieldPath(name string) ([]string, error) {
	first, rest := name, ""
	if i := strings.IndexByte(name, '['); i >= 0 {
		first, rest = name[:i], name[i:]
	}
	path := []string{first}
	for rest != "" {
		inner, after, ok := strings.Cut(rest, "]")
		if !ok || strings.LastIndexByte(inner, '[') != 0 {
			return nil, fmt.Errorf("the brackets of %q do not match", name)
		}
		path = append(path, inner[1:])
		rest = after
	}
	if first == "" || strings.Contains(first, "]") {
		return nil, fmt.Errorf("the name %q is not of the form name, name[member] or name[]", name)
	}
	return path, nil
}

// object is a JSON object that keeps the order of its members, so that what is signed and sent reads as it was typed.
type object struct{ members []member }

type member struct {
	name  string
	value any // *object, *array, string or json.RawMessage
}

type array struct{ items []any }

// node is a part of the body that fields can be put into. A put that fails changes nothing.
type node interface {
	put(path []string, value any) error
}

func (o *object) put(path []string, value any) error {
	name, deeper := path[0], path[1:]
	if name == "" {
		return fmt.Errorf("it is an object, not an array")
	}
	for _, m := range o.members {
		if m.name != name {
			continue
		}
		next, ok := m.value.(node)
		switch {
		case ok && len(deeper) > 0:
			return next.put(deeper, value)
		case len(deeper) > 0:
			return fmt.Errorf("%s is a value already", name)
		}
		return fmt.Errorf("%s is given twice (%s[]= makes an array)", name, name)
	}
	value, err := nested(deeper, value)
	if err == nil {
		o.members = append(o.members, member{name, value})
	}
	return err
}

func (a *array) put(path []string, value any) error {
	name, deeper := path[0], path[1:]
	if name != "" {
		return fmt.Errorf("it is an array, not an object")
	}
	if len(deeper) > 0 && len(a.items) > 0 {
		// The last element takes the field if it can: a[][b]= a[][c]= is one element, a[][b]= a[][b]= are two.
		if last, ok := a.items[len(a.items)-1].(node); ok && last.put(deeper, value) == nil {
			return nil
		}
	}
	value, err := nested(deeper, value)
	if err == nil {
		a.items = append(a.items, value)
	}
	return err
}

// nested returns value inside new objects and arrays along path.
func nested(path []string, value any) (any, error) {
	if len(path) == 0 {
		return value, nil
	}
	if path[0] != "" {
		o := new(object)
		return o, o.put(path, value)
	}
	a := new(array)
	return a, a.put(path, value)
}

// fieldBody makes the JSON body of fields. open reads the file of an "@name".
func fieldBody(fields []field, open func(name string) ([]byte, error)) ([]byte, error) {
	body := new(object)
	for _, f := range fields {
		path := f.path
		if f.bare {
			path = path[:len(path)-1] // of the array itself, not of an element
		}
		value, err := f.value(open)
		if err == nil {
			err = body.put(path, value)
		}
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f, err)
		}
	}
	return appendJSON(nil, body), nil
}

// String is the field's name as it was typed.
func (f field) String() string {
	var b strings.Builder
	b.WriteString(f.path[0])
	for _, name := range f.path[1:] {
		b.WriteString("[" + name + "]")
	}
	return b.String()
}

func (f field) value(open func(string) ([]byte, error)) (any, error) {
	text := f.text
	switch {
	case f.bare:
		return new(array), nil
	case !f.typed:
	case text == "true", text == "false", text == "null", isInteger(text):
		return json.RawMessage(text), nil
	case strings.HasPrefix(text, "@"):
		content, err := open(text[1:])
		if err != nil {
			return nil, err
		}
		text = string(content)
	}
	if !utf8.ValidString(text) {
		return nil, errNotText
	}
	return text, nil
}

// isInteger reports whether text is an integer as JSON writes it: 007 is not, and stays the text that it may be.
func isInteger(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	return digits != "" && strings.Trim(digits, "0123456789") == "" && (digits[0] != '0' || text == "0")
}

func appendJSON(dst []byte, value any) []byte {
	switch value := value.(type) {
	case *object:
		dst = append(dst, '{')
		for i, m := range value.members {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(appendText(dst, m.name), ':')
			dst = appendJSON(dst, m.value)
		}
		return append(dst, '}')
	case *array:
		dst = append(dst, '[')
		for i, item := range value.items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendJSON(dst, item)
		}
		return append(dst, ']')
	case json.RawMessage:
		return append(dst, value...)
	}
	return appendText(dst, value.(string))
}

// appendText appends a JSON string without HTML escaping.
func appendText(dst []byte, text string) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // a string cannot fail
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}

// input reads files that arguments name, and stdin under the name "-", which can be read once.
type input struct {
	stdin io.Reader
	spent bool
}

func (in *input) open(name string) ([]byte, error) {
	if name != "-" {
		return os.ReadFile(name)
	}
	if in.spent {
		return nil, fmt.Errorf("standard input can be used once")
	}
	in.spent = true
	return io.ReadAll(in.stdin)
}
