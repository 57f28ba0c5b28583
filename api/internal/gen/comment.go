package main

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/fact"
)

// maxDocs is how many documentation links an operation shows; a few have dozens, one a product.
const maxDocs = 3

// comment writes what a method leads to: its path, then each operation with its official name, required members, state
// and documentation.
func (n *node) comment(out *source) {
	out.printf("\n// %s is %s.\n", n.name, n.path)
	for _, operation := range n.operations {
		out.printf("//\n")
		out.wrap("// ", "// ", operation.Method+" "+operation.Path+" "+operation.Name)
		for _, item := range items(operation) {
			out.wrap("//   - ", "//     ", item)
		}
	}
	if n.isOver() {
		var states []string
		for _, operation := range n.operations {
			states = append(states, state(operation))
		}
		out.printf("//\n")
		out.wrap("// Deprecated: ", "// ", strings.Join(slices.Compact(states), "; ")+".")
	}
}

// isOver says that n has operations and that neither they nor any operation beneath them should be used by new code.
func (n *node) isOver() bool {
	if len(n.operations) == 0 {
		return false
	}
	for below := range n.walk() {
		for _, operation := range below.operations {
			if operation.Status != fact.Offline && operation.Status != fact.Superseded {
				return false
			}
		}
	}
	return true
}

func items(operation *fact.Operation) []string {
	var list []string
	for _, place := range []struct {
		name   string
		fields []fact.Field
	}{
		{"query", operation.In.Query}, {"header", operation.In.Header}, {"body", operation.In.JSON}, {"form", operation.In.Form},
	} {
		if names := required("", place.fields); len(names) > 0 {
			list = append(list, place.name+": "+strings.Join(names, ", "))
		}
	}
	if text := state(operation); text != "" {
		list = append(list, text)
	}
	for _, id := range operation.Docs[:min(maxDocs, len(operation.Docs))] {
		list = append(list, fact.DocURL(id))
	}
	return list
}

// required returns the paths of the required members of fields: those of an optional object are not.
func required(prefix string, fields []fact.Field) []string {
	var names []string
	for _, field := range fields {
		if !field.Required || prefix == "" && field.Name == "Wechatpay-Serial" { // the client sends that header by itself
			continue
		}
		below := prefix + field.Name + "."
		if field.Type == fact.Objects {
			below = prefix + field.Name + "[]."
		}
		if members := required(below, field.Fields); len(members) > 0 {
			names = append(names, members...)
		} else {
			names = append(names, prefix+field.Name)
		}
	}
	return names
}

func state(operation *fact.Operation) string {
	var text string
	switch operation.Status {
	case fact.Current:
		return ""
	case fact.Offline:
		text = "offline"
	case fact.Superseded:
		text = "superseded"
	case fact.Beta:
		text = "beta: not open to everyone yet"
	case fact.Restricted:
		text = "restricted: only after individual approval"
	case fact.Linked:
		text = "linked: the address comes ready-made from an earlier answer"
	default:
		text = string(operation.Status)
	}
	if len(operation.ReplacedBy) > 0 {
		text += fmt.Sprintf(", use %s", join(operation.ReplacedBy, "or"))
	}
	return text
}

// wrap writes text as comment lines of at most 120 columns, broken at blanks; a long word is left whole.
func (s *source) wrap(first, more, text string) {
	const columns = 120
	line := strings.TrimSuffix(first, " ")
	indent := first
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
			line = indent + word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > columns:
			s.printf("%s\n", line)
			line = more + word
		default:
			line += " " + word
		}
	}
	s.printf("%s\n", line)
}
