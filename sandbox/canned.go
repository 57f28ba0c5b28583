package sandbox

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// HeaderSandbox is the header that says how an answer came about: "stateful" where the sandbox follows what it was told
// before, "canned" where it only checked the request and made an answer that looks like the platform's. Every answer of a
// documented operation has it, refusals too. The platform has no such header.
const HeaderSandbox = "X-Sandbox"

// cannedOperations are all documented operations. Those that do more are added before them.
func cannedOperations() []operation {
	list := make([]operation, 0, 1100)
	for facts := range catalog.V3().All() {
		list = append(list, operation{Operation: facts, do: (*call).canned, canned: true})
	}
	return list
}

// canned answers with values made from the facts of the answer. They repeat what the request says under the same names, and are the
// same for the same request at the same time, except that encryption is random and that each link is another.
func (c *call) canned() (any, *refusal) {
	if refused := c.checkCaller(); refused != nil || c.operation.Response != fact.JSONResponse {
		return nil, refused
	}
	sent := c.told()
	m := maker{
		now: c.now, mchid: c.platform.callerID, random: newRandom(c.faults.seed, c.identity()...),
		sent: sent, joined: c.operation.Joined, link: c.cannedFile, hash: cannedHash, seal: c.sealToCaller,
	}
	answer := m.object(c.operation.Out, c.object)
	sent.page.count(c.operation.Out, answer, c.target)
	return answer, nil
}

// checkCaller refuses a request that says it comes from another merchant than the one who signed it: sp_mchid is always the
// caller's number, and mchid is where it stands beside an appid and only direct merchants may call. Elsewhere it can be another
// merchant's, of whom the request is.
func (c *call) checkCaller() *refusal {
	names := []string{"sp_mchid"}
	direct := func(role string) bool {
		return strings.HasPrefix(role, "普通商户") || strings.HasPrefix(role, "直连")
	}
	appid := func(field fact.Field) bool { return field.Name == "appid" }
	if roles, in := c.operation.Roles, c.operation.In; len(roles) > 0 && !slices.ContainsFunc(roles, func(role string) bool { return !direct(role) }) &&
		(slices.ContainsFunc(in.JSON, appid) || slices.ContainsFunc(in.Query, appid)) {
		names = append(names, "mchid")
	}
	for _, name := range names {
		if id := c.member(name); id != "" {
			if refused := c.checkMerchant("body", "/"+name, id); refused != nil {
				return refused
			}
		}
		if id := c.query.Get(name); id != "" {
			if refused := c.checkMerchant("query", name, id); refused != nil {
				return refused
			}
		}
	}
	return nil
}

// identity tells this request from others. The page that is asked for is no part of it, so that the pages of a list come from
// one list.
func (c *call) identity() []string {
	path, _, _ := strings.Cut(c.target, "?")
	query := maps.Clone(c.query)
	maps.DeleteFunc(query, func(name string, _ []string) bool { return slices.Contains(pageMembers, name) })
	return []string{c.operation.Method, path, url.Values(query).Encode(), string(marshal(c.object))}
}

// cannedContent is what is in every file that a canned answer links to.
const cannedContent = "sandbox\n"

var cannedHash = fmt.Sprintf("%x", sha1.Sum([]byte(cannedContent)))

func (c *call) cannedFile() string {
	return c.downloadURL("/v3/billdownload/file", "", func() *stream { return fileOf("text/plain", []byte(cannedContent)) })
}

// base is the URL under which the caller reached the sandbox.
func (c *call) base() string {
	scheme := "http"
	if c.request.TLS != nil {
		scheme = "https"
	}
	return scheme + "://" + c.request.Host
}

// sealToCaller encrypts for the certificate that signed the request. What is too long for that is cut short.
func (c *call) sealToCaller(plain string) string {
	key := c.platform.callers[c.caller]
	for len(plain) > c.scheme.MaxPlaintext(key) {
		runes := []rune(plain)
		plain = string(runes[:len(runes)/2])
	}
	sealed, err := c.scheme.Encrypt(key, []byte(plain))
	if err != nil {
		panic("sandbox: encrypting: " + err.Error()) // it is short enough, and the key fits the scheme
	}
	return base64.StdEncoding.EncodeToString(sealed)
}

// sent is what a request says, by name.
type sent struct {
	top    map[string]any // path, query and the members of the body
	within map[string]any // identifiers further down in the body, the first of each name
	secret map[string]bool
	page   page
}

// told collects what the request says.
func (c *call) told() *sent {
	s := &sent{top: make(map[string]any), within: make(map[string]any), secret: make(map[string]bool)}
	for name, value := range c.object {
		s.top[name] = value
	}
	for _, name := range slices.Sorted(maps.Keys(c.object)) {
		s.descend(c.object[name])
	}
	for name, values := range c.query {
		if len(values) == 1 {
			s.top[name] = values[0]
		}
	}
	for name, value := range c.path {
		s.top[name] = value
	}
	s.secrets(c.operation.In.JSON)
	s.secrets(c.operation.In.Query)
	s.page = s.pageAsked()
	return s
}

