package text

import (
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// Format writes a document: the operations, the events, the codes, each in the order given.
func Format(doc *Document) string { return format(doc, FieldLine) }

// FormatFacts is Format without what is meant for people: labels and samples.
func FormatFacts(doc *Document) string { return format(doc, factsLine) }

func format(doc *Document, line func(*fact.Field) string) string {
	var b strings.Builder
	for _, operation := range doc.Operations {
		divide(&b)
		b.WriteString(operation.Method + " " + operation.Path + "\n")
		keyed(&b, operation, OperationKeys, line)
	}
	for _, event := range doc.Events {
		divide(&b)
		b.WriteString("event " + event.Type + "\n")
		keyed(&b, event, EventKeys, line)
	}
	for _, code := range doc.Codes {
		divide(&b)
		b.WriteString("code " + code.Name + "\n")
		keyed(&b, code, CodeKeys, line)
	}
	return b.String()
}

func divide(b *strings.Builder) {
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
}

func keyed[T any](b *strings.Builder, t *T, keys []Key[T], line func(*fact.Field) string) {
	for _, key := range keys {
		for _, value := range key.Values(t) {
			b.WriteString("  " + key.Name)
			if value != "" {
				b.WriteString(" " + value)
			}
			b.WriteByte('\n')
		}
		if key.Fields != nil {
			tree(b, key.Fields(t), 4, line)
		}
	}
}

func tree(b *strings.Builder, list []fact.Field, indent int, line func(*fact.Field) string) {
	for i := range list {
		for range indent {
			b.WriteByte(' ')
		}
		b.WriteString(line(&list[i]))
		b.WriteByte('\n')
		tree(b, list[i].Fields, indent+2, line)
	}
}
