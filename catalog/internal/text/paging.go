package text

import (
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/fact"
)

// pagingText writes BY PLACE [SIZE or NEXT] LIST.
func pagingText(o *fact.Operation) []string {
	p := o.Paging
	if p == nil {
		return nil
	}
	return []string{strings.Join([]string{string(p.By), p.Place, p.Size + p.Next, p.List}, " ")}
}

func setPaging(o *fact.Operation, value string) error {
	list, err := exactly(value, 4)
	if err != nil {
		return err
	}
	if o.Paging != nil {
		return errTwice
	}
	p := &fact.Paging{By: fact.PagedBy(list[0]), Place: list[1], Size: list[2], List: list[3]}
	if p.By == fact.ByCursor {
		p.Size, p.Next = "", list[2]
	}
	o.Paging = p
	return nil
}

func (c *checker) paging(o *fact.Operation) {
	p := o.Paging
	if p == nil {
		return
	}
	if !slices.Contains([]fact.PagedBy{fact.ByOffset, fact.ByPage, fact.ByCursor, fact.ByOffsetOfPages}, p.By) {
		c.report("paging by %q is unknown", p.By)
	}
	query := func(name string) bool { return fieldNamed(o.In.Query, name) != nil }
	if o.Method != "GET" || !query(p.Place) || p.By != fact.ByCursor && !query(p.Size) {
		c.report("paging: not a read, or the query has no %s or %s", p.Place, p.Size)
	}
	if p.By == fact.ByCursor && fieldNamed(o.Out, p.Next) == nil {
		c.report("paging: the response has no %s", p.Next)
	}
	if list := fieldNamed(o.Out, p.List); list == nil || list.Type == list.Type.Element() {
		c.report("paging: the response has no list %s", p.List)
	}
}

// The names by which the paging of an operation is guessed.
var (
	pagingPlaces = map[string]fact.PagedBy{"offset": fact.ByOffset, "page_index": fact.ByPage, "page_token": fact.ByCursor}
	pagingSizes  = []string{"limit", "count", "page_size"}
	pagingNext   = "next_page_token"
)

// GuessPaging fills in the paging of an operation that is new, as the names of its fields suggest
// it.
func GuessPaging(o *fact.Operation) {
	if o.Method != "GET" || o.Paging != nil {
		return
	}
	var p fact.Paging
	for _, field := range o.In.Query {
		if by, ok := pagingPlaces[field.Name]; ok {
			p.By, p.Place = by, field.Name
		} else if slices.Contains(pagingSizes, field.Name) {
			p.Size = field.Name
		}
	}
	if p.By == fact.ByCursor {
		p.Size, p.Next = "", pagingNext
	}
	for _, field := range o.Out {
		if field.Type != field.Type.Element() {
			p.List = field.Name
			break
		}
	}
	if p.By != "" && p.Size+p.Next != "" && p.List != "" && (p.Next == "" || fieldNamed(o.Out, p.Next) != nil) {
		o.Paging = &p
	}
}

func fieldNamed(list []fact.Field, name string) *fact.Field {
	i := slices.IndexFunc(list, func(f fact.Field) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return &list[i]
}
