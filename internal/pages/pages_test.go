package pages_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/pages"
)

// page is a page with these elements, divided by blanks, and fields.
type page struct {
	elements string
	next     string
	ints     map[string]int64
}

func (p page) list() []string       { return strings.Fields(p.elements) }
func (p page) Len() int             { return len(p.list()) }
func (p page) Element(i int) string { return p.list()[i] }

func (p page) Text(path string) (string, bool) { return p.next, path == "next" && p.next != "" }

func (p page) Int(path string) (int64, bool) {
	value, there := p.ints[path]
	return value, there
}

func paging(by fact.PagedBy) pages.Paging {
	if by == fact.ByCursor {
		return pages.Paging{Paging: fact.Paging{By: by, Place: "cursor", Next: "next"}}
	}
	return pages.Paging{Paging: fact.Paging{By: by, Place: "place", Size: "size"}, PerPage: 2}
}

func TestWalk(t *testing.T) {
	total := func(n int64, elements string) page {
		return page{elements: elements, ints: map[string]int64{"total_count": n, "size": 2}}
	}
	for name, tt := range map[string]struct {
		by    fact.PagedBy
		query map[string]string
		pages []page
		asked string // queries, one a page
		says  string // the error; empty for an end
	}{
		"by offset":          {fact.ByOffset, nil, []page{total(3, "a b"), total(3, "c")}, "place=0 size=2; place=2 size=2", ""},
		"by page":            {fact.ByPage, nil, []page{total(3, "a b"), total(3, "c")}, "place=1 size=2; place=2 size=2", ""},
		"pages in an offset": {fact.ByOffsetOfPages, nil, []page{total(3, "a b"), total(3, "c")}, "place=0 size=2; place=1 size=2", ""},
		"by cursor":          {fact.ByCursor, nil, []page{{elements: "a", next: "x"}, {elements: "b"}}, "; cursor=x", ""},
		"from the middle": {fact.ByOffset, map[string]string{"place": "5", "size": "3"}, []page{{elements: "a b c"}, {elements: ""}},
			"place=5 size=3; place=8 size=3", ""},
		"from a page":         {fact.ByPage, map[string]string{"place": "0"}, []page{{elements: "a b"}, {}}, "place=0 size=2; place=1 size=2", ""},
		"from a cursor":       {fact.ByCursor, map[string]string{"cursor": "y"}, []page{{elements: "a"}}, "cursor=y", ""},
		"less than was asked": {fact.ByOffset, nil, []page{{elements: "a", ints: map[string]int64{"size": 2}}}, "place=0 size=2", ""},
		"the other total":     {fact.ByOffset, nil, []page{{elements: "a b", ints: map[string]int64{"total_num": 2}}}, "place=0 size=2", ""},
		"one element twice":   {fact.ByOffset, nil, []page{{elements: "a"}, {elements: "a"}, {}}, "place=0 size=2; place=1 size=2; place=2 size=2", ""},
		"a page twice":        {fact.ByOffset, nil, []page{{elements: "a b"}, {elements: "a b"}}, "place=0 size=2; place=2 size=2", "the same page came twice"},
		"an element again": {fact.ByOffset, nil, []page{{elements: "a"}, {elements: "a"}, {elements: "a"}},
			"place=0 size=2; place=1 size=2; place=2 size=2", "the same page came twice"},
		"elements, not pages": {fact.ByOffsetOfPages, nil, []page{{elements: "a b c"}, {elements: "b c d"}}, "place=0 size=2; place=1 size=2",
			`call Paging(ByOffset("place", "size", 2))`},
		"a cursor again": {fact.ByCursor, nil, []page{{elements: "a", next: "x"}, {elements: "b", next: "x"}}, "; cursor=x",
			"the cursor in next was used before"},
		"an end too early":     {fact.ByOffset, nil, []page{total(3, "a b"), total(3, "")}, "place=0 size=2; place=2 size=2", "it ended after 2 of 3 elements"},
		"another list's total": {fact.ByOffset, nil, []page{{ints: map[string]int64{"total_count": 3}}}, "place=0 size=2", ""},
	} {
		t.Run(name, func(t *testing.T) {
			walk, err := pages.Begin(paging(tt.by), func(name string) (string, bool) {
				value, there := tt.query[name]
				return value, there
			})
			require.NoError(t, err)
			var asked []string
			for i, page := range tt.pages {
				var query []string
				walk.Query(func(name string, value any) { query = append(query, fmt.Sprintf("%s=%v", name, value)) })
				asked = append(asked, strings.Join(query, " "))
				if err = walk.Compare(page); err != nil {
					break
				}
				var more bool
				more, err = walk.Step(page)
				require.Equal(t, err == nil && i < len(tt.pages)-1, more, "page %d", i)
			}
			assert.Equal(t, tt.asked, strings.Join(asked, "; "))
			if tt.says == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorIs(t, err, pages.ErrBroken)
			assert.ErrorContains(t, err, tt.says)
		})
	}
}

func TestMistakes(t *testing.T) {
	for says, p := range map[string]pages.Paging{
		"the value is empty":   {},
		"a name is empty":      {Paging: fact.Paging{By: fact.ByCursor, Place: "cursor"}},
		"0 elements on a page": {Paging: fact.Paging{By: fact.ByPage, Place: "page", Size: "size"}},
	} {
		assert.ErrorContains(t, p.Check(), says)
	}
	for _, by := range []fact.PagedBy{fact.ByOffset, fact.ByPage, fact.ByOffsetOfPages, fact.ByCursor} {
		assert.NoError(t, paging(by).Check())
	}
	for name, value := range map[string]string{"place": "-1", "size": "0"} {
		_, err := pages.Begin(paging(fact.ByOffset), func(asked string) (string, bool) { return value, asked == name })
		assert.ErrorContains(t, err, `the query field "`+name+`" is not a`)
	}
}
