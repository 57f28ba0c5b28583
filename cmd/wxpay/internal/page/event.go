package page

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/gocode"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/language"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/ordered"
	"github.com/wxpay-go/wxpay/fact"
)

// Notification is the page of a notification.
type Notification struct {
	Type, Name, When string
	Docs             []string

	items    []item
	resource section
	codes    []code
	reply    []section // header and body of the response that the platform waits for
	language language.Language
}

// Notification returns the page of a notification. resource is a sample of the decrypted resource; nil without one.
func (m *Manual) Notification(event *fact.Event, resource any) (Notification, error) {
	l := m.language
	page := Notification{
		Type: event.Type, Name: event.Name, When: l.Say(
			"The platform sends it to your notify_url. Verify and decrypt it before anything else; it may come more than once, late, or "+
				"never, so a query decides in the end.",
			"由微信支付发送到商户的 notify_url。先验签、解密，再处理；通知可能重复、延迟或丢失，最终以查询为准。"),
		items:    m.eventItems(event),
		resource: section{l.Say("Resource (decrypted)", "通知内容（解密后）"), m.fieldsOf(event.Resource, false)},
		language: l,
	}
	if resource != nil {
		document, err := ordered.MarshalIndent(resource)
		if err != nil {
			return page, fmt.Errorf("the sample of %s: %w", event.Type, err)
		}
		page.codes = append(page.codes, code{l.Say("Sample of the resource", "通知内容示例"), "json", string(document)})
	}
	page.codes = append(page.codes, code{"Go", "go", gocode.Handler(event, l)},
		code{l.Say("Command line", "命令行"), "sh", "wxpay webhook trigger " + event.Type + " --to http://localhost:8080/notify\n"})
	if event.Reply != nil {
		for _, s := range []section{
			{l.Say("Header of your response", "商户应答头"), m.fieldsOf(event.Reply.Header, true)},
			{l.Say("Body of your response", "商户应答体"), m.fieldsOf(event.Reply.Body, true)},
		} {
			if len(s.fields) > 0 {
				page.reply = append(page.reply, s)
			}
		}
	}
	for _, id := range event.Docs {
		page.Docs = append(page.Docs, fact.DocURL(id))
	}
	return page, nil
}

// Markdown appends a page as Markdown.
func (p *Notification) Markdown(out *bytes.Buffer) {
	l := p.language
	fmt.Fprintf(out, "# %s\n\n`%s`\n\n%s\n\n", escape(p.Name), p.Type, escape(p.When))
	for _, item := range p.items {
		writeItem(out, item, l)
	}
	writeSection(out, p.resource, l)
	for _, code := range p.codes {
		code.write(out)
	}
	for _, s := range p.reply {
		writeSection(out, s, l)
	}
	writeLinks(out, p.Docs, l)
}

// HTML writes a page as HTML.
func (p *Notification) HTML(out io.Writer) error {
	v := newView(p.language, p.Name, p.items, append([]section{p.resource}, p.reply...), p.codes, p.Docs)
	v.Call, v.When = p.Type, p.When
	return v.write(out)
}

func (m *Manual) eventItems(event *fact.Event) []item {
	l := m.language
	var list []item
	add := func(english, chinese string, values ...string) {
		if len(values) > 0 {
			list = append(list, item{l.Say(english, chinese), values})
		}
	}
	unknown := l.Say("not known", "未知")
	if families := gocode.Families(event); len(families) > 0 {
		add("product families", "产品", families...)
	} else {
		add("product families", "产品", l.Say("none: it concerns the whole account", "无：与整个商户号有关"))
	}
	add("also called", "其他类型名", event.Aliases...)
	if len(event.OriginalTypes) > 0 {
		add("original type", "原始类型", strings.Join(event.OriginalTypes, ", "))
	} else {
		add("original type", "原始类型", unknown)
	}
	if event.Scheme == fact.BrandScheme {
		add("receiver", "接收方", l.Say("a brand, with its own keys", "品牌，使用品牌自己的密钥"))
	}
	add("forms", "内容形式", event.Variants...)
	if event.Joined {
		add("fields", "字段", l.Say("several forms are described together: a field is always there if it is in all of them",
			"多种内容合并描述：标为总有的字段在每种内容中都有"))
	}
	if event.Inferred {
		add("source", "来源", l.Say("no official source shows the whole resource", "官方未公开完整内容"))
	}
	if event.ByHand {
		add("source", "来源", l.Say("added by hand: the documentation lacks it", "人工补充：官方文档中没有"))
	}
	return list
}
