package gocode

import (
	"fmt"
	"go/format"
	"slices"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/example"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/language"
	"github.com/wxpay-go/wxpay/fact"
)

// Sample returns statements that call an operation in the three styles, each synchronous and asynchronous, with the values
// of its example. The comments are in the language. The statements belong in a function with ctx and client.
func (w *Writer) Sample(operation *fact.Operation, language language.Language) string {
	return w.Call(example.Of(operation), language)
}

// Call is Sample for a call with other values.
func (w *Writer) Call(call example.Call, language language.Language) string {
	operation := call.Operation
	s := sampler{language: language, declared: make(map[string]bool)}
	for _, m := range call.Path {
		s.declare(m)
	}
	var settings []string
	for _, m := range call.Query {
		s.declare(m)
		settings = append(settings, fmt.Sprintf("Query(%q, %s)", m.Field.Name, variable(m.Field.Name)))
	}
	for _, m := range call.Header {
		settings = append(settings, fmt.Sprintf("Header(%q, %s)", m.Field.Name, literalText(example.Text(m.Value))))
	}
	body := ""
	if call.Body != nil {
		body = "body"
		s.printf("body := wxpay.JSON")
		s.members(call.Body)
		s.printf("\n")
	}
	if call.Upload {
		body = "file"
		s.file(call)
	}
	if s.b.Len() > 0 {
		s.printf("\n")
	}

	s.comment("declarative, attribute and pure chain", "声明式、属性式、纯链式")
	assign := "res, err :="
	for _, async := range []bool{false, true} {
		if async {
			s.printf("\n")
			s.comment("the same in the background: the verbs return a Future at once", "异步：立即返回 Future，由 Wait 取结果")
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

type sampler struct {
	b        strings.Builder
	language language.Language
	declared map[string]bool
}

func (s *sampler) printf(layout string, a ...any) { fmt.Fprintf(&s.b, layout, a...) }

// comment writes a line of a comment.
func (s *sampler) comment(english, chinese string) {
	s.printf("// %s\n", s.language.Say(english, chinese))
}

// declare writes the variable of a placeholder or of a field of the query.
func (s *sampler) declare(m example.Member) {
	if name := variable(m.Field.Name); !s.declared[name] {
		s.declared[name] = true
		s.printf("%s := ", name)
		s.value(m.Field, m.Value)
		s.printf("\n")
	}
}

// file writes the file of an upload, with the fields of the signed meta except name and digest, which the client fills in.
func (s *sampler) file(call example.Call) {
	if call.Operation.UploadForm().Algorithm != "" {
		s.comment("its digest is SM3: give an implementation with Hash", "摘要算法为 SM3：用 Hash 传入其实现")
	}
	s.printf("file := wxpay.FileAt(\"picture.png\")")
	for _, m := range call.Meta {
		s.printf(".Meta(%q, ", m.Field.Name)
		s.value(m.Field, m.Value)
		s.printf(")")
	}
	s.printf("\n")
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

// members writes the members of an object, in braces.
func (s *sampler) members(object example.Object) {
	s.printf("{\n")
	for _, m := range object {
		if m.Field.Cipher == fact.RSA {
			s.comment("encrypted on the way", "发送时自动加密")
		}
		s.printf("%q: ", m.Field.Name)
		s.value(m.Field, m.Value)
		s.printf(",\n")
	}
	s.printf("}")
}

// elements are the Go types of the elements of arrays.
var elements = map[fact.Type]string{
	fact.Object: "wxpay.JSON", fact.Integer: "int64", fact.Number: "float64", fact.Boolean: "bool", fact.String: "string",
}

// value writes a literal of a value.
func (s *sampler) value(field *fact.Field, value any) {
	switch value := value.(type) {
	case example.Object:
		s.printf("wxpay.JSON")
		s.members(value)
	case []any:
		s.printf("[]%s{", elements[field.Type.Element()])
		for _, item := range value {
			if object, ok := item.(example.Object); ok {
				s.members(object) // its type stands before the list
				continue
			}
			s.value(field, item)
		}
		s.printf("}")
	case string:
		s.printf("%s", literalText(value))
	default:
		s.printf("%v", value)
	}
}

// literalText returns a string literal: a raw one for a text with quotes.
func literalText(text string) string {
	if strings.Contains(text, `"`) && strconv.CanBackquote(text) {
		return "`" + text + "`"
	}
	return strconv.Quote(text)
}
