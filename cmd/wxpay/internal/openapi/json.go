package openapi

import (
	"bytes"
	"encoding/json"
	"strings"
)

// object is a JSON object whose members keep their order: documents are read by people too, and compared as text.
type object []member

type member struct {
	name  string
	value any // object, []any, or what encoding/json writes
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

// addSome appends a member unless its value is the zero value, which says nothing.
func addSome[T comparable](o *object, name string, value T) {
	var zero T
	if value != zero {
		o.add(name, value)
	}
}

// write appends a value, indented by two blanks a level.
func write(out *bytes.Buffer, value any, depth int) error {
	switch value := value.(type) {
	case object:
		if len(value) == 0 {
			out.WriteString("{}")
			return nil
		}
		out.WriteByte('{')
		for i, m := range value {
			line(out, i, depth+1)
			if err := writeValue(out, m.name); err != nil {
				return err
			}
			out.WriteString(": ")
			if err := write(out, m.value, depth+1); err != nil {
				return err
			}
		}
		line(out, 0, depth)
		out.WriteByte('}')
		return nil
	case []any:
		if len(value) == 0 {
			out.WriteString("[]")
			return nil
		}
		out.WriteByte('[')
		for i, item := range value {
			line(out, i, depth+1)
			if err := write(out, item, depth+1); err != nil {
				return err
			}
		}
		line(out, 0, depth)
		out.WriteByte(']')
		return nil
	}
	return writeValue(out, value)
}

func line(out *bytes.Buffer, i, depth int) {
	if i > 0 {
		out.WriteByte(',')
	}
	out.WriteString("\n" + strings.Repeat("  ", depth))
}

// writeValue appends a string, number or boolean, without HTML escaping.
func writeValue(out *bytes.Buffer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return err
	}
	out.Truncate(out.Len() - 1) // the line feed
	return nil
}
