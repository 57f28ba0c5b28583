package page

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/language"
	"github.com/wxpay-go/wxpay/fact"
)

// row is a line of a table of fields.
type row struct {
	depth    int
	name     string
	kind     string
	required string
	remarks  string
}

// rows returns the lines of a table, each field before those inside it.
func rows(fields []Field, depth int, l language.Language) []row {
	var list []row
	for _, field := range fields {
		list = append(list, row{depth, field.Name, field.Type, field.required, strings.Join(field.remarks, l.Say("; ", "；"))})
		list = append(list, rows(field.Fields, depth+1, l)...)
	}
	return list
}

// item is a line about an operation as a whole.
type item struct {
	name   string
	values []string
}

// when tells when to call an operation: who calls it, what it does, and what belongs to it.
func (p *Page) when() string {
	l := p.language
	who := strings.Join(p.Roles, l.Say(", ", "、"))
	if who == "" {
		who = l.Say("It is not known who", "调用方未知，")
	}
	where := ""
	if len(p.Tags) > 0 {
		where = l.Say(" for ", "在「") + strings.Join(p.Tags, l.Say(", ", "」「")) + l.Say("", "」中")
	}
	calls := " calls it"
	if len(p.Roles) > 1 {
		calls = " call it"
	}
	sentences := []string{who + l.Say(calls, "") + where + l.Say(".", "调用。")}
	switch {
	case p.MovesMoney:
		sentences = append(sentences, l.Say("It moves money, or commits to it: while its outcome is unknown, query, and keep the number.",
			"会动用资金，或触发后续的资金变动：结果未知时先查询，不要更换单号。"))
	case p.Method == http.MethodGet:
		sentences = append(sentences, l.Say("It only reads, and can be repeated.", "只读接口，可以重复请求。"))
	default:
		sentences = append(sentences, l.Say("It is not marked as moving money.", "本接口未标记为动用资金。"))
	}
	if len(p.OutcomeOf) > 0 {
		sentences = append(sentences, l.Say("It tells the outcome of other operations, below.", "用于确认下列接口的结果。"))
	}
	return strings.Join(sentences, l.Say(" ", ""))
}

// states are the states of operations in words.
var states = map[string][2]string{
	"offline":    {"offline: it is shut down", "已下线"},
	"superseded": {"superseded: newer operations replace it", "已被新接口取代"},
	"beta":       {"beta: not open to everyone yet", "尚未全面开放"},
	"restricted": {"restricted: only after individual approval", "需单独申请开通"},
	"linked":     {"linked: an earlier response gives host, path and query", "地址由前一个应答给出，包括域名、路径和查询参数"},
}

// repeats are the classes of a second, equal request in words.
var repeats = map[string][2]string{
	"documented": {"the same request again has one effect, as documented", "幂等：相同请求只生效一次（官方文档承诺）"},
	"assumed":    {"the same request again probably has one effect; nobody promises it", "相同请求很可能只生效一次，但官方没有承诺"},
	"no":         {"never repeat it", "不可重复请求"},
	"":           {"not known: nobody has reviewed it, so take it for not repeatable", "未知：尚未核实，请按不可重复处理"},
}

// outcomes are the meanings of states in words.
var outcomes = map[string][2]string{
	"taken":     {"taken; how it ends is not known", "已受理，最终结果未知"},
	"accepted":  {"taken, not finished", "已受理，尚未完成"},
	"succeeded": {"has taken effect", "已生效"},
	"failed":    {"ended without effect, for good", "未生效，且不会再生效"},
	"partial":   {"some parts have taken effect, the others never will", "部分已生效，其余不会再生效"},
	"action":    {"stands still until you do something", "需要商户处理后才会继续"},
}

