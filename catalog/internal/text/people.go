package text

import (
	"fmt"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// What is meant for people, apart from the facts: for each field of a row, in the order of the row, a line with label,
// sample and the labels of its constants, divided by tabs. A field without any has a lone tab. A row is told by its place
// alone, so this form is for packed copies and not for editors.

// FormatTexts writes what FormatFacts leaves out, in as many blocks.
func FormatTexts(doc *Document) string {
	var blocks []string
	for _, operation := range doc.Operations {
		blocks = append(blocks, textLines(operation, OperationKeys))
	}
	for _, event := range doc.Events {
		blocks = append(blocks, textLines(event, EventKeys))
	}
	return strings.Join(blocks, "\n")
}

func textLines[T any](row *T, keys []Key[T]) string {
	var b strings.Builder
	visit(row, keys, func(field *fact.Field) {
		sample := ""
		if field.Sample != nil {
			sample = sampleText(field.Type.Element(), field.Sample)
		}
		line := strings.Join([]string{field.Label, sample, strings.Join(field.EnumLabels, "|")}, "\t")
		if line = strings.TrimRight(line, "\t"); line == "" {
			line = "\t"
		}
		b.WriteString(line + "\n")
	})
	return b.String()
}

// AddOperationTexts fills in what people read about the fields of an operation that was parsed from facts, and
// AddEventTexts of an event. src is its block of FormatTexts.
func AddOperationTexts(operation *fact.Operation, src string) error {
	return addTexts(operation, OperationKeys, src)
}

// AddEventTexts is AddOperationTexts for an event.
func AddEventTexts(event *fact.Event, src string) error { return addTexts(event, EventKeys, src) }

func addTexts[T any](row *T, keys []Key[T], src string) error {
	var wrong error
	rest := src
	visit(row, keys, func(field *fact.Field) {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		if wrong == nil {
			wrong = setTextLine(field, line)
		}
	})
	if wrong == nil && rest != "" {
		return problem("there are texts of more fields than the row has")
	}
	return wrong
}

func setTextLine(field *fact.Field, line string) error {
	label, rest, _ := strings.Cut(line, "\t")
	sample, labels, _ := strings.Cut(rest, "\t")
	if line == "" {
		return fmt.Errorf("the texts of field %q are missing", field.Name)
	}
	field.Label = label
	if sample != "" {
		var err error
		if field.Sample, err = parseConstant(field.Type.Element(), sample); err != nil {
			return err
		}
	}
	if labels != "" {
		if field.EnumLabels = strings.Split(labels, "|"); len(field.EnumLabels) != len(field.Enum) {
			return fmt.Errorf("field %q has %d labels for %d constants", field.Name, len(field.EnumLabels), len(field.Enum))
		}
	}
	return nil
}

// visit yields the fields of a row, parents first.
func visit[T any](row *T, keys []Key[T], yield func(*fact.Field)) {
	var list func([]fact.Field)
	list = func(fields []fact.Field) {
		for i := range fields {
			yield(&fields[i])
			list(fields[i].Fields)
		}
	}
	for _, key := range keys {
		if key.Fields != nil {
			list(key.Fields(row))
		}
	}
}
