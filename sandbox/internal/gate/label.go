package gate

import (
	"slices"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// described returns the facts of the operation with labels and samples, if the catalogue has it.
func (o *Operation) described() *fact.Operation {
	if described, known := catalog.V3().Described().Lookup(o.Method, o.Path); known {
		return described
	}
	return o.Operation
}

// label returns the documented name of the field at a place of the request; empty for none.
func (c *Call) label(location, place string) string {
	if c.Operation == nil {
		return ""
	}
	described := c.Operation.described()
	fields := described.In.JSON
	switch location {
	case say.InPath:
		fields = described.In.Path
	case "query":
		fields = described.In.Query
	case "header":
		fields = described.In.Header
	default:
		if len(fields) == 0 && len(described.In.Form) > 0 {
			fields = slices.Concat((&Operation{Operation: described}).metaField().Fields, described.In.Form)
		}
	}
	label := ""
	for name := range strings.SplitSeq(strings.TrimPrefix(place, "/"), "/") {
		if _, err := strconv.Atoi(name); err == nil { // an element of a list has the name of the list
			continue
		}
		found := fieldNamed(fields, name)
		if found == nil {
			return ""
		}
		label, fields = found.Label, found.Fields
	}
	return label
}

func fieldNamed(fields []fact.Field, name string) *fact.Field {
	for i := range fields {
		if fields[i].Named(name) {
			return &fields[i]
		}
	}
	return nil
}
