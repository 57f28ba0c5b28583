package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// comment describes the target of a method: each operation with its official name, required fields,
// the query that tells its outcome, state and documentation, or only the path.
func (n *node) comment(out *source) {
	out.printf("\n")
	if len(n.operations) != 1 {
		out.printf("// %s is %s.\n", n.name, n.path)
	}
	for _, operation := range n.operations {
		title := operation.Method + " " + operation.Path + " " + operation.Name
		if len(n.operations) == 1 {
			title = n.name + " is " + title
		} else {
			out.printf("//\n")
		}
		list := n.items(operation, !n.isOver() || len(n.operations) > 1)
		if len(list) > 0 {
			title += ":"
		} else {
			title += "."
		}
		out.wrap("// ", "// ", title)
		for _, item := range list {
			out.wrap("//   - ", "//     ", item)
		}
	}
	if n.isOver() {
		out.printf("//\n")
		out.wrap("// Deprecated: ", "// ", n.end()+".")
	}
}

// end returns the reason why n is over. For several operations, the line of each names its
// replacement.
func (n *node) end() string {
	if len(n.operations) == 1 {
		return state(n.operations[0])
	}
	var states []string
	for _, operation := range n.operations {
		if text := string(operation.Status); !slices.Contains(states, text) {
			states = append(states, text)
		}
	}
	return join(states, "or")
}

// isOver reports that n has operations, and that new code should use neither them nor any operation
// below them.
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

// items lists the facts of an operation of n's method, with its state if withState is set.
func (n *node) items(operation *fact.Operation, withState bool) []string {
	var list []string
	for i := range operation.In.Path {
		if field := &operation.In.Path[i]; n.isVariable() && field.Name == n.variable() && field.Label != "" {
			list = append(list, described("{"+field.Name+"}", field))
		}
	}
	for _, place := range []struct {
		name   string
		fields []fact.Field
	}{
		{"query", operation.In.Query}, {"header", operation.In.Header}, {"body", operation.In.JSON}, {"form", operation.In.Form},
	} {
		var sure, unsure []string
		required("", place.fields, true, func(name string, field *fact.Field, confirmed bool) {
			if confirmed {
				sure = append(sure, described(name, field))
			} else {
				unsure = append(unsure, described(name, field))
			}
		})
		if len(sure) > 0 {
			list = append(list, "required in "+place.name+": "+strings.Join(sure, ", "))
		}
		if len(unsure) > 0 {
			list = append(list, "documented as required in "+place.name+": "+strings.Join(unsure, ", "))
		}
	}
	if operation.Link != nil {
		list = append(list, "outcome: GET "+operation.Link.Query)
	}
	if text := state(operation); withState && text != "" {
		list = append(list, text)
	}
	if len(operation.Docs) > 0 { // a few have dozens, one a product
		list = append(list, fact.DocURL(operation.Docs[0]))
	}
	return list
}

// described returns a field's name with its label and its unit.
func described(name string, field *fact.Field) string {
	if field.Label != "" {
		name += " " + field.Label
	}
	if field.Unit != "" {
		name += " (" + string(field.Unit) + ")"
	}
	return name
}

// required yields the paths of the required fields, and whether the requirement is confirmed for
// each object on the path. The fields of an optional object are not required.
func required(prefix string, fields []fact.Field, confirmed bool, yield func(name string, field *fact.Field, confirmed bool)) {
	for i := range fields {
		field := &fields[i]
		if !field.Required || prefix == "" && field.Name == "Wechatpay-Serial" { // the client itself sends that header
			continue
		}
		below := prefix + field.Name + "."
		if field.Type == fact.Objects {
			below = prefix + field.Name + "[]."
		}
		sure := confirmed && field.Confirmed
		if slices.ContainsFunc(field.Fields, func(f fact.Field) bool { return f.Required }) {
			required(below, field.Fields, sure, yield)
		} else {
			yield(prefix+field.Name, field, sure)
		}
	}
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
		text = "linked: an earlier response has the address"
	default:
		text = string(operation.Status)
	}
	if len(operation.ReplacedBy) > 0 {
		text += fmt.Sprintf(", use %s", join(operation.ReplacedBy, "or"))
	}
	return text
}
