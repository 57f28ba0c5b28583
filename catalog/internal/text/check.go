package text

import (
	"errors"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

func isLiteral(segment string) bool { return made(segment, lower+digits+"_-") }

// placeholder returns the name in a segment that stands for a value.
func placeholder(segment string) (string, bool) {
	name, opened := strings.CutPrefix(segment, "{")
	name, closed := strings.CutSuffix(name, "}")
	return name, opened && closed && made(name, lower+digits+"_")
}

// isEventType wants at least two words divided by a dot.
func isEventType(s string) bool {
	for word := range strings.SplitSeq(s, ".") {
		if !made(word, upper+digits+"_") {
			return false
		}
	}
	return strings.Contains(s, ".")
}

// Check tells what is wrong with a document, all of it, one error a fact: rows must be sorted, unique and well-formed. It
// returns nil when nothing is wrong.
func Check(doc *Document) error {
	var c checker
	ids := map[string]*fact.Operation{}
	for _, operation := range doc.Operations {
		ids[operation.Method+" "+operation.Path] = operation
	}
	c.known = func(id string) *fact.Operation { return ids[id] }
	for i, operation := range doc.Operations {
		c.where = operation.Method + " " + operation.Path
		if i > 0 && Compare(doc.Operations[i-1], operation) >= 0 {
			c.report("stands twice or out of order")
		}
		c.operation(operation)
	}
	for i, event := range doc.Events {
		c.where = event.Type
		if i > 0 && doc.Events[i-1].Type >= event.Type {
			c.report("stands twice or out of order")
		}
		c.event(event)
	}
	for i, code := range doc.Codes {
		c.where = "code " + code.Name
		if i > 0 && doc.Codes[i-1].Name >= code.Name {
			c.report("stands twice or out of order")
		}
		if !made(code.Name, upper+digits+"_") || code.Status < 200 || code.Status > 599 {
			c.report("a code is of capitals, and has an HTTP status; this one has %d", code.Status)
		}
		c.words("label", code.Label)
		if code.Same != "" && !made(code.Same, upper+digits+"_") || code.Same == code.Name {
			c.report("cannot be the same as %q", code.Same)
		}
	}
	return errors.Join(c.found...)
}

// CheckRows is Check for rows of a larger document, in any order. known returns the operation with an id such as
// "GET /v3/certificates", nil for none; they are among those it knows.
func CheckRows(doc *Document, known func(id string) *fact.Operation) error {
	c := checker{known: known}
	seen := map[string]bool{}
	at := func(where string) {
		if c.where = where; seen[where] {
			c.report("stands twice")
		}
		seen[where] = true
	}
	for _, operation := range doc.Operations {
		at(operation.Method + " " + operation.Path)
		c.operation(operation)
	}
	for _, event := range doc.Events {
		at(event.Type)
		c.event(event)
	}
	return errors.Join(c.found...)
}

func (c *checker) operation(o *fact.Operation) {
	if !slices.Contains(Methods, o.Method) {
		c.report("unknown method")
	}
	c.path(o)
	c.words("name", o.Name)
	if o.Host != "" && strings.ContainsAny(o.Host, " /") || o.HostRequired && o.Host == "" {
		c.report("bad host %q", o.Host)
	}
	c.scheme(o.Scheme)
	if (o.Scheme == fact.BrandScheme) != strings.HasPrefix(o.Path, "/brand/") {
		c.report("the paths beneath /brand/ have the scheme brand, and no others")
	}
	switch o.Status {
	case fact.Current, fact.Offline, fact.Superseded, fact.Beta, fact.Restricted, fact.Linked:
	default:
		c.report("unknown status %q", o.Status)
	}
	for _, id := range o.ReplacedBy {
		if m, path, _ := strings.Cut(id, " "); method(m) == "" || !strings.HasPrefix(path, "/") || id == o.Method+" "+o.Path {
			c.report("replaced-by %q is not METHOD /path of another operation", id)
		} else if c.known(id) == nil {
			c.report("is replaced by %q, which is unknown", id)
		}
	}
	c.words("tag", o.Tags...)
	c.words("role", o.Roles...)
	c.docs(o.Docs)
	c.codes(o)
	c.answer(o)
	c.paging(o)
	c.callers(o)
	c.conduct(o)
	for _, place := range []struct {
		name string
		list []fact.Field
	}{
		{"path", o.In.Path}, {"query", o.In.Query}, {"header", o.In.Header}, {"json", o.In.JSON}, {"form", o.In.Form},
		{"answer", o.Out},
	} {
		c.fields(place.name, place.list, false, place.name == "form")
	}
	if len(o.In.Form) > 0 {
		files, metas := 0, 0
		for _, part := range o.In.Form {
			switch {
			case part.Type == fact.File:
				files++
			case part.Name == "meta" && part.JSONText:
				metas++
			}
		}
		if files != 1 || metas != 1 || len(o.In.Form) != 2 || len(o.In.JSON) > 0 {
			c.report("a form has one file and meta, and excludes a JSON body")
		}
	}
}

// identities are the fields that direct and partner callers use in different combinations.
var identities = []string{
	"mchid", "appid", "sp_mchid", "sp_appid", "sub_mchid", "sub_appid", "openid", "sp_openid", "sub_openid",
}

// callers checks what is said of the fields that name callers.
func (c *checker) callers(o *fact.Operation) {
	for _, name := range o.NotCaller {
		if fieldNamed(o.In.Query, name) == nil && fieldNamed(o.In.JSON, name) == nil {
			c.report("not-caller %s: no field at the top of the query or body", name)
		}
	}
	if !o.Joined {
		return
	}
	for _, list := range [][]fact.Field{o.In.Query, o.In.JSON} {
		c.optionalIdentities(list)
	}
}

func (c *checker) optionalIdentities(list []fact.Field) {
	for i := range list {
		if field := &list[i]; field.Required && !field.Overlay && slices.Contains(identities, field.Name) {
			c.report("%s: it is required, and direct and partner callers are described together", field.Name)
		}
		c.optionalIdentities(list[i].Fields)
	}
}

func (c *checker) path(o *fact.Operation) {
	segments := strings.Split(o.Path, "/")
	if segments[0] != "" || len(segments) < 2 {
		c.report("the path does not begin with a slash")
		return
	}
	var names []string
	for i, segment := range segments[1:] {
		name, isPlaceholder := placeholder(segment)
		switch {
		case isPlaceholder:
			names = append(names, name)
		case segment == "" && i == len(segments)-2 && i > 0: // a trailing slash
		case !isLiteral(segment):
			c.report("the path has the segment %q", segment)
		}
	}
	var listed []string
	for _, field := range o.In.Path {
		listed = append(listed, field.Name)
		if !field.Required {
			c.report("the placeholder %q is not required", field.Name)
		}
	}
	if !slices.Equal(names, listed) {
		c.report("the placeholders are %q, but %q are listed", names, listed)
	}
}

func (c *checker) answer(o *fact.Operation) {
	ok := false
	switch o.Response {
	case fact.JSONResponse:
		ok = o.Success == 200 && o.Content == "" && o.Signature == fact.OverBody && len(o.Out) > 0
	case fact.EmptyResponse:
		ok = (o.Success == 202 || o.Success == 204) && o.Content == "" && o.Signature == fact.OverBody && len(o.Out) == 0
	case fact.StreamResponse:
		ok = o.Success == 200 && slices.Contains([]string{"data", "pdf", "image"}, o.Content) && len(o.Out) == 0 &&
			slices.Contains([]fact.Signature{fact.OverBody, fact.NoSignature, fact.OverDigest}, o.Signature)
	}
	if !ok {
		c.report("the answer %q with %d fields makes no sense", answerText(o), len(o.Out))
	}
}

func (c *checker) event(e *fact.Event) {
	if !isEventType(e.Type) {
		c.report("bad event type")
	}
	c.words("name", e.Name)
	c.words("algorithm", e.Algorithm)
	c.scheme(e.Scheme)
	for _, alias := range e.Aliases {
		if !isEventType(alias) || alias == e.Type {
			c.report("bad alias %q", alias)
		}
	}
	c.words("resource-type", e.ResourceTypes...)
	c.words("original-type", e.OriginalTypes...)
	c.words("variant", e.Variants...)
	c.docs(e.Docs)
	if len(e.Resource) == 0 {
		c.report("the resource has no fields")
	}
	c.fields("resource", e.Resource, false, false)
	if e.Reply != nil {
		if len(e.Reply.Body) == 0 {
			c.report("the reply has no body")
		}
		c.fields("reply-body", e.Reply.Body, false, false)
		c.fields("reply-header", e.Reply.Header, false, false)
	}
}

// codes checks the error codes of an operation. A meaning is an English clause: it stands behind a
// colon in an error.
func (c *checker) codes(o *fact.Operation) {
	for i, code := range o.Codes {
		if !made(code.Name, upper+digits+"_") || code.Status != 0 && (code.Status < 200 || code.Status > 599) {
			c.report("code %s: not of capitals, or no HTTP status", code.Name)
		}
		if slices.ContainsFunc(o.Codes[:i], func(other fact.OperationCode) bool { return other.Name == code.Name }) {
			c.report("code %s stands twice", code.Name)
		}
		if code.Doc != "" {
			c.docs([]string{code.Doc})
		}
		switch m := code.Meaning; {
		case m == "":
		case code.Doc == "":
			c.report("code %s: a meaning needs the page that tells it", code.Name)
		case len(m) > 140 || strings.HasSuffix(m, ".") || strings.TrimSpace(m) != m || strings.ContainsFunc(m, notEnglish):
			c.report("code %s: the meaning is no clause of English of at most 140 characters without a full stop", code.Name)
		}
	}
}

func notEnglish(r rune) bool { return r < ' ' || r > '~' }
