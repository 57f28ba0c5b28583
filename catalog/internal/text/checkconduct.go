package text

import (
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// conduct checks what was reviewed against the fields of the write and of its query.
func (c *checker) conduct(o *fact.Operation) {
	if o.Method == "GET" && (o.MovesMoney || o.Repeat != "" || o.Number.Space != "" || o.Link != nil || len(o.Excludes) > 0) {
		c.report("a read moves nothing and can be repeated")
	}
	if !slices.Contains([]fact.Repeat{fact.Unreviewed, fact.Documented, fact.Assumed, fact.Never}, o.Repeat) {
		c.report("unknown repeat class %q", o.Repeat)
	}
	if o.Number.Space != "" && !carries(o, o.Number.Field) {
		c.report("the number %q is no field of the request", o.Number.Field)
	}
	if o.Rate.PerSecond != 0 && o.Rate.Per != "merchant" && o.Rate.Per != "provider" {
		c.report("the rate counts by %q; merchant and provider are known", o.Rate.Per)
	}
	if o.Link != nil {
		c.link(o, o.Link, c.known("GET "+o.Link.Query))
	}
	for _, pair := range o.Bind {
		field, ok := findMember(pair.To, o.Out)
		if !ok || field.Type != fact.String && field.Type != fact.Integer || field.Cipher != fact.Plain || pair.Optional || !carries(o, pair.From) {
			c.report("bind %s: the answer has no such text or whole number, or the call does not carry it", pair.To)
		}
	}
	seen := map[string]bool{}
	for _, e := range o.Excludes {
		if !o.MovesMoney || seen[e.Code] || !made(e.Code, upper+digits+"_") || !slices.Contains(o.Docs, e.Doc) {
			c.report("excludes %s: the operation moves no money, the code stands twice, or the page is not the operation's", e.Code)
		}
		seen[e.Code] = true
	}
}

func (c *checker) link(o *fact.Operation, l *fact.Link, query *fact.Operation) {
	if query == nil {
		c.report("the link leads to GET %s, which is unknown", l.Query)
		return
	}
	if o.Repeat == fact.Unreviewed || o.Number.Space == "" {
		c.report("a link needs a repeat class and a number")
	}
	if len(l.Missing) == 0 || len(l.Copy) == 0 {
		c.report("a link needs a copied field and a code that means missing")
	}
	filled := map[string]bool{}
	for _, pair := range l.Copy {
		filled[pair.To] = true
		inPath := slices.ContainsFunc(query.In.Path, func(f fact.Field) bool { return f.Name == pair.To })
		inQuery := slices.ContainsFunc(query.In.Query, func(f fact.Field) bool { return f.Name == pair.To })
		if !inPath && !inQuery || inPath && pair.Optional {
			c.report("copy %s: no field of the query, or an optional placeholder", pair.To)
		}
		if !carries(o, pair.From) {
			c.report("copy %s: %s is no field of the write", pair.To, pair.From)
		}
	}
	for _, field := range query.In.Path {
		if !filled[field.Name] {
			c.report("nothing is copied to {%s}", field.Name)
		}
	}
	for _, pair := range l.Same {
		if _, ok := findMember(pair.To, query.Out); !ok || !carries(o, pair.From) {
			c.report("same %s: not carried by both sides", pair.To)
		}
	}
	for _, name := range l.Only {
		if _, ok := findMember(name, o.Out); !ok {
			c.report("only %s: the write does not answer it", name)
		}
		if _, ok := findMember(name, query.Out); ok {
			c.report("only %s: the query answers it, too", name)
		}
	}
	c.states(l, query)
}

func (c *checker) states(l *fact.Link, query *fact.Operation) {
	state, ok := findMember(l.State, query.Out)
	if l.State != "" && (!ok || state.Type != fact.String) || l.State == "" && (len(l.Means) > 0 || l.Acts) {
		c.report("the state %q is no text in the answer of the query", l.State)
		return
	}
	seen := map[string]bool{}
	for _, m := range l.Means {
		switch m.Meaning {
		case fact.Taken, fact.Accepted, fact.Succeeded, fact.Failed, fact.Partial, fact.NeedsAction:
		default:
			c.report("the state %s means %q, which is unknown", m.Value, m.Meaning)
		}
		if seen[m.Value] || len(state.Enum) > 0 && !slices.Contains(state.Enum, any(m.Value)) {
			c.report("the state %s stands twice or is not documented", m.Value)
		}
		seen[m.Value] = true
	}
	if l.Parts != nil {
		if part, ok := findMember(l.Parts.List+"."+l.Parts.State, query.Out); !ok || part.Type != fact.String {
			c.report("the parts %s.%s are not in the answer of the query", l.Parts.List, l.Parts.State)
		}
	}
}

// carries reports whether the request of o has the field, which is a dotted path, a placeholder in braces, or a query field
// behind a question mark.
func carries(o *fact.Operation, source string) bool {
	if name, ok := fact.QueryField(source); ok {
		return slices.ContainsFunc(o.In.Query, func(f fact.Field) bool { return f.Name == name })
	}
	if name, ok := fact.Placeholder(source); ok {
		return slices.ContainsFunc(o.In.Path, func(f fact.Field) bool { return f.Name == name })
	}
	_, ok := findMember(source, o.In.JSON)
	return ok
}

// findMember returns the field at a dotted path.
func findMember(path string, list []fact.Field) (*fact.Field, bool) {
	name, rest, deeper := strings.Cut(path, ".")
	for i := range list {
		if list[i].Name == name {
			if deeper {
				return findMember(rest, list[i].Fields)
			}
			return &list[i], true
		}
	}
	return nil, false
}
