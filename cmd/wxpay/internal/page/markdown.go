package page

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/language"
)

// Markdown appends a page as Markdown.
func (p *Page) Markdown(out *bytes.Buffer) {
	l := p.language
	fmt.Fprintf(out, "# %s\n\n`%s %s`\n\n%s\n\n", escape(p.Name), p.Method, p.Path, escape(p.When))
	for _, item := range p.items() {
		writeItem(out, item, l)
	}
	sections := p.sections()
	for _, s := range sections[:len(sections)-1] {
		writeSection(out, s, l)
	}
	for _, code := range p.codes() {
		code.write(out)
	}
	writeSection(out, sections[len(sections)-1], l)
	if p.Sandbox != nil {
		intro, answer := p.sandbox()
		fmt.Fprintf(out, "\n## %s\n\n%s\n\n```json\n%s```\n", answer.title, escape(intro), answer.text)
	}
	writeLinks(out, p.Docs, l)
}

func writeItem(out *bytes.Buffer, item item, l language.Language) {
	colon := l.Say(":** ", "：** ")
	line := strings.Join(item.values, l.Say(", ", "、"))
	if short := !strings.Contains(strings.Join(item.values, ""), " ") && !strings.Contains(line, "."); len(item.values) == 1 || short {
		fmt.Fprintf(out, "- **%s%s%s\n", item.name, colon, escape(line))
		return
	}
	fmt.Fprintf(out, "- **%s%s\n", item.name, strings.TrimSpace(colon))
	for _, value := range item.values {
		fmt.Fprintf(out, "  - %s\n", escape(value))
	}
}

func writeSection(out *bytes.Buffer, s section, l language.Language) {
	fmt.Fprintf(out, "\n## %s\n", escape(s.title))
	if len(s.fields) == 0 {
		return
	}
	out.WriteString("\n" + l.Say("| Field | Type | Required | Remarks |", "| 参数 | 类型 | 必填 | 说明 |") + "\n| --- | --- | --- | --- |\n")
	for _, row := range rows(s.fields, 0, l) {
		fmt.Fprintf(out, "| %s`%s` | %s | %s | %s |\n",
			strings.Repeat("· ", row.depth), row.name, escape(row.kind), row.required, escape(row.remarks))
	}
}

func writeLinks(out *bytes.Buffer, docs []string, l language.Language) {
	if len(docs) == 0 {
		return
	}
	fmt.Fprintf(out, "\n## %s\n\n", l.Say("Official documentation", "官方文档"))
	for _, address := range docs {
		fmt.Fprintf(out, "- <%s>\n", address)
	}
}

// code is a listing with its heading.
type code struct{ title, language, text string }

// codes are the call in Go, as a command, as a request, and in Go with types.
func (p *Page) codes() []code {
	l := p.language
	list := []code{
		{"Go", "go", p.Go},
		{l.Say("Command line", "命令行"), "sh", p.Command + "\n"},
	}
	if p.Curl != "" {
		list = append(list, code{l.Say("Request with curl", "curl 请求"), "sh", "# " +
			l.Say("wxpay call --dry-run prints it with its signature, which holds for five minutes", "wxpay call --dry-run 打印带签名的请求，签名五分钟内有效") +
			"\n" + p.Curl + "\n"})
	}
	if p.Typed != "" {
		list = append(list, code{l.Say("Go with types", "Go（结构体）"), "go", "// " + p.Types + "\n\n" + p.Typed})
	}
	return list
}

// write writes a listing.
func (c code) write(out *bytes.Buffer) {
	fmt.Fprintf(out, "\n## %s\n\n```%s\n%s```\n", c.title, c.language, c.text)
}

// sandbox is the response of the sandbox, and what it responds to.
func (p *Page) sandbox() (intro string, answer code) {
	l, got := p.language, p.Sandbox
	switch {
	case got.First != "":
		intro = l.Sayf("To the example above, after %s:", "先请求 %s，再请求上面的示例：", got.First)
	case got.Status >= http.StatusMultipleChoices:
		intro = l.Say("To the example above. The sandbox knows no such object yet: make it first.",
			"上面示例的应答：沙箱中还没有这个对象，需要先创建。")
	default:
		intro = l.Say("To the example above:", "上面示例的应答：")
	}
	text := fmt.Sprintf("// %d %s\n", got.Status, http.StatusText(got.Status))
	switch {
	case len(got.Body) > 0:
		text += string(got.Body) + "\n"
	case got.Size > 0:
		text += fmt.Sprintf("// %s\n", l.Sayf("%d bytes of %s", "%d 字节，%s", got.Size, got.Kind))
	}
	return intro, code{l.Say("Response of the sandbox", "沙箱应答"), "json", text}
}

// escape escapes the characters that Markdown interprets, also the divider of a table.
var escape = strings.NewReplacer(
	`\`, `\\`, `|`, `\|`, `*`, `\*`, `_`, `\_`, "`", "\\`", `[`, `\[`, `]`, `\]`, `<`, `&lt;`, `>`, `&gt;`, `{{`, `&#123;&#123;`,
).Replace
