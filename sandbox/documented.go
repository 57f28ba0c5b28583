package sandbox

import (
	"fmt"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// documented returns the facts of an operation from the catalogue.
func documented(method, path string) *fact.Operation {
	o, ok := catalog.V3().Lookup(method, path)
	if !ok {
		panic(fmt.Sprintf("sandbox: the catalogue lacks %s %s", method, path)) // found by any test
	}
	return o
}

// tell makes an answer of what is known: the documented members of the operation, the encrypted ones encrypted for the caller.
func (c *call) tell(known map[string]any) map[string]any {
	return pick(c.operation.Out, known, c.sealToCaller)
}

// pick returns the members of known that the fields document. seal encrypts those that are to be encrypted; nil leaves them.
func pick(fields []fact.Field, known map[string]any, seal func(string) string) map[string]any {
	picked := make(map[string]any, len(fields))
	for i := range fields {
		field := &fields[i]
		for _, name := range append([]string{field.Name}, field.Alt...) {
			if value, ok := known[name]; ok && value != nil {
				picked[name] = pickValue(field, value, seal)
			}
		}
	}
	return picked
}

func pickValue(field *fact.Field, value any, seal func(string) string) any {
	switch value := value.(type) {
	case []any:
		picked := make([]any, len(value))
		for i := range value {
			picked[i] = pickValue(field, value[i], seal)
		}
		return picked
	case map[string]any:
		return pick(field.Fields, value, seal)
	case string:
		if field.Cipher == fact.RSA && seal != nil {
			return seal(value)
		}
	}
	return value
}

// resourceOf makes the resource of an event of what is known, in the clear.
func resourceOf(event string, known map[string]any) map[string]any {
	facts, ok := catalog.V3().Event(event)
	if !ok {
		panic("sandbox: the catalogue lacks the event " + event) // found by any test
	}
	return pick(facts.Resource, known, nil)
}
