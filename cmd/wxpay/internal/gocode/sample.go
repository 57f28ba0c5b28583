package gocode

import (
	"fmt"
	"go/format"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/wxpay-go/wxpay/fact"
)

// hole stands for the caller's own value.
const hole = "…"

// Sample returns statements that call an operation in the three styles, each synchronous and asynchronous. The body has
// the required fields, or all plain ones if none is required; the query has the required fields. The statements belong in
// a function with ctx and client.
func (w *Writer) Sample(operation *fact.Operation) string {
	s := sampler{declared: make(map[string]bool)}
	for _, field := range operation.In.Path {
		s.declare(field.Name, strconv.Quote(text(&field)))
	}
	var settings []string
	for _, field := range operation.In.Query {
		if !field.Required {
			continue
		}
		s.declare(field.Name, s.value(&field))
		settings = append(settings, fmt.Sprintf("Query(%q, %s)", field.Name, variable(field.Name)))
	}
	for _, field := range operation.In.Header {
		// The client sets the serial, and requests no compression, since signatures cover plain bytes.
		if field.Required && field.Name != "Wechatpay-Serial" && field.Name != "Accept-Encoding" {
			settings = append(settings, fmt.Sprintf("Header(%q, %q)", field.Name, text(&field)))
		}
	}
	body := ""
	if len(operation.In.JSON) > 0 {
		body = "body"
		s.printf("body := ")
		s.object(skeleton(operation.In.JSON, operation.Joined))
		s.printf("\n")
	}
	if len(operation.In.Form) > 0 {
		body = "file"
		s.file(operation.In.Form)
	}
	if s.b.Len() > 0 {
		s.printf("\n")
	}

	s.printf("// declarative, attribute and pure chain\n")
	assign := "res, err :="
	for _, async := range []bool{false, true} {
		if async {
			s.printf("\n// the same in the background: the verbs return a Future at once\n")
		}
		for _, style := range w.styles(operation) {
			last := []string{style.verb(operation.Method, body, async)}
			if body == "file" {
				last[0] = "Upload" + suffix(async) + "(ctx, file)"
			}
			if async {
				last = append(last, "Wait(ctx)")
			}
			s.call(assign, style.head, slices.Concat(style.settings, settings, last))
			assign = "res, err ="
		}
	}
	source, err := format.Source([]byte(s.b.String()))
	if err != nil {
		panic("gocode: " + err.Error() + " in\n" + s.b.String()) // the tests exclude it for every operation
	}
	return string(source)
}

// style is one way to write the path of a call.
type style struct {
	head     string
	settings []string
	verb     func(method, body string, async bool) string
}

func (w *Writer) styles(operation *fact.Operation) []style {
	named, values := attribute(operation.Path)
	list := []style{{declarative(operation.Path), nil, chainVerb}, {named, values, chainVerb}}
	if pure, ok := w.pure(operation.Path); ok {
		list = append(list, style{pure, nil, pureVerb})
	}
	return list
}

// chainVerb is the verb of a plain chain, whose Delete has no body.
func chainVerb(method, body string, async bool) string {
	if method == "DELETE" && body != "" {
		return "Do" + suffix(async) + `(ctx, "DELETE", ` + body + ")"
	}
	return pureVerb(method, body, async)
}

func pureVerb(method, body string, async bool) string {
	name := method[:1] + strings.ToLower(method[1:]) + suffix(async)
	switch {
	case body != "":
		return name + "(ctx, " + body + ")"
	case method == "GET" || method == "DELETE":
		return name + "(ctx)"
	}
	return name + "(ctx, nil)"
}

func suffix(async bool) string {
	if async {
		return "Async"
	}
	return ""
}

// skeleton returns the fields that a sample shows: the required ones, or all plain ones if none is required. If one
// description serves direct and partner callers, it adds the identity of a direct caller, which is not marked as required.
func skeleton(fields []fact.Field, joined bool) []fact.Field {
	var shown []fact.Field
	for _, field := range fields {
		if field.Required || joined && (field.Name == "mchid" || field.Name == "appid") {
			shown = append(shown, field)
		}
	}
	if len(shown) > 0 {
		return shown
	}
	for _, field := range fields {
		if len(field.Fields) == 0 {
			shown = append(shown, field)
		}
	}
	if len(shown) > 0 {
		return shown
	}
	return fields
}

type sampler struct {
	b        strings.Builder
	declared map[string]bool
}

func (s *sampler) printf(layout string, a ...any) { fmt.Fprintf(&s.b, layout, a...) }

func (s *sampler) declare(name, value string) {
	if name = variable(name); !s.declared[name] {
		s.declared[name] = true
		s.printf("%s := %s\n", name, value)
	}
}

