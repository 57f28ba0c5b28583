package text

import (
	"fmt"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// Parse reads a text. The document shares the memory of src. An error names the line.
func Parse(src string) (*Document, error) { return new(Parser).Parse(src) }

// Parser parses one text after another, and keeps its working memory, and lists of constants, which come again and again.
// Its zero value is ready.
type Parser struct{ p parser }

// Parse is the function Parse.
func (r *Parser) Parse(src string) (*Document, error) {
	p := &r.p
	*p = parser{rest: src, open: p.open[:0], enums: p.enums}
	if p.enums == nil {
		p.enums = map[string]constantList{}
	}
	blocks := strings.Count(src, "\n\n") + 1
	doc := &Document{Operations: make([]*fact.Operation, 0, blocks)}
	operations := make([]fact.Operation, 0, blocks)
	p.advance()
	for !p.end {
		if p.text == "" {
			p.advance()
			continue
		}
		head, rest, _ := strings.Cut(p.text, " ")
		var err error
		switch {
		case p.indent != 0:
			err = p.errorf("a line stands outside a block; blocks begin with METHOD /path, event TYPE or code NAME, not indented")
		case head == "event":
			event := &fact.Event{Type: rest}
			doc.Events = append(doc.Events, event)
			err = block(p, event, EventKeys)
		case head == "code":
			code := &fact.Code{Name: rest}
			doc.Codes = append(doc.Codes, code)
			err = block(p, code, CodeKeys)
		case method(head) != "" && strings.HasPrefix(rest, "/"):
			operations = append(operations, fact.Operation{Method: method(head), Path: rest})
			operation := &operations[len(operations)-1]
			doc.Operations = append(doc.Operations, operation)
			err = block(p, operation, OperationKeys)
		default:
			err = p.errorf("%q begins no block; one begins with METHOD /path, event TYPE or code NAME", p.text)
		}
		if err != nil {
			return nil, err
		}
	}
	return doc, nil
}

type parser struct {
	rest string // what follows the current line

	// The current line: its number from 1, its indentation and its text behind that. end is set behind the last one.
	line   int
	indent int
	text   string
	end    bool

	// open holds the fields of the levels that are still being read; slab is what the finished ones are cut from.
	open []fact.Field
	slab []fact.Field
	// enums holds the lists of constants already seen, by their text: the same few come again and again.
	enums map[string]constantList
}

func (p *parser) errorf(format string, args ...any) error {
	return fmt.Errorf("line %d: "+format, append([]any{p.line}, args...)...)
}

// advance goes on to the next line that is no remark.
func (p *parser) advance() {
	for remark := true; remark; remark = strings.HasPrefix(p.text, "#") {
		p.line++
		if p.rest == "" {
			p.text, p.indent, p.end = "", 0, true
			return
		}
		p.text, p.rest, _ = strings.Cut(p.rest, "\n")
		p.indent = 0
		for p.indent < len(p.text) && p.text[p.indent] == ' ' {
			p.indent++
		}
		p.text = p.text[p.indent:]
	}
}

// block reads the lines of a block, beginning with its first, into t.
func block[T any](p *parser, t *T, keys []Key[T]) error {
	p.advance()
	for p.text != "" {
		if p.indent != 2 {
			return p.errorf("%q is indented by %d; keys stand at 2, fields 2 deeper than what they belong to", p.text, p.indent)
		}
		name, value, _ := strings.Cut(p.text, " ")
		key := find(keys, name)
		if key == nil {
			return p.errorf("unknown key %q", name)
		}
		if err := key.Set(t, value); err != nil {
			return p.errorf("%s %w", name, err)
		}
		if p.advance(); key.SetFields == nil {
			continue
		}
		list, err := p.fields(4)
		if err != nil {
			return err
		}
		if len(list) == 0 && value == "" {
			return p.errorf("%s lists no fields", name)
		}
		key.SetFields(t, list)
	}
	if p.indent != 0 {
		return p.errorf("a line of blanks; blocks are divided by an empty line")
	}
	return nil
}

func find[T any](keys []Key[T], name string) *Key[T] {
	for i := range keys {
		if keys[i].Name == name {
			return &keys[i]
		}
	}
	return nil
}

// fields reads the fields that are indented by indent, with theirs.
func (p *parser) fields(indent int) ([]fact.Field, error) {
	base := len(p.open)
	for p.indent == indent && p.text != "" {
		field, err := p.field()
		if err != nil {
			return nil, err
		}
		p.advance()
		if field.Fields, err = p.fields(indent + 2); err != nil {
			return nil, err
		}
		p.open = append(p.open, field)
	}
	n := len(p.open) - base
	if n == 0 {
		return nil, nil
	}
	if n > len(p.slab) {
		p.slab = make([]fact.Field, max(n, min(1024, n+strings.Count(p.rest, "\n"))))
	}
	list := p.slab[:n:n]
	p.slab = p.slab[n:]
	copy(list, p.open[base:])
	p.open = p.open[:base]
	return list, nil
}

// field reads the current line:
//
//	NAME TYPE[!|!!] [MARK]... [= CONSTANT [(LABEL)] | CONSTANT [(LABEL)] ...] [# LABEL [: SAMPLE]]
func (p *parser) field() (fact.Field, error) {
	facts, texts, hasTexts := strings.Cut(p.text, " #")
	head, constants, hasEnum := strings.Cut(facts, " = ")
	name, head, _ := strings.Cut(head, " ")
	kind, marks, more := strings.Cut(head, " ")
	kind, required := strings.CutSuffix(kind, "!")
	kind, confirmed := strings.CutSuffix(kind, "!")
	field := fact.Field{Name: name, Type: fieldType(kind), Required: required, Confirmed: confirmed}
	if field.Type == "" {
		return field, p.errorf("field %q has the type %q, which is not known", name, kind)
	}
	for more {
		var mark string
		mark, marks, more = strings.Cut(marks, " ")
		if !setMark(&field, mark) {
			return field, p.errorf("field %q has the mark %q, which is unknown or comes twice", name, mark)
		}
	}
	if hasEnum {
		list, err := p.constants(field.Type.Element(), constants)
		if err != nil {
			return field, p.errorf("field %q: %w", name, err)
		}
		field.Enum, field.EnumLabels = list.values, list.labels
	}
	if hasTexts {
		if err := setTexts(&field, texts); err != nil {
			return field, p.errorf("field %q: %w", name, err)
		}
	}
	return field, nil
}

// constantList is a list of constants with their labels, which are nil where no constant has one.
type constantList struct {
	values []any
	labels []string
}

func (p *parser) constants(base fact.Type, s string) (constantList, error) {
	id := string(base) + " " + s
	list, known := p.enums[id]
	if known {
		return list, nil
	}
	for constant := range strings.SplitSeq(s, " | ") {
		label := ""
		if inner, ok := strings.CutSuffix(constant, ")"); ok {
			if constant, label, ok = strings.Cut(inner, " ("); !ok || label == "" {
				return list, fmt.Errorf("the constant %q) has no label in its parentheses", inner)
			}
		}
		value, err := parseConstant(base, constant)
		if err != nil {
			return list, err
		}
		if label != "" && list.labels == nil {
			list.labels = make([]string, len(list.values), strings.Count(s, " | ")+1)
		}
		list.values = append(list.values, value)
		if list.labels != nil {
			list.labels = append(list.labels, label)
		}
	}
	p.enums[id] = list
	return list, nil
}