func (s *sent) descend(value any) {
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

func (s *sent) secrets(fields []fact.Field) {
	for i := range fields {
		if fields[i].Cipher != fact.Plain {
			s.secret[fields[i].Name] = true
		}
		s.secrets(fields[i].Fields)
	}
}

// repeat returns the value of the field that the request has: of the object in the same place, else of the whole request, else,
// for an identifier, of anywhere. The name is the one of several that the request uses.
func (m *maker) repeat(field *fact.Field, scope map[string]any) (name string, value any, ok bool) {
	if m.sent == nil {
		return "", nil, false
	}
	for _, name := range append([]string{field.Name}, field.Alt...) {
		for i, from := range []map[string]any{scope, m.sent.top, m.sent.within} {
			told, found := from[name]
			if !found || i == 2 && !isIdentifier(name) {
				continue
			}
			if value, ok := m.conform(field, told); ok {
				return name, value, true
			}
		}
	}
	return "", nil, false
}

// conform returns what the request says as a value of the field, if it can be one.
func (m *maker) conform(field *fact.Field, told any) (any, bool) {
	element := field.Type.Element()
	if list, ok := told.([]any); ok != (element != field.Type) {
		return nil, false
	} else if ok {
		if element == fact.Object {
			return m.value(field, told), true
		}
		one := *field
		one.Type = element
		conforming := make([]any, len(list))
		for i := range list {
			if conforming[i], ok = m.conform(&one, list[i]); !ok {
				return nil, false
			}
		}
		return conforming, true
	}
	text, isText := told.(string)
	switch element {
	case fact.Object:
		_, ok := told.(map[string]any)
		if !ok {
			return nil, false
		}
		return m.value(field, told), true
	case fact.Boolean:
		if isText {
			told = text == "true"
			return told, text == "true" || text == "false"
		}
		_, ok := told.(bool)
		return told, ok
	case fact.Integer, fact.Number:
		n, ok := told.(json.Number)
		if isText { // of a path or query
			n = json.Number(text)
			_, err := strconv.ParseInt(text, 10, 64)
			ok = err == nil
		}
		return n, ok && (len(field.Enum) == 0 || slices.ContainsFunc(field.Enum, func(constant any) bool { return string(marshal(constant)) == n.String() }))
	}
	switch {
	case !isText, field.Cipher == fact.Plain && m.sent.secret[field.Name], len(field.Enum) > 0 && !slices.Contains(field.Enum, any(text)):
		return nil, false
	case field.Format == "rfc3339" && !isTime(time.RFC3339, text), field.Format == "date" && !isTime(time.DateOnly, text):
		return nil, false
	case field.Cipher == fact.RSA && m.seal != nil:
		return m.seal(text), true
	}
	return text, true
}

func isTime(layout, text string) bool {
	_, err := time.Parse(layout, text)
	return err == nil
}

// otherCaller reports whether a member is an identity of the kind of caller that did not call: where one description serves
// direct and partner callers, it lists the identities of both.
func (m *maker) otherCaller(name string) bool {
	if !m.joined || m.sent == nil {
		return false
	}
	_, partner := m.sent.top["sp_mchid"]
	if !partner {
		_, partner = m.sent.top["sub_mchid"]
	}
	switch name {
	case "mchid", "appid", "openid":
		return partner
	case "sp_mchid", "sp_appid", "sub_mchid", "sub_appid", "sp_openid", "sub_openid":
		return !partner
	}
	return false
}

// page is the part of a list that a request asks for.
type page struct {
	from int // how many elements come before it
	size int // how many it has at most; 0 when the request does not say
}

// pageMembers are the members of documented requests that say which page is wanted: offset and limit, page_index (which
// counts from 1) and page_size, page_token and page_size; some call the size count.
var pageMembers = []string{"limit", "offset", "page_index", "page_size", "page_token", "count"}

func (s *sent) pageAsked() (p page) {
	p.size = max(wholeNumber(s.top["limit"]), wholeNumber(s.top["page_size"]))
	if p.size == 0 {
		p.size = wholeNumber(s.top["count"])
	}
	p.from = max(wholeNumber(s.top["offset"]), wholeNumber(s.top["page_token"]), (wholeNumber(s.top["page_index"])-1)*p.size)
	return p
}

// wholeNumber reads a number of a query or a body; what is none, or below 0, is 0.
func wholeNumber(value any) int {
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

// count cuts the list of an answer to the page that was asked for, and makes its numbers fit. The whole list has as many elements
// as were made. target is the request's.
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
