package page

import (
	"fmt"
	"html"
	"io"
	"strings"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/language"
	"github.com/wxpay-go/wxpay/fact"
)

// style is that of a page without scripts; nothing in it comes from another host.
const style = `:root { color-scheme: light dark }
body { font: 15px/1.6 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem }
pre, code { font: 13px/1.5 ui-monospace, Menlo, Consolas, monospace } pre { overflow-x: auto; padding: .8rem; background: #8881 }
table { border-collapse: collapse; display: block; overflow-x: auto } td, th { border: 1px solid #8885; padding: .2rem .6rem; text-align: left; vertical-align: top }
dt { font-weight: 600 } dd { margin: 0 0 0 1.5rem } input { font: inherit; width: 20rem; max-width: 60% }`

// markup is a page under way. A package of templates would make the program 3 MB larger, since they can call any method.
type markup struct{ strings.Builder }

// put writes a piece of markup, each %s in it a text of the page.
func (m *markup) put(piece string, texts ...string) {
	escaped := make([]any, len(texts))
	for i, text := range texts {
		escaped[i] = html.EscapeString(text)
	}
	fmt.Fprintf(m, piece, escaped...)
}

// write writes v.
func (v *view) write(out io.Writer) error {
	var m markup
	m.put(`<!doctype html>
<html lang="%s"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>%s</title><style>
`, v.Lang, v.Title)
	m.WriteString(style)
	m.put(`
</style></head><body>
<form action="/"><a href="/">wxpay</a> <input type="search" name="q" value="%s" aria-label="%s"> <button>%s</button></form>
<h1>%s</h1>
`, v.Query, v.Find, v.Find, v.Title)
	if v.Call != "" {
		m.put("<p><code>%s</code></p>", v.Call)
	}
	if v.When != "" {
		m.put("<p>%s</p>", v.When)
	}
	m.WriteString("\n<dl>")
	for _, item := range v.Items {
		m.put("<dt>%s</dt>", item.Name)
		for _, value := range item.Values {
			m.put("<dd>%s</dd>", value)
		}
	}
	m.WriteString("</dl>\n")
	for _, section := range v.Sections {
		m.put("<h2>%s</h2><table>", section.Title)
		for _, row := range section.Rows {
			m.put("<tr><td>%s<code>%s</code></td><td>%s</td><td>%s</td><td>%s</td></tr>", row.Indent, row.Name, row.Kind, row.Required, row.Remarks)
		}
		m.WriteString("</table>")
	}
	for _, code := range v.Codes {
		m.put("\n<h2>%s</h2><pre>%s</pre>", code.Title, code.Text)
	}
	m.WriteString("\n<ul>")
	for _, link := range v.Links {
		if strings.HasPrefix(link.Address, "https://") || strings.HasPrefix(link.Address, "/") {
			m.put(`<li><a href="%s">%s</a></li>`, link.Address, link.Text)
		}
	}
	m.WriteString("</ul>\n</body></html>\n")
	_, err := io.WriteString(out, m.String())
	return err
}

// view is what the layout shows.
type view struct {
	Lang, Find, Query, Title, Call, When string
	Items                                []viewItem
	Sections                             []viewSection
	Codes                                []viewCode
	Links                                []viewLink
}

type viewItem struct {
	Name   string
	Values []string
}

type viewSection struct {
	Title string
	Rows  []viewRow
}

type viewRow struct{ Indent, Name, Kind, Required, Remarks string }

type viewCode struct{ Title, Text string }

type viewLink struct{ Address, Text string }

// newView returns what the page of an operation and that of a notification have.
func newView(l language.Language, title string, items []item, sections []section, codes []code, docs []string) view {
	v := view{Lang: string(l), Find: l.Say("Search", "搜索"), Title: title}
	for _, item := range items {
		v.Items = append(v.Items, viewItem{item.name, item.values})
	}
	for _, s := range sections {
		section := viewSection{Title: s.title}
		for _, row := range rows(s.fields, 0, l) {
			section.Rows = append(section.Rows, viewRow{strings.Repeat("· ", row.depth), row.name, row.kind, row.required, row.remarks})
		}
		v.Sections = append(v.Sections, section)
	}
	for _, code := range codes {
		v.Codes = append(v.Codes, viewCode{code.title, code.text})
	}
	for _, address := range docs {
		v.Links = append(v.Links, viewLink{address, address})
	}
	return v
}

// HTML writes a page as HTML.
func (p *Page) HTML(out io.Writer) error {
	codes := p.codes()
	if p.Sandbox != nil {
		intro, answer := p.sandbox()
		answer.text = "// " + intro + "\n" + answer.text
		codes = append(codes, answer)
	}
	v := newView(p.language, p.Name, p.items(), p.sections(), codes, p.Docs)
	v.Call, v.When = p.Method+" "+p.Path, p.When
	return v.write(out)
}

// ListHTML writes a list of operations and notifications as HTML. query is what was searched for; empty for all.
func (m *Manual) ListHTML(out io.Writer, query string, operations []*fact.Operation, events []*fact.Event) error {
	l := m.language
	v := newView(l, l.Say("Operations and notifications", "接口目录与通知"), nil, nil, nil, nil)
	v.Query = query
	for _, operation := range operations {
		v.Links = append(v.Links, viewLink{Address(operation), fmt.Sprintf("%s %s %s", operation.Method, operation.Path, operation.Name)})
	}
	for _, event := range events {
		v.Links = append(v.Links, viewLink{EventAddress(event), event.Type + " " + event.Name})
	}
	if len(v.Links) == 0 {
		v.When = l.Say("Nothing found.", "没有结果。")
	}
	return v.write(out)
}
