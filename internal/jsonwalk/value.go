package jsonwalk

import (
	"encoding/json"
	"unicode/utf8"
)

// Unmarshal returns the value of a JSON text as encoding/json does with UseNumber: map[string]any,
// []any, string, json.Number, bool or nil. A byte that is not UTF-8, and half a character, become
// U+FFFD.
func Unmarshal(text []byte) (any, error) {
	c := Cursor{Text: text}
	value := c.any()
	c.End()
	return value, c.Err
}

func (c *Cursor) any() any {
	switch c.Peek() {
	case '{':
		object := map[string]any{}
		for more := c.Enter('}'); more; more = c.More('}') {
			name := c.Name().lossy()
			object[name] = c.any()
		}
		return object
	case '[':
		array := []any{}
		for more := c.Enter(']'); more; more = c.More(']') {
			array = append(array, c.any())
		}
		return array
	case '"':
		return c.Quoted().lossy()
	}
	switch word := c.Scalar(); {
	case len(word) == 0, word[0] == 'n':
		return nil
	case word[0] == 't', word[0] == 'f':
		return word[0] == 't'
	default:
		return json.Number(word)
	}
}

// lossy returns the text that s stands for, with U+FFFD for what cannot be told.
func (s Quoted) lossy() string {
	out := make([]byte, 0, len(s.Raw))
	for i := 0; i < len(s.Raw); {
		r, size, _ := char(s.Raw[i:])
		out, i = utf8.AppendRune(out, r), i+size
	}
	return string(out)
}
