package wxpay

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// This file reads what callers give as values of variables and query members.

// pathText returns the text of a variable: a string or an integer. Types of their own, such as a named string, are taken as
// what they are made of.
func pathText(name string, value any) (string, error) {
	if text, ok := value.(string); ok {
		return utf8Text(name, text)
	}
	v := reflect.ValueOf(value)
	if v.IsValid() && v.Type() == secretType {
		return "", fmt.Errorf("the value of {%s} is a Secret, and nothing in a path is encrypted: pass string(secret) if it may travel in clear", name)
	}
	text, ok := scalarText(v)
	if !ok {
		return "", fmt.Errorf("the value of {%s}: %s is not a string or an integer", name, kindOf(v))
	}
	return utf8Text(name, text)
}

func utf8Text(name, text string) (string, error) {
	if !utf8.ValidString(text) {
		return "", fmt.Errorf("the value of {%s}: %w", name, jsonwalk.ErrNotUTF8)
	}
	return text, nil
}

// scalarText returns the text of a string or an integer.
func scalarText(v reflect.Value) (string, bool) {
	switch {
	case !v.IsValid() || v.Type() == reflect.TypeFor[time.Duration](): // of which nobody knows the unit
		return "", false
	case v.Kind() == reflect.String:
		return v.String(), true
	case v.CanInt():
		return strconv.FormatInt(v.Int(), 10), true
	case v.CanUint():
		return strconv.FormatUint(v.Uint(), 10), true
	}
	return "", false
}

// queryTexts returns the text of a query member, or of each element of a slice.
func queryTexts(value any) (texts []string, ok bool) {
	switch value.(type) {
	case []byte, json.RawMessage:
		return nil, false
	}
	v := reflect.ValueOf(value)
	if v.Kind() != reflect.Slice && v.Kind() != reflect.Array {
		text, ok := queryText(v)
		return []string{text}, ok
	}
	for i := range v.Len() {
		text, ok := queryText(v.Index(i))
		if !ok {
			return nil, false
		}
		texts = append(texts, text)
	}
	return texts, true
}

func queryText(v reflect.Value) (string, bool) {
	switch {
	case v.Kind() == reflect.Bool:
		return strconv.FormatBool(v.Bool()), true
	case v.IsValid() && v.Type() == secretType:
		token, err := Secret(v.String()).MarshalText()
		return string(token), err == nil
	}
	return scalarText(v)
}

// timeText returns a time of the form RFC 3339 in Beijing, to the second.
func timeText(at time.Time) (string, error) {
	at = at.In(fact.Beijing)
	if year := at.Year(); at.IsZero() || year < 1 || year > 9999 {
		return "", errors.New("the time is the zero time, or out of range")
	}
	return at.Format(time.RFC3339), nil
}

// documentedTime returns a query member that is a time in the form that the operation documents.
func (f *flight) documentedTime(q *setting) (*setting, error) {
	layout := timeLayout(f.Operation, q.name)
	if facts, ok := f.client.facts().(*catalog.Catalog); ok && layout == "" {
		described, _ := facts.Described().Lookup(f.Method, f.Template)
		layout = timeLayout(described, q.name)
	}
	if layout == "" {
		return nil, fmt.Errorf("query member %s is a time.Time, and the catalogue does not tell in which form the operation takes it: pass its text, such as at.Format(time.DateOnly)", redact.Quote(q.name))
	}
	at, err := time.Parse(time.RFC3339, q.value)
	return &setting{kind: settingQuery, name: q.name, values: []string{at.Format(layout)}}, err
}

// timeLayout returns the form in which an operation, which may be nil, takes a query member: what its format says, else what
// its sample shows. It is empty if neither does.
func timeLayout(operation *fact.Operation, name string) string {
	if operation == nil {
		return ""
	}
	for i := range operation.In.Query {
		field := &operation.In.Query[i]
		sample, _ := field.Sample.(string)
		switch {
		case !named(field, name):
			continue
		case field.Format == "date":
			return time.DateOnly
		case field.Format == "rfc3339":
			return time.RFC3339
		}
		for _, layout := range []string{time.DateOnly, "20060102", time.RFC3339} {
			if _, err := time.Parse(layout, sample); err == nil {
				return layout
			}
		}
	}
	return ""
}

func kindOf(v reflect.Value) string {
	if !v.IsValid() {
		return "nil"
	}
	return v.Type().String()
}

// given is one named value.
type given struct {
	name  string
	value any
}

// namedValues lists what is in a map, sorted by name, or in a struct, in the order of its fields.
func namedValues(all any) ([]given, error) {
	v := reflect.ValueOf(all)
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch {
	case v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String:
		list := make([]given, 0, v.Len())
		for key, value := range v.Seq2() {
			list = append(list, given{key.String(), value.Interface()})
		}
		slices.SortFunc(list, func(a, b given) int { return strings.Compare(a.name, b.name) })
		return list, nil
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
		return fieldValues(nil, v)
	}
	if !v.IsValid() {
		return nil, errors.New("nil was given, a map or a struct is needed")
	}
	return nil, fmt.Errorf("a %s was given, a map with strings as keys or a struct is needed", v.Type())
}

// fieldValues appends what is in a struct, by the names in its url or json tags.
func fieldValues(list []given, v reflect.Value) (_ []given, err error) {
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		tag, tagged := field.Tag.Lookup("url")
		if !tagged {
			tag = field.Tag.Get("json")
		}
		name, options, _ := strings.Cut(tag, ",")
		if tag == "-" || !field.IsExported() && !field.Anonymous {
			continue
		}
		for value.Kind() == reflect.Pointer || value.Kind() == reflect.Interface {
			value = value.Elem()
		}
		switch {
		case !value.IsValid(): // nil says that there is none
			continue
		case field.Anonymous && name == "" && value.Kind() == reflect.Struct:
			if list, err = fieldValues(list, value); err != nil {
				return nil, err
			}
			continue
		case !field.IsExported():
			continue
		case name == "":
			return nil, fmt.Errorf("the field %s of %s has no name: give it a json or url tag", field.Name, v.Type())
		case slices.ContainsFunc(list, func(g given) bool { return g.name == name }):
			return nil, fmt.Errorf("two fields of %s are called %s", v.Type(), redact.Quote(name))
		case strings.Contains(options, "omit") && isEmpty(value):
			continue
		}
		list = append(list, given{name, value.Interface()})
	}
	return list, nil
}

// isEmpty reports whether omitempty or omitzero leaves a value out.
func isEmpty(v reflect.Value) bool {
	return v.IsZero() || (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0
}