// file writes the file of an upload, with the required fields of the signed meta except name and digest, which the client
// fills in.
func (s *sampler) file(form []fact.Field) {
	line := "file := wxpay.FileAt(\"" + hole + ".png\")"
	for _, part := range form {
		for i := range part.Fields {
			switch field := &part.Fields[i]; field.Name {
			case "filename", "file_name", "sha256", "digest", "file_digest":
			case "digest_algorithm", "digest_alogrithm":
				s.printf("// its digest is SM3: give an implementation with Hash\n")
				line += fmt.Sprintf(".Meta(%q, %s)", field.Name, s.value(field))
			default:
				if field.Required {
					line += fmt.Sprintf(".Meta(%q, %s)", field.Name, s.value(field))
				}
			}
		}
	}
	s.printf("%s\n", line)
}

// maxColumns is the length of a call after which it is broken into lines.
const maxColumns = 110

func (s *sampler) call(assign, head string, calls []string) {
	line := assign + " " + head + "." + strings.Join(calls, ".")
	if len(line) > maxColumns {
		line = assign + " " + head + ".\n" + strings.Join(calls[:len(calls)-1], ".")
		if len(calls) > 1 {
			line += ".\n"
		}
		line += calls[len(calls)-1]
	}
	s.printf("%s\n", line)
}

// object writes a literal of the given fields.
func (s *sampler) object(fields []fact.Field) {
	s.printf("wxpay.JSON{\n")
	for i := range fields {
		field := &fields[i]
		if field.Cipher == fact.RSA {
			s.printf("// encrypted on the way\n")
		}
		s.printf("%q: ", field.Name)
		s.field(field)
		s.printf(",\n")
	}
	s.printf("}")
}

func (s *sampler) field(field *fact.Field) {
	switch {
	case field.Type == fact.Object:
		s.object(skeleton(field.Fields, false))
	case field.Type == fact.Objects:
		s.printf("[]wxpay.JSON{")
		s.object(skeleton(field.Fields, false))
		s.printf("}")
	default:
		s.printf("%s", s.value(field))
	}
}

// value returns the literal of a field that is not an object.
func (s *sampler) value(field *fact.Field) string {
	switch field.Type {
	case fact.Integer, fact.Number:
		return number(field)
	case fact.Boolean:
		return "true"
	case fact.Strings:
		return fmt.Sprintf("[]string{%q}", text(field))
	case fact.Integers, fact.Numbers:
		return "[]int{" + number(field) + "}"
	case fact.Booleans:
		return "[]bool{true}"
	}
	if field.JSONText {
		return "`" + jsonText(field.Fields) + "`"
	}
	return strconv.Quote(text(field))
}

func number(field *fact.Field) string {
	switch {
	case field.Sample != nil:
		return fmt.Sprint(field.Sample)
	case len(field.Enum) > 0:
		return fmt.Sprint(field.Enum[0])
	}
	return "1"
}

// text returns a value for a field that is sent as text: the documented sample, the first constant, a value of its format,
// or a hole. It has no character that a literal would escape.
func text(field *fact.Field) string {
	if field.Sample != nil {
		if sample := fmt.Sprint(field.Sample); !strings.ContainsFunc(sample, escaped) {
			return sample
		}
	}
	if len(field.Enum) > 0 {
		return fmt.Sprint(field.Enum[0])
	}
	switch {
	case field.Type == fact.Integer || field.Type == fact.Number:
		return "1"
	case field.Type == fact.Boolean:
		return "true"
	case field.Format == "rfc3339":
		return "2026-01-02T15:04:05+08:00"
	case field.Format == "date":
		return "2026-01-02"
	case field.Format == "url":
		return "https://www.example.com/" + hole
	}
	return hole
}

func escaped(r rune) bool { return strings.ContainsRune("\"\\`<>&", r) || unicode.IsControl(r) }

// jsonText returns a JSON text with the fields of a skeleton. None of its values has a character that JSON or a raw string
// would escape.
func jsonText(fields []fact.Field) string {
	var members []string
	for _, field := range skeleton(fields, false) {
		value := `"` + text(&field) + `"`
		switch field.Type {
		case fact.Integer, fact.Number:
			value = number(&field)
		case fact.Boolean:
			value = "true"
		case fact.Object:
			value = jsonText(field.Fields)
		case fact.Objects:
			value = "[" + jsonText(field.Fields) + "]"
		case fact.Strings:
			value = `["` + text(&field) + `"]`
		case fact.Integers, fact.Numbers:
			value = "[" + number(&field) + "]"
		case fact.Booleans:
			value = "[true]"
		}
		members = append(members, `"`+field.Name+`":`+value)
	}
	return "{" + strings.Join(members, ",") + "}"
}
