package text_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog/internal/text"
	"github.com/wxpay-go/wxpay/fact"
)

const lists = `GET /v3/cursor
  name 甲
  query
    page_token string
    mchid string!
  answer 200 json
    rows object[]
      id string
    next_page_token string
  pages cursor page_token next_page_token rows
  not-caller mchid

GET /v3/offset
  name 乙
  joined
  query
    offset integer
    limit integer
    mchid string
  answer 200 json
    data object[]
      id string
  pages offset offset limit data
`

func TestPagingIsReadAndWritten(t *testing.T) {
	doc, err := text.Parse(lists)
	require.NoError(t, err)
	require.NoError(t, text.Check(doc))
	assert.Equal(t, lists, text.Format(doc))
	cursor, offset := doc.Operations[0], doc.Operations[1]
	assert.Equal(t, &fact.Paging{By: fact.ByCursor, Place: "page_token", Next: "next_page_token", List: "rows"}, cursor.Paging)
	assert.Equal(t, []string{"mchid"}, cursor.NotCaller)
	assert.Equal(t, &fact.Paging{By: fact.ByOffset, Place: "offset", Size: "limit", List: "data"}, offset.Paging)
}

// What an import or an overlay brings gets the line that its names suggest, and keeps one that it
// has.
func TestPagingIsGuessed(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"cursor":          {"", "", "cursor page_token next_page_token rows"},
		"page":            {"page_token string", "page_index integer\n    count integer", "page page_index count rows"},
		"offset":          {"page_token string", "offset integer\n    page_size integer", "offset offset page_size rows"},
		"no size":         {"page_token string", "offset integer", ""},
		"no next cursor":  {"next_page_token", "token", ""},
		"no list":         {"object[]", "object", ""},
		"no place":        {"page_token string", "since string", ""},
		"no read":         {"GET /v3/cursor", "POST /v3/cursor", ""},
		"there is a line": {"  doc v3/a", "  pages cursor page_token other rows", "cursor page_token other rows"},
	} {
		t.Run(name, func(t *testing.T) {
			row, _, _ := strings.Cut(strings.Replace(lists, "  pages cursor page_token next_page_token rows\n  not-caller mchid\n", "  doc v3/a\n", 1), "\n\n")
			require.Contains(t, row, c.old, "the test's own replacement")
			doc, err := text.Parse(strings.Replace(row, c.old, c.new, 1) + "\n")
			require.NoError(t, err)
			text.GuessPaging(doc.Operations[0])
			got := text.Format(doc)
			if c.want == "" {
				assert.NotContains(t, got, "pages")
				return
			}
			assert.Contains(t, got, "  pages "+c.want+"\n")
		})
	}
}

func TestPagingIsChecked(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"kind":       {"pages offset", "pages number", `paging by "number" is unknown`},
		"place":      {"pages offset offset", "pages offset at", "the query has no at or limit"},
		"size":       {"offset limit data", "offset size data", "the query has no offset or size"},
		"list":       {"limit data", "limit rows", "the response has no list rows"},
		"not a list": {"next_page_token rows", "next_page_token next_page_token", "the response has no list next_page_token"},
		"next":       {"next_page_token rows\n  not", "gone rows\n  not", "the response has no gone"},
		"words":      {" limit data", " limit", "pages takes 4 words"},
		"twice": {"  pages offset offset limit data\n",
			"  pages offset offset limit data\n  pages offset offset limit data\n", "pages is given twice"},
		"no such field":     {"not-caller mchid", "not-caller appid", "not-caller appid: no field"},
		"required identity": {"    limit integer\n    mchid string", "    limit integer\n    mchid string!", "mchid: it is required, and direct and partner"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, 1, strings.Count(lists, c.old), "the test's own replacement")
			doc, err := text.Parse(strings.Replace(lists, c.old, c.new, 1))
			if err == nil {
				err = text.Check(doc)
			}
			assert.ErrorContains(t, err, c.want)
		})
	}
}
