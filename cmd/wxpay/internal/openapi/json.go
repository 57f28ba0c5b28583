package openapi

import "iter"

// object is a JSON object that keeps the order of its members: people read documents too, and compare them as text.
type object []member

type member struct {
	name  string
	value any // object, []any, or a value that encoding/json writes
}

// All yields the members, for package ordered.
func (o object) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, m := range o {
			if !yield(m.name, m.value) {
				return
			}
		}
	}
}

// add appends a member.
func (o *object) add(name string, value any) { *o = append(*o, member{name, value}) }

// addList appends a member that is a list, unless it is empty.
func addList[T any](o *object, name string, values []T) {
	if len(values) > 0 {
		list := make([]any, len(values))
		for i, value := range values {
			list[i] = value
		}
		o.add(name, list)
	}
}

// addSome appends a member, unless its value is the zero value.
func addSome[T comparable](o *object, name string, value T) {
	var zero T
	if value != zero {
		o.add(name, value)
	}
}
