package page

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/rivo/uniseg"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/language"
)

// Paint has functions that give text the attributes of a terminal, or return it as it is.
type Paint struct{ Bold, Faint func(text string) string }

// Terminal appends a page for a terminal.
func (p *Page) Terminal(out *bytes.Buffer, paint Paint) {
	l := p.language
	fmt.Fprintf(out, "%s  %s\n\n%s\n\n", paint.Bold(p.Method+" "+p.Path), p.Name, p.When)
	names := 0
	for _, item := range p.items() {
		names = max(names, width(item.name))
	}
	for _, item := range p.items() {
		for i, value := range item.values {
			name := item.name
			if i > 0 {
				name = ""
			}
			fmt.Fprintf(out, "  %s%s\n", paint.Faint(pad(name, names+2)), value)
		}
	}
	for _, s := range p.sections() {
		fmt.Fprintf(out, "\n%s\n", paint.Bold(s.title))
		list := rows(s.fields, 0, l)
		name, kind, required := 0, 0, 0
		for _, row := range list {
			name, kind = max(name, 2*row.depth+len(row.name)), max(kind, len(row.kind))
			required = max(required, width(terminalMark(row.required, l)))
		}
		for _, row := range list {
			line := "  " + pad(strings.Repeat("  ", row.depth)+row.name, name+2) + pad(row.kind, kind+2) +
				pad(terminalMark(row.required, l), required+2) + row.remarks
			out.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	if len(p.Docs) > 0 {
		fmt.Fprintf(out, "\n%s\n", paint.Bold(l.Say("Documentation", "官方文档")))
		for _, address := range p.Docs {
			fmt.Fprintf(out, "  %s\n", address)
		}
	}
	for _, code := range p.codes() {
		fmt.Fprintf(out, "\n%s\n", paint.Bold(code.title))
		for line := range strings.Lines(code.text) {
			if line != "\n" {
				out.WriteString("  ")
			}
			out.WriteString(line)
		}
	}
}

// terminalMark returns a value of the column that tells whether a field is required: the column has no title.
func terminalMark(required string, l language.Language) string {
	switch required {
	case l.Say("no", "否"):
		return ""
	case l.Say("yes", "是"):
		return l.Say("required", "必填")
	}
	return required
}

// width is the number of columns that a text takes on a terminal.
func width(text string) int { return uniseg.StringWidth(text) }

// pad lengthens a text to a number of columns.
func pad(text string, columns int) string {
	return text + strings.Repeat(" ", max(0, columns-width(text)))
}
