package page

import (
	"bytes"
	"fmt"
	"strings"
)

// Paint has functions that give text the attributes of a terminal, or return it as it is.
type Paint struct{ Bold, Faint func(text string) string }

// terminalMarks are the values of the column without a title.
var terminalMarks = map[string]string{"yes": "required", "documented": "documented", "always": "always"}

// Terminal appends a page for a terminal.
func (p *Page) Terminal(out *bytes.Buffer, paint Paint) {
	fmt.Fprintf(out, "%s  %s\n\n", paint.Bold(p.Method+" "+p.Path), p.Name)
	for _, item := range p.items() {
		for i, value := range item.values {
			name := item.name
			if i > 0 {
				name = ""
			}
			fmt.Fprintf(out, "  %s%s\n", paint.Faint(fmt.Sprintf("%-11s", name)), value)
		}
	}
	for _, s := range p.sections() {
		fmt.Fprintf(out, "\n%s\n", paint.Bold(s.title))
		list := rows(s.fields, 0)
		name, kind := 0, 0
		for _, row := range list {
			name, kind = max(name, 2*row.depth+len(row.name)), max(kind, len(row.kind))
		}
		for _, row := range list {
			indent := strings.Repeat("  ", row.depth)
			line := fmt.Sprintf("  %s%-*s  %-*s  %-10s  %s", indent, name-len(indent), row.name, kind, row.kind,
				terminalMarks[row.required], row.remarks)
			out.WriteString(strings.TrimRight(line, " ") + "\n")
		}
	}
	if len(p.Docs) > 0 {
		fmt.Fprintf(out, "\n%s\n", paint.Bold("Documentation"))
		for _, address := range p.Docs {
			fmt.Fprintf(out, "  %s\n", address)
		}
	}
	fmt.Fprintf(out, "\n%s\n", paint.Bold("Go"))
	for line := range strings.Lines(p.Go) {
		if line != "\n" {
			out.WriteString("  ")
		}
		out.WriteString(line)
	}
}