// items returns the lines about an operation before its tables.
func (p *Page) items() []item {
	l := p.language
	var list []item
	add := func(english, chinese string, values ...string) {
		if len(values) > 0 {
			list = append(list, item{l.Say(english, chinese), values})
		}
	}
	say := func(words map[string][2]string, name string) string {
		if text, known := words[name]; known {
			return l.Say(text[0], text[1])
		}
		return name
	}
	unknown := l.Say("not known", "未知")
	if p.Status != "" {
		add("status", "状态", say(states, p.Status))
	}
	add("instead", "替代接口", p.ReplacedBy...)
	add("replaces", "取代", p.Replaces...)
	host := p.Host
	switch {
	case p.HostRequired:
		host += l.Say(" only", "（仅此域名）")
	case p.Host != fact.DefaultHost:
		host += l.Say(" recommended", "（推荐）")
	}
	add("host", "域名", host)
	if p.Unsigned {
		add("signature", "签名", l.Say("the request is not signed", "请求不签名"))
	}
	if p.Scheme == "brand" {
		add("scheme", "签名主体", l.Say("a brand calls it for itself: make the client with wxpay.WithScheme(apiv3.Brand())",
			"品牌以自己的身份调用：创建客户端时使用 wxpay.WithScheme(apiv3.Brand())"))
	}
	add("tags", "产品", p.Tags...)
	if len(p.Roles) == 0 {
		add("callers", "调用方", unknown)
	}
	add("callers", "调用方", p.Roles...)
	if p.Joined {
		add("identity", "身份字段", l.Say("direct and partner callers are described together: send mchid and appid, or sp_mchid and "+
			"sub_mchid with theirs", "直连与服务商模式合并描述：传 mchid 和 appid，或 sp_mchid、sub_mchid 及其 appid"))
	}
	if p.MovesMoney {
		add("money", "资金", l.Say("it moves money, or commits to it", "动用资金，或触发后续的资金变动"))
	}
	if p.Method != http.MethodGet || p.Repeat != "" {
		add("repeat", "重复请求", say(repeats, p.Repeat))
	}
	if p.Number != "" {
		add("number", "商户单号", p.Number+l.Say(" identifies what it does", " 标识本次操作"))
	}
	if p.Query != "" {
		add("outcome", "结果查询", p.Query)
	} else if p.MovesMoney {
		add("outcome", "结果查询", l.Say("no query is known that tells it", "没有已知的查询接口"))
	}
	if len(p.Means) > 0 {
		states := make([]string, len(p.Means))
		for i, m := range p.Means {
			states[i] = p.State + " " + m.State + l.Say(": ", "：") + say(outcomes, m.Meaning)
		}
		add("states", "查询状态", states...)
	}
	if p.LookBack > 0 {
		add("reach", "可查期限", l.Sayf("%d days", "%d 天", p.LookBack))
	}
	if len(p.Only) > 0 {
		add("only here", "应答独有", strings.Join(p.Only, l.Say(", ", "、"))+
			l.Say(": the query does not return it; the same request again does", "：查询接口不返回；用相同请求再次调用仍会返回"))
	}
	add("outcome of", "可确认结果", p.OutcomeOf...)
	add("notifications", "相关通知", p.Events...)
	if p.PerSecond > 0 {
		rate := l.Sayf("%d requests a second", "每秒 %d 次", p.PerSecond)
		switch p.RatePer {
		case "":
		case "merchant":
			rate += l.Say(" for a merchant", "（每个商户号）")
		case "provider":
			rate += l.Say(" for a provider", "（每个服务商）")
		default:
			rate += l.Say(" for a ", "：") + p.RatePer
		}
		add("limit", "频率限制", rate)
	} else {
		add("limit", "频率限制", unknown)
	}
	if upload := fact.UploadAt(p.Path); upload != nil && p.Method == http.MethodPost && upload.MaxSize > 0 {
		files := l.Sayf("at most %d bytes", "不超过 %d 字节", upload.MaxSize)
		if upload.Suffixes != "" {
			files += l.Say("; ", "；") + strings.Join(strings.Fields(upload.Suffixes), l.Say(", ", "、"))
		}
		add("file", "文件", files)
	}
	add("errors", "错误码", p.errors(unknown)...)
	if len(p.NoEffect) > 0 {
		add("no effect", "未生效", strings.Join(p.NoEffect, l.Say(", ", "、"))+
			l.Say(": a verified 4xx with such a code means that this request has moved nothing", "：已验签的 4xx 应答带有这些错误码时，本次请求没有动用资金"))
	}
	if p.List != "" {
		add("list", "列表", l.Sayf("Each(ctx, %q) reads it whole, page after page", "Each(ctx, %q) 自动翻页，读取全部", p.List))
	}
	add("look-alike", "同形接口", p.LookAlikes...)
	if p.Inferred {
		add("fields", "字段来源", l.Say("no official source shows them: they follow a similar operation and a public library",
			"官方未公开：参照相似接口和公开的库"))
	}
	if p.ByHand {
		add("source", "来源", l.Say("added by hand: the documentation lacks it", "人工补充：官方文档中没有"))
	}
	if p.Overlay {
		add("source", "来源", l.Say("your overlay adds or corrects it", "由自定义目录补充或更正"))
	}
	return list
}

// errors lists the codes with a meaning one by one, and the others in one line.
func (p *Page) errors(unknown string) []string {
	l := p.language
	var meant, bare []string
	for _, code := range p.Codes {
		s := code.Name
		if code.Status != 0 {
			s = fmt.Sprint(code.Status, " ", s)
		}
		if code.Meaning != "" {
			meant = append(meant, s+l.Say(": ", "：")+code.Meaning)
		} else {
			bare = append(bare, s)
		}
	}
	if len(bare) > 0 {
		meant = append(meant, strings.Join(bare, l.Say(", ", "、")))
	}
	if len(meant) == 0 {
		return []string{unknown}
	}
	return append(meant, l.Say("and others: no list is complete", "其他错误码（没有完整的列表）"))
}

// section is a table with its heading.
type section struct {
	title  string
	fields []Field
}

func (p *Page) sections() []section {
	l := p.language
	var list []section
	for _, s := range []section{
		{l.Say("Path", "路径参数"), p.Request.Path}, {l.Say("Query", "查询参数"), p.Request.Query},
		{l.Say("Header", "请求头"), p.Request.Header}, {l.Say("Body (JSON)", "请求体（JSON）"), p.Request.Body},
		{l.Say("Form (multipart; the signature covers meta only)", "表单（multipart，仅 meta 参与签名）"), p.Request.Form},
	} {
		if len(s.fields) > 0 {
			list = append(list, s)
		}
	}
	return append(list, section{p.responseTitle(), p.Response.Fields})
}

func (p *Page) responseTitle() string {
	l := p.language
	title := l.Sayf("Response %d", "应答 %d", p.Response.Status)
	switch p.Response.Kind {
	case "empty":
		return title + l.Say(", empty", "，无应答体")
	case "stream":
		title += l.Say(", a stream of ", "，文件流 ") + p.Response.Content
		switch p.Response.Signature {
		case "none":
			title += l.Say(", not signed", "，不签名")
		case "digest":
			title += l.Say(", signed by its digest in Wechatpay-Statement-Sha1", "，签名覆盖 Wechatpay-Statement-Sha1 中的摘要")
		}
		return title
	}
	return title + l.Say(" (JSON)", "（JSON）")
}
