package sample

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// Sent is what a request says, by name.
type Sent struct {
	top    map[string]any // path, query and the fields of the body
	within map[string]any // identifiers further down in the body, the first of each name
	secret map[string]bool
	page   page
}

// Told collects what a request says: its body, query and path values, with the facts of its fields.
func Told(in *fact.Request, object map[string]any, query url.Values, path map[string]string) *Sent {
	s := &Sent{top: make(map[string]any), within: make(map[string]any), secret: make(map[string]bool)}
	for name, value := range object {
		s.top[name] = value
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		s.descend(object[name])
	}
	for name, values := range query {
		if len(values) == 1 {
			s.top[name] = values[0]
		}
	}
	for name, value := range path {
		s.top[name] = value
	}
	s.secrets(in.JSON)
	s.secrets(in.Query)
	s.page = s.pageAsked()
	return s
}

// Page cuts the list of a response to the page that the request asks for; see page.count.
func (s *Sent) Page(fields []fact.Field, response map[string]any, target string) {
	s.page.count(fields, response, target)
}

func (s *Sent) descend(value any) {
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			s.descend(element)
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			if _, known := s.within[name]; !known && isIdentifier(name) {
				s.within[name] = value[name]
			}
			s.descend(value[name])
		}
	}
}

func (s *Sent) secrets(fields []fact.Field) {
	for i := range fields {
		if fields[i].Cipher != fact.Plain {
			s.secret[fields[i].Name] = true
		}
		s.secrets(fields[i].Fields)
	}
}

// page is the part of a list that a request asks for.
type page struct {
	from int // how many elements come before it
	size int // how many it has at most; 0 when the request does not say
}

// PageFields are the fields of documented requests that say which page is wanted: offset and limit,
// page_index (which counts from 1) and page_size, page_token and page_size; some call the size
// count.
var PageFields = []string{"limit", "offset", "page_index", "page_size", "page_token", "count"}

func (s *Sent) pageAsked() (p page) {
	p.size = max(WholeNumber(s.top["limit"]), WholeNumber(s.top["page_size"]))
	if p.size == 0 {
		p.size = WholeNumber(s.top["count"])
	}
	p.from = max(WholeNumber(s.top["offset"]), WholeNumber(s.top["page_token"]), (WholeNumber(s.top["page_index"])-1)*p.size)
	return p
}

// WholeNumber reads a number of a query or a body; what is none, or below 0, is 0.
func WholeNumber(value any) int {
	var text string
	switch value := value.(type) {
	case string:
		text = value
	case json.Number:
		text = value.String()
	}
	n, _ := strconv.Atoi(text)
	return max(n, 0)
}

// count cuts the list of a response to the page that was asked for, and makes its numbers fit. The
// whole list has as many elements as were made. target is the request's.
func (p page) count(fields []fact.Field, answer map[string]any, target string) {
	list := ""
	for i := range fields {
		if _, made := answer[fields[i].Name].([]any); made && (list == "" || fields[i].Name == "data") {
			list = fields[i].Name
		}
	}
	if list == "" {
		return
	}
	whole := answer[list].([]any)
	shown := whole[min(p.from, len(whole)):]
	if p.size > 0 {
		shown = shown[:min(p.size, len(shown))]
	}
	answer[list] = shown
	next := ""
	if end := p.from + len(shown); end < len(whole) {
		next = strconv.Itoa(end)
	}
	for name := range answer {
		switch name {
		case "total_count", "total_num":
			answer[name] = len(whole)
		case "count", "current_total_num", "success_count":
			answer[name] = len(shown)
		case "fail_count":
			answer[name] = 0
		case "next_page_token":
			answer[name] = next
		case "links":
			if links, ok := answer[name].(map[string]any); ok {
				maps.Copy(links, p.links(target, next))
			}
		}
	}
}

// links are the targets of this page and its neighbours.
func (p page) links(target, next string) map[string]any {
	path, rawQuery, _ := strings.Cut(target, "?")
	at := func(offset string) string {
		query, _ := url.ParseQuery(rawQuery) // was read before
		query.Set("offset", offset)
		return path + "?" + query.Encode()
	}
	links := map[string]any{"self": target, "next": "", "prev": ""}
	if next != "" {
		links["next"] = at(next)
	}
	if p.from > 0 {
		links["prev"] = at(strconv.Itoa(max(0, p.from-p.size)))
	}
	return links
}

// isIdentifier reports whether a member of that name names one thing, so that its value means the
// same thing wherever it stands.
func isIdentifier(name string) bool {
	return name == "id" || slices.ContainsFunc([]string{"_no", "_id", "mchid", "appid", "openid", "_code", "_number"}, func(end string) bool {
		return strings.HasSuffix(name, end)
	})
}
