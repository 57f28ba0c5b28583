package gocode

import (
	"fmt"
	"go/format"
	"strings"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/example"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/language"
	"github.com/wxpay-go/wxpay/fact"
)

// Typed returns declarations: the types of an operation, as [Types] writes them, and a function that makes the call of its
// example with them. It is empty for an operation that has nothing to make a type of. The comments are in the language.
func Typed(operation *fact.Operation, l language.Language) string {
	t := &typer{language: l, prefix: Prefix(operation.Path), share: true, named: make(map[string]*structure), members: make(map[*fact.Field]member)}
	t.collect(operation)
	if len(t.list) == 0 {
		return ""
	}
	call := example.Of(operation)
	s := typedSampler{sampler: sampler{language: l, declared: make(map[string]bool)}, typer: t}
	for _, m := range call.Path {
		s.sampler.declare(m)
	}
	var calls []string
	if len(call.Query) > 0 {
		s.printf("query := ")
		s.object(t.prefix+"Query", example.Object(call.Query))
		s.printf("\n")
		calls = append(calls, "Queries(query)")
	}
	for _, m := range call.Header {
		calls = append(calls, fmt.Sprintf("Header(%q, %s)", m.Field.Name, literalText(example.Text(m.Value))))
	}
	verb := chainVerb(operation.Method, "", false)
	switch {
	case call.Upload:
		s.file(call)
		verb = "Upload(ctx, file)"
	case call.Body != nil:
		s.printf("body := ")
		s.object(t.prefix+"Request", call.Body)
		s.printf("\n")
		verb = chainVerb(operation.Method, "body", false)
	}
	result, wrap := "*wxpay.Response", ""
	if operation.Response == fact.JSONResponse {
		result, wrap = t.prefix+"Response", "wxpay.Into["+t.prefix+"Response]"
	}
	expression := declarative(operation.Path) + "." + strings.Join(append(calls, verb), ".")
	if wrap != "" {
		expression = wrap + "(" + expression + ")"
	}

	out := source{language: l}
	t.declare(&out)
	out.printf("\nfunc call(ctx context.Context, client *wxpay.Client) (%s, error) {\n%sreturn %s\n}\n", result, s.b.String(), expression)
	if s.pointers {
		out.printf("\nfunc pointer[T any](value T) *T { return &value }\n")
	}
	source, err := format.Source([]byte(out.String()[1:]))
	if err != nil {
		panic("gocode: " + err.Error() + " in\n" + out.String()) // the tests exclude it for every operation
	}
	return string(source)
}

// typedSampler writes values as literals of the collected types.
type typedSampler struct {
	sampler
	typer    *typer
	pointers bool
}

// object writes a literal of a struct.
func (s *typedSampler) object(kind string, object example.Object) {
	s.printf("%s{\n", kind)
	for _, m := range object {
		into := s.typer.members[m.Field]
		s.printf("%s: ", into.name)
		s.literal(into.kind, m.Value)
		s.printf(",\n")
	}
	s.printf("}")
}

// literal writes a value of a type.
func (s *typedSampler) literal(kind string, value any) {
	pointed, isPointer := strings.CutPrefix(kind, "*")
	switch value := value.(type) {
	case example.Object:
		switch {
		case kind == "json.RawMessage" || s.typer.isText(pointed):
			s.printf("%s", s.typer.text(kind, example.Text(value)))
		case isPointer:
			s.printf("&")
			s.object(pointed, value)
		default:
			s.object(kind, value)
		}
	case []any:
		s.printf("%s{", kind)
		for _, item := range value {
			s.literal(strings.TrimPrefix(kind, "[]"), item)
		}
		s.printf("}")
	default:
		literal := fmt.Sprint(value)
		if s.typer.isText(pointed) {
			literal = literalText(example.Text(value))
		}
		if isPointer {
			s.pointers = true
			literal = "pointer(" + pointed + "(" + literal + "))"
		}
		s.printf("%s", literal)
	}
}

// isText reports whether values of a type are written as string literals.
func (t *typer) isText(kind string) bool {
	if s := t.named[kind]; s != nil {
		kind = s.base
	}
	return kind == "string" || kind == "json.Number"
}

// text returns a JSON text as a literal of a type.
func (t *typer) text(kind, text string) string {
	if kind == "json.RawMessage" {
		return kind + "(" + literalText(text) + ")"
	}
	return literalText(text)
}
