package sample

import (
	"maps"
	"slices"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// Pick returns the fields of known that are documented, each under one name. encrypt encrypts those that are to be
// encrypted; nil leaves them.
func Pick(fields []fact.Field, known map[string]any, encrypt func(string) string) map[string]any {
	picked := make(map[string]any, len(fields))
	for i := range fields {
		field := &fields[i]
		for _, name := range append([]string{field.Name}, field.Alt...) {
			if value, ok := known[name]; ok && value != nil {
				picked[name] = pickValue(field, value, encrypt)
				break
			}
		}
	}
	return picked
}

func pickValue(field *fact.Field, value any, encrypt func(string) string) any {
	switch value := value.(type) {
	case []any:
		picked := make([]any, len(value))
		for i := range value {
			picked[i] = pickValue(field, value[i], encrypt)
		}
		return picked
	case map[string]any:
		return Pick(field.Fields, value, encrypt)
	case string:
		if field.Cipher == fact.RSA && encrypt != nil {
			return encrypt(value)
		}
	}
	return value
}

// Named returns the fields of those names which there are.
func Named(from map[string]any, names ...string) map[string]any {
	picked := maps.Clone(from)
	maps.DeleteFunc(picked, func(name string, _ any) bool { return !slices.Contains(names, name) })
	return picked
}

// Resource returns the documented fields of an event's resource, in the clear.
func Resource(event string, known map[string]any) map[string]any {
	facts, ok := catalog.V3().Event(event)
	if !ok {
		panic("sandbox: the catalogue lacks the event " + event) // found by any test
	}
	return Pick(facts.Resource, known, nil)
}
