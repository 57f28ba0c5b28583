package page

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/gocode"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/ordered"
	"github.com/wxpay-go/wxpay/fact"
)

// EventName returns the name of the file for the page of a notification.
func EventName(event *fact.Event) string { return "notifications/" + event.Type + ".md" }

// Event appends the page of a notification as Markdown. resource is a sample of the decrypted resource; nil without one.
func (m *Manual) Event(out *bytes.Buffer, event *fact.Event, resource any) error {
	l := m.language
	fmt.Fprintf(out, "# %s\n\n`%s`\n\n%s\n\n", escape(event.Name), event.Type, l.Say(
		"The platform sends it to your notify_url. Verify and decrypt it before anything else; it may come more than once, late, or never, "+
			"so a query decides in the end.",
		"微信支付把它发送到商户的 notify\\_url。先验签、解密，再处理；通知可能重复、延迟或丢失，最终以查询为准。"))
	for _, item := range m.eventItems(event) {
		writeItem(out, item, l)
	}
	writeSection(out, section{l.Say("Resource (decrypted)", "通知内容（解密后）"), m.fieldsOf(event.Resource, false)}, l)
	if resource != nil {
		document, err := ordered.MarshalIndent(resource)
		if err != nil {
			return fmt.Errorf("the sample of %s: %w", event.Type, err)
		}
		fmt.Fprintf(out, "\n## %s\n\n```json\n%s```\n", l.Say("Sample of the resource", "通知内容示例"), document)
	}
	fmt.Fprintf(out, "\n## Go\n\n```go\n%s```\n", gocode.Handler(event, l))
	fmt.Fprintf(out, "\n## %s\n\n```sh\nwxpay webhook trigger %s --to http://localhost:8080/notify\n```\n", l.Say("Command line", "命令行"), event.Type)
	if event.Reply != nil {
		for _, s := range []section{
			{l.Say("Header of your response", "商户应答头"), m.fieldsOf(event.Reply.Header, true)},
			{l.Say("Body of your response", "商户应答体"), m.fieldsOf(event.Reply.Body, true)},
		} {
			if len(s.fields) > 0 {
				writeSection(out, s, l)
			}
		}
	}
	docs := make([]string, len(event.Docs))
	for i, id := range event.Docs {
		docs[i] = fact.DocURL(id)
	}
	writeLinks(out, docs, l)
	return nil
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
