package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/wxpay-go/wxpay/catalog/internal/text"
	"github.com/wxpay-go/wxpay/fact"
)

// With returns a catalogue with the additions and corrections of overlay, without waiting for a
// release; c does not change. The overlay is a text in the form of the package's documentation,
// with remarks on lines that begin with #:
//
//	# goods_tag is wanted of this merchant; the platform's mail of 3 November 2026
//	POST /v3/pay/transactions/native
//	  json
//	    goods_tag string!
//	    amount object!
//	      total integer! fen 100..
//
//	GET /v3/new/things/{thing_id}
//	  name 查询新事物
//	  path
//	    thing_id string!
//	  answer 200 json
//	    state string
//
// A block of a known operation or event contains only the differences. A line replaces all lines
// with its key (link also replaces the lines that belong to it). The line of a field replaces the
// field with its name: type, requirement, encryption and constants. Fields below follow the same
// rule. Everything else stays, and an overlay removes nothing. Any other block is a complete
// operation or event.
//
// Facts of the overlay are marked (fact.Field.Overlay, fact.Operation.Overlay, fact.Event.Overlay):
// checks before sending treat their requirements as certain. The error names the line of a syntax
// error, and the row of any other fault.
func (c *Catalog) With(overlay string) (*Catalog, error) {
	over, err := text.Parse(strings.ReplaceAll(overlay, "\r\n", "\n"))
	if err != nil {
		return nil, fmt.Errorf("catalog: the overlay is not well-formed: %w", err)
	}
	merged, rows := c.with(over)
	if err := text.CheckRows(rows, merged.exactly); err != nil {
		return nil, fmt.Errorf("catalog: the overlay makes no sense: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	merged.described = sync.OnceValue(func() *Catalog {
		described, _ := c.Described().with(over)
		return described
	})
	return merged, nil
}

// with returns the catalogue with the overlay, and the rows that it adds or corrects.
func (c *Catalog) with(over *text.Document) (merged *Catalog, own *text.Document) {
	merged, own = &Catalog{}, &text.Document{}
	operations, events := map[string]*fact.Operation{}, map[string]*fact.Event{}
	for _, o := range over.Operations {
		id := o.Method + " " + o.Path
		operations[id] = text.OverOperation(c.exactly(id), o)
		own.Operations = append(own.Operations, operations[id])
	}
	for _, e := range over.Events {
		base, _ := c.Event(e.Type)
		events[e.Type] = text.OverEvent(base, e)
		own.Events = append(own.Events, events[e.Type])
	}
	merged.operations = rowsOver(c.operations, operations, own.Operations, func(o *fact.Operation) (method, name string) { return o.Method, o.Path })
	merged.events = rowsOver(c.events, events, own.Events, func(e *fact.Event) (method, name string) { return "", e.Type })
	for _, r := range merged.operations {
		merged.paths.add(r)
	}
	for _, r := range merged.operations {
		if r.chunk == nil {
			c.group(append([]*row[fact.Operation]{r}, r.also...))
		}
	}
	return merged, own
}

// rowsOver returns new rows for those of base; the overlay's rows are already parsed.
func rowsOver[T any](base []*row[T], made map[string]*T, own []*T, names func(*T) (method, name string)) []*row[T] {
	var rows []*row[T]
	for _, r := range base {
		if made[strings.TrimSpace(r.method+" "+r.name)] == nil {
			rows = append(rows, &row[T]{method: r.method, name: r.name, chunk: r.chunk, at: r.at})
		}
	}
	for _, one := range own {
		r := &row[T]{}
		r.method, r.name = names(one)
		r.parsed.Store(one)
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b *row[T]) int {
		return cmp.Or(strings.Compare(a.name, b.name), slices.Index(text.Methods, a.method)-slices.Index(text.Methods, b.method))
	})
	return rows
}

// group parses rows of the same shape, one of them from the overlay, and links them through Also.
func (c *Catalog) group(rows []*row[fact.Operation]) {
	slices.SortFunc(rows, func(a, b *row[fact.Operation]) int { return strings.Compare(a.name, b.name) })
	all := make([]*fact.Operation, len(rows))
	for i, r := range rows {
		if all[i] = made(r); all[i] == nil {
			same := *c.exactly(r.method + " " + r.name)
			all[i] = &same
			r.parsed.Store(&same)
		}
	}
	for i, operation := range all {
		if operation.Also = nil; len(all) > 1 {
			operation.Also = slices.Delete(slices.Clone(all), i, i+1)
		}
	}
}

// exactly returns the operation with an id such as "GET /v3/certificates", nil if there is none.
func (c *Catalog) exactly(id string) *fact.Operation {
	method, path, _ := strings.Cut(id, " ")
	if operation, ok := c.Lookup(method, path); ok && operation.Path == path {
		return operation
	}
	return nil
}
