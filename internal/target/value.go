package target

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// Param is one field of a query.
type Param struct {
	Name   string
	Values []string
	// Time reports that the value is a time of RFC 3339 that is not yet in the form of the
	// operation.
	Time bool
}

// AppendQuery appends the query of params. They are newest first.
func AppendQuery(dst []byte, params []Param) []byte {
	for i := range slices.Backward(params) {
		for _, value := range params[i].Values {
			if len(dst) > 0 {
				dst = append(dst, '&')
			}
			dst = append(AppendEscaped(dst, params[i].Name), '=')
			dst = AppendEscaped(dst, value)
		}
	}
	return dst
}

// PathText returns the text of a variable: a string or an integer, or a named type of one.
func PathText(name string, value any) (string, error) {
	text, ok := value.(string)
	if !ok {
		v := reflect.ValueOf(value)
		if text, ok = scalarText(v); !ok {
			return "", fmt.Errorf("the value of {%s}: %s is not a string or an integer", name, typeOf(v))
		}
	}
	if !utf8.ValidString(text) {
		return "", fmt.Errorf("the value of {%s}: %w", name, jsonwalk.ErrNotUTF8)
	}
	return text, nil
}

// scalarText returns the text of a string or an integer.
func scalarText(v reflect.Value) (string, bool) {
	switch {
	case !v.IsValid() || v.Type() == reflect.TypeFor[time.Duration](): // its unit is unknown
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

// NewParam returns the field of a query for a caller's value. token makes the text of a value of
// type secret.
func NewParam(name string, value any, secret reflect.Type, token func(text string) []byte) (Param, error) {
	if name == "" {
		return Param{}, errors.New("a query field has an empty name")
	}
	p := Param{Name: name}
	err := p.take(value, secret, token)
	broken := func(text string) bool { return !utf8.ValidString(text) }
	if err == nil && (broken(name) || slices.ContainsFunc(p.Values, broken)) {
		err = jsonwalk.ErrNotUTF8
	}
	if err != nil {
		err = fmt.Errorf("query field %s: %w", redact.Quote(name), err)
	}
	return p, err
}

func (p *Param) take(value any, secret reflect.Type, token func(string) []byte) error {
	if at, ok := value.(time.Time); ok {
		text, err := timeText(at)
		p.Values, p.Time = []string{text}, true
		return err
	}
	v := reflect.ValueOf(value)
	list, ok := v.Kind() == reflect.Slice || v.Kind() == reflect.Array, true
	if list && v.Type().Elem().Kind() == reflect.Uint8 { // text or numbers, it is not clear
		list, ok = false, false
	}
	for i := 0; list && ok && i < v.Len(); i++ {
		ok = p.add(v.Index(i), secret, token)
	}
	if !list {
		ok = ok && p.add(v, secret, token)
	}
	if !ok {
		return fmt.Errorf("%s is not a string, an integer, a bool, a slice of these, or a time.Time", typeOf(v))
	}
	return nil
}

// add appends the text of one value and reports whether it has one.
func (p *Param) add(v reflect.Value, secret reflect.Type, token func(string) []byte) bool {
	text, ok := "", true
	switch {
	case v.IsValid() && v.Type() == secret:
		text = string(token(strings.Clone(v.String()))) // a clone keeps value on the caller's stack
	case v.Kind() == reflect.Bool:
		text = strconv.FormatBool(v.Bool())
	default:
		text, ok = scalarText(v)
	}
	p.Values = append(p.Values, text)
	return ok
}

// timeText returns a time in the form of RFC 3339, in Beijing, to the second.
func timeText(at time.Time) (string, error) {
	at = at.In(fact.Beijing)
	if year := at.Year(); at.IsZero() || year < 1 || year > 9999 {
		return "", errors.New("the time is the zero time, or out of range")
	}
	return at.Format(time.RFC3339), nil
}

// TimeLayout returns the layout of a time in a field of an operation's query, from the field's
// format, else from its sample. It is empty if neither tells. operation may be nil.
func TimeLayout(operation *fact.Operation, name string) string {
	if operation == nil {
		return ""
	}
	for i := range operation.In.Query {
		field := &operation.In.Query[i]
		sample, _ := field.Sample.(string)
		switch {
		case !field.Named(name):
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

func typeOf(v reflect.Value) string {
	if !v.IsValid() {
		return "nil"
	}
	return v.Type().String()
}

// Given is one named value.
type Given struct {
	Name  string
	Value any
}

// NamedValues lists the values of a map, sorted by name, or of a struct, in the order of its
// fields.
func NamedValues(all any) ([]Given, error) {
	v := reflect.ValueOf(all)
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch {
	case v.Kind() == reflect.Map && v.Type().Key().Kind() == reflect.String:
		list := make([]Given, 0, v.Len())
		for key, value := range v.Seq2() {
			list = append(list, Given{key.String(), value.Interface()})
		}
		slices.SortFunc(list, func(a, b Given) int { return strings.Compare(a.Name, b.Name) })
		return list, nil
	case v.Kind() == reflect.Struct && v.Type() != reflect.TypeFor[time.Time]():
		return fieldValues(nil, v)
	}
	if !v.IsValid() {
		return nil, errors.New("the argument is nil, it must be a map or a struct")
	}
	return nil, fmt.Errorf("the argument is a %s, it must be a map with strings as keys or a struct", v.Type())
}

// fieldValues appends the values of a struct, by the names in its url or json tags.
func fieldValues(list []Given, v reflect.Value) (_ []Given, err error) {
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
		case !value.IsValid(): // nil: there is none
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
		case slices.ContainsFunc(list, func(g Given) bool { return g.Name == name }):
			return nil, fmt.Errorf("two fields of %s are called %s", v.Type(), redact.Quote(name))
		case strings.Contains(options, "omit") && isEmpty(value):
			continue
		}
		list = append(list, Given{name, value.Interface()})
	}
	return list, nil
}

// isEmpty reports whether omitempty or omitzero leaves a value out.
func isEmpty(v reflect.Value) bool {
	return v.IsZero() || (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0
}
