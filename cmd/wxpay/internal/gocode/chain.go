package gocode

import (
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/gosource"
)

// Writer writes the calls of operations. The names in a pure chain depend on the neighbours of an operation, so it knows
// them all. [New] makes one.
type Writer struct{ root place }

// place is one prefix of paths, with the segments after it.
type place struct {
	children   map[string]*place
	operations bool // paths end here
}

// New returns a writer that knows these operations, those of package api.
func New(operations iter.Seq[*fact.Operation]) *Writer {
	w := new(Writer)
	for operation := range operations {
		at := &w.root
		for segment := range strings.SplitSeq(operation.Path[1:], "/") {
			at = at.child(segment)
		}
		at.operations = true
	}
	return w
}

func (p *place) child(segment string) *place {
	if p.children == nil {
		p.children = make(map[string]*place)
	}
	if p.children[segment] == nil {
		p.children[segment] = new(place)
	}
	return p.children[segment]
}

// doors are the functions of package api that begin pure chains.
var doors = []struct{ name, prefix string }{
	{"V3", "v3"}, {"HK", "hk/v3"}, {"Global", "global/v3"}, {"Invoicing", "invoicing"}, {"Brand", "brand"},
}

// reserved are the names that package api does not give to segments after an operation, as in its generator.
var reserved = func() map[string]bool {
	names := make(map[string]bool)
	for name := range strings.FieldsSeq("Chain Format Query Queries Header Timeout AttemptTimeout Encrypt Plain Idempotent " +
		"Unbind Each Pages Paging Download Bill BillTo Receipt Ensure OnUnknown SentBefore Resolve UntilFinal") {
		names[name] = true
	}
	for _, verb := range []string{"Get", "Post", "Put", "Patch", "Delete", "Upload"} {
		names[verb], names[verb+"Async"] = true, true
	}
	return names
}()

// pure returns the pure chain that leads to a path, with Go variables for its placeholders. ok is false for a path that
// package api does not have.
func (w *Writer) pure(path string) (expression string, ok bool) {
	path = path[1:]
	for _, door := range doors {
		rest, found := strings.CutPrefix(path, door.prefix+"/")
		if !found {
			continue
		}
		at := &w.root
		for segment := range strings.SplitSeq(door.prefix, "/") {
			if at = at.children[segment]; at == nil {
				return "", false
			}
		}
		var b strings.Builder
		b.WriteString("api." + door.name + "(client)")
		for segment := range strings.SplitSeq(rest, "/") {
			name := at.method(segment)
			if at = at.children[segment]; at == nil {
				return "", false
			}
			argument := ""
			if placeholder, ok := placeholder(segment); ok {
				argument = variable(placeholder)
			}
			b.WriteString("." + name + "(" + argument + ")")
		}
		return b.String(), true
	}
	return "", false
}

// method returns the name of the method that leads from p to a segment.
func (p *place) method(segment string) string {
	if segment == "" {
		return "Slash"
	}
	bare := strings.Trim(segment, "{}")
	name := gosource.Exported(bare)
	if bare == segment && strings.Contains(segment, "_") {
		for other := range p.children {
			if other != segment && other != "" && gosource.Exported(strings.Trim(other, "{}")) == name {
				name = strings.Join(gosource.Words(segment), "_")
				break
			}
		}
	}
	if p.operations && reserved[name] {
		name += "Segment"
	}
	return name
}

// declarative returns the expression of the declarative style, with Go variables for its placeholders.
func declarative(path string) string {
	arguments := []string{strconv.Quote(path[1:])}
	for _, name := range placeholders(path) {
		arguments = append(arguments, variable(name))
	}
	return "client.Chain(" + strings.Join(arguments, ", ") + ")"
}

// attribute returns the expression of the attribute style, with the values of its placeholders. A segment that camelCase
// cannot express stays as it is.
func attribute(path string) (head string, settings []string) {
	var names []string
	for segment := range strings.SplitSeq(path[1:], "/") {
		switch placeholder, ok := placeholder(segment); {
		case ok:
			names = append(names, `"_`+placeholder+`_"`)
		case segment == "": // the slash at the end goes with the last name
			names[len(names)-1] = strings.TrimSuffix(names[len(names)-1], `"`) + `/"`
		default:
			names = append(names, `"`+camel(segment)+`"`)
		}
	}
	for _, name := range placeholders(path) {
		settings = append(settings, fmt.Sprintf("Var(%q, %s)", name, variable(name)))
	}
	return "client.At(" + strings.Join(names, ", ") + ")", settings
}

// camel returns userFeeds for user-feeds if every hyphen is between lower-case letters, and else the segment as it is.
func camel(segment string) string {
	out := make([]byte, 0, len(segment))
	for i := 0; i < len(segment); i++ {
		switch c := segment[i]; {
		case c == '_':
			return segment
		case c != '-':
			out = append(out, c)
		case i == 0 || i == len(segment)-1 || !isLower(segment[i-1]) || !isLower(segment[i+1]):
			return segment
		default:
			i++
			out = append(out, segment[i]-'a'+'A')
		}
	}
	return string(out)
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }

// placeholders returns the names in braces of a path.
func placeholders(path string) (names []string) {
	for segment := range strings.SplitSeq(path, "/") {
		if name, ok := placeholder(segment); ok {
			names = append(names, name)
		}
	}
	return names
}

// placeholder returns the name in {name}.
func placeholder(segment string) (name string, ok bool) { return fact.Placeholder(segment) }
