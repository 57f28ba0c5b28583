package page

import (
	"bytes"
	"fmt"
	"strings"
)

// Markdown appends a page as a section of Markdown.
func (p *Page) Markdown(out *bytes.Buffer) {
	fmt.Fprintf(out, "## %s %s\n\n", p.Method, escape(p.Name))
	fmt.Fprintf(out, "`%s %s`\n\n", p.Method, p.Path)
	for _, item := range p.items() {
		values := make([]string, len(item.values))
		for i, value := range item.values {
			values[i] = escape(value)
		}
		separator := ", "
		if strings.Contains(strings.Join(values, ""), separator) {
			separator = "; "
		}
		fmt.Fprintf(out, "- **%s:** %s\n", item.name, strings.Join(values, separator))
	}
	for _, address := range p.Docs {
		fmt.Fprintf(out, "- <%s>\n", address)
	}
	for _, s := range p.sections() {
		fmt.Fprintf(out, "\n### %s\n", escape(s.title))
		if len(s.fields) == 0 {
			continue
		}
		out.WriteString("\n| Field | Type | Required | Remarks |\n| --- | --- | --- | --- |\n")
		for _, row := range rows(s.fields, 0) {
			fmt.Fprintf(out, "| %s`%s` | %s | %s | %s |\n",
				strings.Repeat("&emsp;", row.depth), row.name, escape(row.kind), row.required, escape(row.remarks))
		}
	}
	out.WriteString("\n### Go\n\n")
	fmt.Fprintf(out, "```go\n%s```\n", p.Go)
}

// escape escapes the characters that Markdown interprets, also the divider of a table.
var escape = strings.NewReplacer(
	`\`, `\\`, `|`, `\|`, `*`, `\*`, `_`, `\_`, "`", "\\`", `[`, `\[`, `]`, `\]`, `<`, `&lt;`, `>`, `&gt;`,
).Replace
