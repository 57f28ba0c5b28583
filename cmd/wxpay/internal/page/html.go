package page

import (
	"fmt"
	"html/template"
	"io"

	"github.com/wxpay-go/wxpay/fact"
)

// layout is a page without scripts; nothing in it comes from another host.
var layout = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="{{.Lang}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{{.Title}}</title><style>
:root { color-scheme: light dark }
body { font: 15px/1.6 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem }
pre, code { font: 13px/1.5 ui-monospace, Menlo, Consolas, monospace } pre { overflow-x: auto; padding: .8rem; background: #8881 }
table { border-collapse: collapse; display: block; overflow-x: auto } td, th { border: 1px solid #8885; padding: .2rem .6rem; text-align: left; vertical-align: top }
dt { font-weight: 600 } dd { margin: 0 0 0 1.5rem } input { font: inherit; width: 20rem; max-width: 60% }
</style></head><body>
<form action="/"><a href="/">wxpay</a> <input type="search" name="q" value="{{.Query}}" aria-label="{{.Find}}"> <button>{{.Find}}</button></form>
<h1>{{.Title}}</h1>
{{with .Call}}<p><code>{{.}}</code></p>{{end}}{{with .When}}<p>{{.}}</p>{{end}}
{{with .Items}}<dl>{{range .}}<dt>{{.Name}}</dt>{{range .Values}}<dd>{{.}}</dd>{{end}}{{end}}</dl>{{end}}
{{range .Sections}}<h2>{{.Title}}</h2>{{if .Rows}}<table>{{range .Rows}}<tr><td>{{.Indent}}<code>{{.Name}}</code></td><td>{{.Kind}}</td><td>{{.Required}}</td><td>{{.Remarks}}</td></tr>{{end}}</table>{{end}}{{end}}
{{range .Codes}}<h2>{{.Title}}</h2><pre>{{.Text}}</pre>{{end}}
{{with .Links}}<ul>{{range .}}<li><a href="{{.Address}}">{{.Text}}</a></li>{{end}}</ul>{{end}}
</body></html>
`))

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

// HTML writes a page as HTML.
func (p *Page) HTML(out io.Writer) error {
	l := p.language
	v := view{Lang: string(l), Find: l.Say("Search", "搜索"), Title: p.Name, Call: p.Method + " " + p.Path, When: p.When}
	for _, item := range p.items() {
		v.Items = append(v.Items, viewItem{item.name, item.values})
	}
	for _, s := range p.sections() {
		section := viewSection{Title: s.title}
		for _, row := range rows(s.fields, 0, l) {
			indent := ""
			for range row.depth {
				indent += "· "
			}
			section.Rows = append(section.Rows, viewRow{indent, row.name, row.kind, row.required, row.remarks})
		}
		v.Sections = append(v.Sections, section)
	}
	for _, code := range p.codes() {
		v.Codes = append(v.Codes, viewCode{code.title, code.text})
	}
	for _, address := range p.Docs {
		v.Links = append(v.Links, viewLink{address, address})
	}
	return layout.Execute(out, v)
}

// ListHTML writes a list of operations as HTML. query is what was searched for; empty for all.
func (m *Manual) ListHTML(out io.Writer, query string, operations []*fact.Operation) error {
	l := m.language
	v := view{Lang: string(l), Find: l.Say("Search", "搜索"), Query: query, Title: l.Say("Operations", "接口目录")}
	for _, operation := range operations {
		v.Links = append(v.Links, viewLink{Address(operation), fmt.Sprintf("%s %s %s", operation.Method, operation.Path, operation.Name)})
	}
	if len(operations) == 0 {
		v.When = l.Say("Nothing found.", "没有结果。")
	}
	return layout.Execute(out, v)
}

// Address returns the path at which a server shows an operation, that of the site: /v3/pay/transactions/native.post.
func Address(operation *fact.Operation) string {
	name := FileName(operation)
	return "/" + name[:len(name)-len(".md")]
}
