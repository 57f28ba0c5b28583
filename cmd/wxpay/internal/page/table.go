package page

import (
	"fmt"
	"strings"
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
func rows(fields []Field, depth int) []row {
	var list []row
	for _, field := range fields {
		list = append(list, row{depth, field.Name, field.Type, field.required, strings.Join(field.remarks, "; ")})
		list = append(list, rows(field.Fields, depth+1)...)
	}
	return list
}

// item is a line about an operation as a whole.
type item struct {
	name   string
	values []string
}

// items returns the lines about an operation before its tables.
func (p *Page) items() []item {
	var list []item
	add := func(name string, values ...string) {
		if len(values) > 0 {
			list = append(list, item{name, values})
		}
	}
	switch p.Status {
	case "":
	case "offline":
		add("status", "offline: it is shut down")
	case "superseded":
		add("status", "superseded: newer operations replace it")
	case "beta":
		add("status", "beta: not open to everyone yet")
	case "restricted":
		add("status", "restricted: only after individual approval")
	case "linked":
		add("status", "linked: an earlier response gives host, path and query")
	default:
		add("status", p.Status)
	}
	add("instead", p.ReplacedBy...)
	host := p.Host
	switch {
	case p.HostRequired:
		host += " only"
	case p.Host != defaultHost:
		host += " recommended"
	}
	add("host", host)
	if p.Unsigned {
		add("signature", "the request is not signed")
	}
	if p.Scheme == "brand" {
		add("scheme", "a brand calls it for itself: make the client with wxpay.WithScheme(apiv3.Brand())")
	}
	add("tags", p.Tags...)
	add("callers", p.Roles...)
	if p.Joined {
		add("identity", "direct and partner callers are described together: send mchid and appid, or sp_mchid and "+
			"sub_mchid with theirs")
	}
	if p.MovesMoney {
		add("money", "it moves money, or commits to it")
	}
	switch p.Repeat {
	case "":
	case "documented":
		add("repeat", "the same request again has one effect, as documented")
	case "assumed":
		add("repeat", "the same request again probably has one effect; nobody promises it")
	case "no":
		add("repeat", "never repeat it")
	default:
		add("repeat", p.Repeat)
	}
	if p.Number != "" {
		add("number", p.Number+" identifies what it does")
	}
	if p.Query != "" {
		add("outcome", p.Query+" tells its outcome")
	}
	if p.PerSecond > 0 {
		rate := fmt.Sprintf("%d requests a second", p.PerSecond)
		if p.RatePer != "" {
			rate += " for a " + p.RatePer
		}
		add("limit", rate)
	}
	var meant, bare []string
	for _, code := range p.Codes {
		s := code.Name
		if code.Status != 0 {
			s = fmt.Sprint(code.Status, " ", s)
		}
		if code.Meaning != "" {
			meant = append(meant, s+": "+code.Meaning)
		} else {
			bare = append(bare, s)
		}
	}
	if len(bare) > 0 {
		meant = append(meant, strings.Join(bare, ", "))
	}
	if len(meant) > 0 {
		add("errors", append(meant, "and others: no list is complete")...)
	}
	if len(p.LookAlikes) > 0 {
		add("look-alike", p.LookAlikes...)
	}
	if p.Inferred {
		add("fields", "no official source shows them: they follow a similar operation and a public library")
	}
	if p.ByHand {
		add("source", "added by hand: the documentation lacks it")
	}
	if p.Overlay {
		add("source", "your overlay adds or corrects it")
	}
	return list
}

// section is a table with its heading.
type section struct {
	title  string
	fields []Field
}

func (p *Page) sections() []section {
	var list []section
	for _, s := range []section{
		{"Path", p.Request.Path}, {"Query", p.Request.Query}, {"Header", p.Request.Header},
		{"Body (JSON)", p.Request.Body}, {"Form (multipart; the signature covers meta only)", p.Request.Form},
	} {
		if len(s.fields) > 0 {
			list = append(list, s)
		}
	}
	return append(list, section{p.responseTitle(), p.Response.Fields})
}

func (p *Page) responseTitle() string {
	title := fmt.Sprintf("Response %d", p.Response.Status)
	switch p.Response.Kind {
	case "empty":
		return title + ", empty"
	case "stream":
		title += ", a stream of " + p.Response.Content
		switch p.Response.Signature {
		case "none":
			title += ", not signed"
		case "digest":
			title += ", signed by its digest in Wechatpay-Statement-Sha1"
		}
		return title
	}
	return title + " (JSON)"
}
