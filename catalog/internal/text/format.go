package text

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

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

// FieldLine returns the line of one member, without indentation and without its own members.
func FieldLine(field *fact.Field) string {
	s := field.Name + " " + string(field.Type)
	if field.Required {
		s += "!"
	}
	if field.Confirmed {
		s += "!"
	}
	for _, mark := range []string{field.Format, string(field.Cipher), string(field.Unit), boundsText(field)} {
		if mark != "" {
			s += " " + mark
		}
	}
	if field.JSONText {
		s += " jsontext"
	}
	for _, other := range field.Alt {
		s += " alt:" + other
	}
	if field.ByHand {
		s += " hand"
	}
	if field.Reviewed {
		s += " reviewed"
	}
	for i, constant := range field.Enum {
		if i == 0 {
			s += " = "
		} else {
			s += " | "
		}
		s += constantText(field.Type.Element(), constant)
		if field.EnumLabels != nil && field.EnumLabels[i] != "" {
			s += " (" + field.EnumLabels[i] + ")"
		}
	}
	if field.Label != "" || field.Sample != nil {
		s += strings.TrimRight(" # "+field.Label, " ")
	}
	if field.Sample != nil {
		s += " : " + sampleText(field.Type.Element(), field.Sample)
	}
	return s
}

// factsLine is FieldLine without labels and sample.
func factsLine(field *fact.Field) string {
	bare := *field
	bare.Label, bare.EnumLabels, bare.Sample = "", nil, nil
	return FieldLine(&bare)
}

// boundsText returns MIN..MAX, where either may be missing, or nothing.
func boundsText(field *fact.Field) string {
	if field.Min == 0 && field.Max == 0 {
		return ""
	}
	bound := func(n int64) string {
		if n == 0 {
			return ""
		}
		return strconv.FormatInt(n, 10)
	}
	return bound(field.Min) + ".." + bound(field.Max)
}

func constantText(base fact.Type, constant any) string {
	switch value := constant.(type) {
	case string:
		if base == fact.String && plain(value) {
			return value
		}
		return quote(value)
	case float64:
		s := strconv.FormatFloat(value, 'g', -1, 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0"
		}
		return s
	}
	return fmt.Sprint(constant)
}

// sampleText is constantText at the end of a line, where nothing is divided any more.
func sampleText(base fact.Type, sample any) string {
	s, ok := sample.(string)
	bare := ok && base == fact.String && s != "" && s[0] != '"' && strings.TrimSpace(s) == s && !strings.ContainsFunc(s, unicode.IsControl)
	if bare {
		return s
	}
	return constantText(base, sample)
}

// plain says that s can stand in a list of constants as it is.
func plain(s string) bool {
	return s != "" && !strings.ContainsAny(s, "\"|=#()\n") && strings.TrimSpace(s) == s
}

// quote quotes s so that the marks that divide constants do not appear in it.
func quote(s string) string {
	return strings.NewReplacer("|", `\x7c`, "=", `\x3d`, "#", `\x23`, "(", `\x28`, ")", `\x29`).Replace(strconv.Quote(s))
}

// Compare orders operations: by path, then by method in the order of Methods.
func Compare(a, b *fact.Operation) int {
	if c := strings.Compare(a.Path, b.Path); c != 0 {
		return c
	}
	return slices.Index(Methods, a.Method) - slices.Index(Methods, b.Method)
}
