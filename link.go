package wxpay

import (
	"encoding/json"
	"net/url"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
)

// What a call carried and what an answer says, read member by member for comparing the two. This is the slow way, taken
// only when a call went wrong.

// document is a JSON text read into maps, slices and scalars; numbers are json.Number.
type document struct{ root any }

func readDocument(text []byte) (d document) {
	if root, err := jsonwalk.Unmarshal(text); err == nil {
		d.root = root
	}
	return d
}

// member returns the value at a dotted path, nil when there is none.
func (d document) member(path string) any {
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

// text returns a scalar as the text in which a query carries it, empty when there is none.
func text(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// carried returns what the call carried at a source of a fact: a body member by its dotted path, or a placeholder.
func (f *flight) carried(body document, source string) any {
	name, ok := fact.Placeholder(source)
	if !ok {
		return body.member(source)
	}
	if value, ok := f.filled(name); ok {
		return value
	}
	return nil
}

// filled returns what the placeholder of a name was filled with.
func (f *flight) filled(name string) (string, bool) {
	for template, path := f.Operation.Path, f.url.EscapedPath(); template != "" && path != ""; {
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

// own returns the merchant's own number that the call carried, empty if there is none.
func (f *flight) own(source string) string {
	if source == "" {
		return ""
	}
	return text(f.carried(readDocument(f.body), source))
}

// agree reports whether two values say the same, as far as both say something: scalars by value, objects member by member
// where both have it, and of arrays every element of the first in some element of the second.
func agree(sent, found any) bool {
	switch s := sent.(type) {
	case nil:
		return true
	case map[string]any:
		f, ok := found.(map[string]any)
		if !ok {
			return found == nil
		}
		for name, value := range s {
			if !agree(value, f[name]) {
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
				matched = matched || agree(value, other)
			}
			if !matched {
				return false
			}
		}
		return true
	case json.Number:
		f, ok := found.(json.Number)
		if !ok {
			return found == nil || text(found) == s.String()
		}
		if s == f || !strings.ContainsAny(string(s+f), ".eE") { // whole numbers have one form, and may be longer than a float64 can tell
			return s == f
		}
		a, errA := s.Float64()
		b, errB := f.Float64()
		return errA == nil && errB == nil && a == b
	case string:
		return found == nil || found == "" || s == text(found)
	}
	return found == nil || sent == found
}
