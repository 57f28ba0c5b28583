package openapi

import (
	"fmt"
	"slices"

	"github.com/wxpay-go/wxpay/fact"
)

// schema returns the JSON Schema of a field, of a request or of a response.
func schema(field *fact.Field, request bool) object {
	var s object
	if field.Type == field.Type.Element() {
		s = element(field, request)
	} else {
		s = object{{"type", "array"}, {"items", element(field, request)}}
	}
	addSome(&s, "title", field.Label)
	if field.Required && request && !field.Sure() {
		s.add("x-wxpay-required", "documented")
	}
	return s
}

// isRequired reports whether a schema may require a field: in a request only if that is confirmed.
func isRequired(field *fact.Field, request bool) bool {
	return field.Required && (field.Sure() || !request)
}

// element returns the schema of a field that is not an array, or of the elements of one that is.
func element(field *fact.Field, request bool) object {
	var s object
	switch field.Type.Element() {
	case fact.Object:
		s = members(field.Fields, request)
	case fact.Integer:
		s = object{{"type", "integer"}, {"format", "int64"}}
	case fact.Number:
		s = object{{"type", "number"}}
	case fact.Boolean:
		s = object{{"type", "boolean"}}
	case fact.File:
		s = object{{"type", "string"}, {"contentMediaType", "application/octet-stream"}}
	default:
		s = object{{"type", "string"}}
	}
	switch field.Format {
	case "":
	case "rfc3339":
		s.add("format", "date-time")
	case "date":
		s.add("format", "date")
	case "url":
		s.add("format", "uri")
	default:
		s.add("x-wxpay-format", field.Format)
	}
	if field.JSONText {
		s.add("contentMediaType", "application/json")
		if len(field.Fields) > 0 {
			s.add("contentSchema", members(field.Fields, request))
		}
	}
	// A list that may be out of date is no reason to reject a value.
	constants := "x-extensible-enum"
	if field.Reviewed {
		constants = "enum"
	}
	addList(&s, constants, field.Enum)
	if field.EnumLabels != nil {
		labels := object{}
		for i, label := range field.EnumLabels {
			if label != "" {
				labels.add(fmt.Sprint(field.Enum[i]), label)
			}
		}
		s.add("x-enum-labels", labels)
	}
	if field.Sample != nil {
		s.add("examples", []any{field.Sample})
	}
	addSome(&s, "x-wxpay-unit", string(field.Unit))
	least, most := "x-wxpay-min", "x-wxpay-max"
	if request && field.Type.Element() == fact.String && field.Cipher == fact.Plain { // an encrypted text is longer
		least, most = "minLength", "maxLength"
	}
	addSome(&s, least, field.Min)
	addSome(&s, most, field.Max)
	addSome(&s, "x-wxpay-cipher", string(field.Cipher))
	addList(&s, "x-wxpay-alternatives", field.Alt)
	addSome(&s, "x-wxpay-by-hand", field.ByHand)
	addSome(&s, "x-wxpay-overlay", field.Overlay)
	return s
}

// members returns the schema of an object. A required field with several names needs one of them.
func members(fields []fact.Field, request bool) object {
	s := object{{"type", "object"}}
	if len(fields) == 0 {
		return s
	}
	var properties object
	var required, either []any
	for i := range fields {
		field := &fields[i]
		properties.add(field.Name, schema(field, request))
		switch {
		case isRequired(field, request) && len(field.Alt) > 0:
			var names []any
			for _, name := range append([]string{field.Name}, field.Alt...) {
				names = append(names, object{{"required", []any{name}}})
			}
			either = append(either, object{{"anyOf", names}})
		case isRequired(field, request):
			required = append(required, field.Name)
		}
	}
	s.add("properties", properties)
	addList(&s, "required", required)
	addList(&s, "allOf", either)
	return s
}

// parameters returns the parameters of path, query and header. names are the placeholders of the path item, which differ
// from the operation's own if a look-alike came first.
func parameters(in *fact.Request, names []string) []any {
	var list []any
	for i := range in.Path {
		field := in.Path[i]
		parameter := object{{"name", names[i]}, {"in", "path"}, {"required", true}, {"schema", schema(&field, true)}}
		if field.Name != names[i] {
			parameter.add("x-wxpay-name", field.Name)
		}
		list = append(list, parameter)
	}
	for i := range in.Query {
		list = append(list, parameter(&in.Query[i], "query"))
	}
	for i := range in.Header {
		// OpenAPI describes these elsewhere, and ignores them as parameters.
		if name := in.Header[i].Name; !slices.Contains([]string{"Accept", "Authorization", "Content-Type"}, name) {
			list = append(list, parameter(&in.Header[i], "header"))
		}
	}
	return list
}

func parameter(field *fact.Field, place string) object {
	p := object{{"name", field.Name}, {"in", place}}
	addSome(&p, "required", field.Sure())
	if field.JSONText && len(field.Fields) > 0 {
		p.add("content", object{{"application/json", object{{"schema", members(field.Fields, true)}}}})
		return p
	}
	p.add("schema", schema(field, true))
	return p
}
