package request

import (
	"encoding/json"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/ordered"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// Field is one -f or -F: a field of the JSON body.
type Field struct {
	path  []string // names from the outside in; an empty name is an element of an array
	text  string
	typed bool // given by -F
	bare  bool // given without "=": an empty array
}

// Text returns a field at the top of the body, with a string.
func Text(name, value string) Field { return Field{path: []string{name}, text: value} }

// FieldFlag collects the fields of one flag. The flags -f and -F share the list, so that the order is the user's.
type FieldFlag struct {
	List  *[]Field
	Typed bool
}

func (f *FieldFlag) String() string { return "" }

// Type returns the form of a value, for the help.
func (f *FieldFlag) Type() string { return "name=value" }

// Set reads name=value, where the name may go deeper: a[b]=, a[]=, a[][b]=.
func (f *FieldFlag) Set(text string) error {
	if !utf8.ValidString(text) {
		return errNotText
	}
	name, value, ok := strings.Cut(text, "=")
	path, err := fieldPath(name)
	if err != nil {
		return err
	}
	if !ok && !strings.HasSuffix(name, "[]") {
		return shell.Say("it is not of the form name=value")
	}
	*f.List = append(*f.List, Field{path: path, text: value, typed: f.Typed, bare: !ok})
	return nil
}

var errNotText = shell.Say("it is not UTF-8, so JSON cannot carry it")

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
			return nil, shell.Say("the brackets of %q do not match", name)
		}
		path = append(path, inner[1:])
		rest = after
	}
	if first == "" || strings.Contains(first, "]") {
		return nil, shell.Say("the name %q is not of the form name, name[field] or name[]", name)
	}
	return path, nil
}

// object and array are the body in the making. An object keeps the order of its fields, so that the signed bytes read as
// they were typed.
type object struct{ members []member }

type member struct {
	name  string
	value any // *object, *array, string or json.RawMessage
}

// All yields the fields, for package ordered.
func (o *object) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, m := range o.members {
			if !yield(m.name, m.value) {
				return
			}
		}
	}
}

type array struct{ items []any }

// MarshalJSON writes the elements.
func (a *array) MarshalJSON() ([]byte, error) { return ordered.Marshal(a.items) }

// node is a part of the body that takes fields. A put that fails changes nothing.
type node interface {
	put(path []string, value any) error
}

func (o *object) put(path []string, value any) error {
	name, deeper := path[0], path[1:]
	if name == "" {
		return shell.Say("it is an object, not an array")
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
			return shell.Say("%s is a value already", name)
		}
		return shell.Say("%s is given twice (%s[]= makes an array)", name, name)
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
		return shell.Say("it is an array, not an object")
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
	var outer node = new(object)
	if path[0] == "" {
		outer = &array{items: []any{}}
	}
	return outer, outer.put(path, value)
}

// Body returns the JSON object of fields. open reads the file of an "@name".
func Body(fields []Field, open func(name string) ([]byte, error)) ([]byte, error) {
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
			return nil, shell.Say("field %s: %w", f, err)
		}
	}
	return ordered.Marshal(body)
}

// String returns the field's name as it was typed.
func (f Field) String() string {
	var b strings.Builder
	b.WriteString(f.path[0])
	for _, name := range f.path[1:] {
		b.WriteString("[" + name + "]")
	}
	return b.String()
}

func (f Field) value(open func(string) ([]byte, error)) (any, error) {
	text := f.text
	switch {
	case f.bare:
		return &array{items: []any{}}, nil
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

// isInteger reports whether text is an integer as JSON writes it. 007 is not, and stays a text.
func isInteger(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	return digits != "" && strings.Trim(digits, "0123456789") == "" && (digits[0] != '0' || text == "0")
}
