package call

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
)

// Document is a JSON text as maps, slices and scalars, for comparing a call with a response. It is
// the slow way, used only after a call has failed.
type Document struct{ root any }

// Read reads a JSON text. A text that is not JSON has no fields.
func Read(text []byte) Document {
	root, err := jsonwalk.Unmarshal(text)
	if err != nil {
		return Document{}
	}
	return Document{root}
}

// Field returns the value at a dotted path, nil if there is none.
func (d Document) Field(path string) any {
	value := d.root
	for name := range strings.SplitSeq(path, ".") {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[name]
	}
	return value
}

// Each returns the elements of the array at a dotted path as documents.
func (d Document) Each(path string) []Document {
	list, _ := d.Field(path).([]any)
	all := make([]Document, len(list))
	for i := range list {
		all[i] = Document{list[i]}
	}
	return all
}

// Agrees reports whether other has the values of d, by [Agree].
func (d Document) Agrees(other Document) bool { return Agree(d.root, other.root) }

// Text returns the scalar at a dotted path in its form for a query, empty if there is none.
func (d Document) Text(path string) string { return textOf(d.Field(path)) }

func textOf(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// Sent has the values of a call: its body and its placeholders.
type Sent struct {
	body Document
	call *Call
}

// Sent reads the values of c.
func (c *Call) Sent() Sent { return Sent{Read(c.Body), c} }

// Value returns the value of the call at a source of a fact: a field of the body by its dotted
// path, or a placeholder.
func (s Sent) Value(source string) any {
	name, ok := fact.Placeholder(source)
	if !ok {
		return s.body.Field(source)
	}
	if value, ok := s.call.filled(name); ok {
		return value
	}
	return nil
}

// Text is Value in its form for a query.
func (s Sent) Text(source string) string { return textOf(s.Value(source)) }

// Body is the body.
func (s Sent) Body() Document { return s.body }

// Own returns the merchant's own number in the call, empty if there is none.
func (c *Call) Own() string {
	if c.Operation == nil || c.Operation.Number.Field == "" {
		return ""
	}
	return c.Sent().Text(c.Operation.Number.Field)
}

// filled returns the value of the placeholder of a name.
func (c *Call) filled(name string) (string, bool) {
	path := c.URL.RawPath // see locate
	if path == "" {
		path = c.URL.Path
	}
	for template := c.Operation.Path; template != "" && path != ""; {
		var segment, value string
		segment, template, _ = strings.Cut(template, "/")
		value, path, _ = strings.Cut(path, "/")
		if placeholder, ok := fact.Placeholder(segment); ok && placeholder == name {
			value, err := url.PathUnescape(value)
			return value, err == nil
		}
	}
	return "", false
}

// Agree reports whether two values are the same, as far as both are there: scalars by value,
// objects by the fields that both have, and arrays if every element of the first agrees with some
// element of the second.
func Agree(sent, found any) bool {
	switch s := sent.(type) {
	case nil:
		return true
	case map[string]any:
		f, ok := found.(map[string]any)
		if !ok {
			return found == nil
		}
		for name, value := range s {
			if !Agree(value, f[name]) {
				return false
			}
		}
		return true
	case []any:
		f, ok := found.([]any)
		if !ok {
			return found == nil
		}
		for _, value := range s {
			matched := false
			for _, other := range f {
				matched = matched || Agree(value, other)
			}
			if !matched {
				return false
			}
		}
		return true
	case json.Number:
		f, ok := found.(json.Number)
		if !ok {
			return found == nil || textOf(found) == s.String()
		}
		if s == f || !strings.ContainsAny(string(s+f), ".eE") { // whole numbers have one form, and may have more digits than a float64
			return s == f
		}
		a, errA := s.Float64()
		b, errB := f.Float64()
		return errA == nil && errB == nil && a == b
	case string:
		return found == nil || found == "" || s == textOf(found)
	}
	return found == nil || sent == found
}
