// Package ordered writes JSON for people to read and compare: objects keep the order of their members, and no character
// is escaped for HTML.
//
// It reads nothing. A program that needs no order of its own uses encoding/json. The functions may be used by several
// goroutines at once.
package ordered

import (
	"bytes"
	"encoding/json"
	"iter"
)

// Object is a JSON object whose members keep their order. It may be a value anywhere inside an Object or a []any. The
// values are Objects, []any, and values that encoding/json writes.
type Object interface{ All() iter.Seq2[string, any] }

// Marshal returns the value on one line, without a line feed at its end. It fails where encoding/json would.
func Marshal(value any) ([]byte, error) {
	var w writer
	w.leaves = json.NewEncoder(&w.out)
	w.leaves.SetEscapeHTML(false)
	if err := w.write(value); err != nil {
		return nil, err
	}
	return w.out.Bytes(), nil
}

// MarshalIndent returns the value as a document: two blanks for each level, and a line feed at its end.
func MarshalIndent(value any) ([]byte, error) {
	line, err := Marshal(value)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, line, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

type writer struct {
	out    bytes.Buffer
	leaves *json.Encoder // into out
}

func (w *writer) write(value any) error {
	switch value := value.(type) {
	case Object:
		w.out.WriteByte('{')
		comma := ""
		for name, member := range value.All() {
			w.out.WriteString(comma)
			if err := w.leaf(name); err != nil {
				return err
			}
			w.out.WriteByte(':')
			if err := w.write(member); err != nil {
				return err
			}
			comma = ","
		}
		w.out.WriteByte('}')
		return nil
	case []any:
		w.out.WriteByte('[')
		for i, item := range value {
			if i > 0 {
				w.out.WriteByte(',')
			}
			if err := w.write(item); err != nil {
				return err
			}
		}
		w.out.WriteByte(']')
		return nil
	}
	return w.leaf(value)
}

// leaf writes what is neither an Object nor a []any.
func (w *writer) leaf(value any) error {
	if err := w.leaves.Encode(value); err != nil {
		return err
	}
	w.out.Truncate(w.out.Len() - 1) // the line feed
	return nil
}
