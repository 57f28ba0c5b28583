package wxpay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/catalog"
)

// shelf is a gateway with a list of so many elements. It answers by what page says of the query, and notes the queries.
type shelf struct {
	page    func(url.Values) wxpay.JSON
	queries []string
}

func (s *shelf) RoundTrip(req *http.Request) (*http.Response, error) {
	s.queries = append(s.queries, req.URL.RawQuery)
	page := s.page(req.URL.Query())
	if page == nil {
		return answer{status: 400, body: `{"code":"PARAM_ERROR","message":"x"}`}.RoundTrip(req)
	}
	body, err := json.Marshal(page)
	if err != nil {
		return nil, err
	}
	return answer{body: string(body)}.RoundTrip(req)
}

func number(q url.Values, name string) int {
	n, _ := strconv.Atoi(q.Get(name))
	return n
}

// cut returns the elements from begin on, size at most, of a list of total.
func cut(begin, size, total int) []wxpay.JSON {
	list := []wxpay.JSON{}
	for i := begin; i < min(begin+size, total); i++ {
		list = append(list, wxpay.JSON{"id": i})
	}
	return list
}

// byOffset answers as the platform's usual list does.
func byOffset(total int) func(url.Values) wxpay.JSON {
	return func(q url.Values) wxpay.JSON {
		begin, size := number(q, "offset"), number(q, "limit")
		return wxpay.JSON{"data": cut(begin, size, total), "offset": begin, "limit": size, "total_count": total}
	}
}

// less removes members from what page answers.
func less(page func(url.Values) wxpay.JSON, names ...string) func(url.Values) wxpay.JSON {
	return func(q url.Values) wxpay.JSON {
		answer := page(q)
		for _, name := range names {
			delete(answer, name)
		}
		return answer
	}
}

func byPage(first, total int) func(url.Values) wxpay.JSON {
	return func(q url.Values) wxpay.JSON {
		page, size := number(q, "page_index"), number(q, "page_size")
		return wxpay.JSON{"active_link_list": cut((page-first)*size, size, total), "page_index": page, "page_size": size, "total_num": total}
	}
}

// pageNumberInOffset counts pages in offset.
func pageNumberInOffset(total int) func(url.Values) wxpay.JSON {
	return func(q url.Values) wxpay.JSON {
		page, size := number(q, "offset"), number(q, "limit")
		return wxpay.JSON{"data": cut(page*size, size, total), "offset": page, "limit": size, "total_count": total}
	}
}

func byCursor(next map[string]string) func(url.Values) wxpay.JSON {
	return func(q url.Values) wxpay.JSON {
		at := q.Get("page_token")
		return wxpay.JSON{"stock_list": []wxpay.JSON{{"id": at}}, "next_page_token": next[at], "total_count": 99}
	}
}

func TestPages(t *testing.T) {
	const (
		complaints = "v3/merchant-service/complaints-v2"
		links      = "v3/brand/card/card-links"
		stocks     = "v3/marketing/partner/product-coupon/product-coupons/{product_coupon_id}/stocks"
		favor      = "v3/marketing/favor/stocks"
		batch      = "v3/transfer/batches/batch-id/{batch_id}"
	)
	ignoring := func(q url.Values) wxpay.JSON { return wxpay.JSON{"data": cut(0, 5, 99)} }
	tests := []struct {
		name    string
		path    string
		do      func(wxpay.Chain) wxpay.Chain
		page    func(url.Values) wxpay.JSON
		list    string
		want    int // elements
		queries []string
		says    string
	}{
		{"offset and total", complaints, nil, byOffset(25), "data", 25, []string{"offset=0&limit=10", "offset=10&limit=10", "offset=20&limit=10"}, ""},
		{"offset, its total met exactly", complaints, nil, byOffset(20), "data", 20, []string{"offset=0&limit=10", "offset=10&limit=10"}, ""},
		{"offset, nothing", complaints, nil, byOffset(0), "data", 0, []string{"offset=0&limit=10"}, ""},
		{"offset, one", complaints, nil, byOffset(1), "data", 1, []string{"offset=0&limit=10"}, ""},
		{"offset, the list left out when empty", complaints, nil, func(url.Values) wxpay.JSON { return wxpay.JSON{"total_count": 0} }, "data", 0,
			[]string{"offset=0&limit=10"}, ""},
		{"the chain's own size and beginning", complaints, func(c wxpay.Chain) wxpay.Chain {
			return c.Query("limit", 4).Query("begin_date", "x").Query("offset", 3)
		}, byOffset(9), "data", 6,
			[]string{"begin_date=x&offset=3&limit=4", "begin_date=x&offset=7&limit=4"}, ""},
		{"without a total: a short page is the last", complaints, nil, less(byOffset(15), "total_count"), "data", 15,
			[]string{"offset=0&limit=10", "offset=10&limit=10"}, ""},
		{"without a total: an empty page is the last", complaints, nil, less(byOffset(20), "total_count"), "data", 20,
			[]string{"offset=0&limit=10", "offset=10&limit=10", "offset=20&limit=10"}, ""},
		{"without total and limit: only an empty page is the last", batch, func(c wxpay.Chain) wxpay.Chain { return c.Query("need_query_detail", true) },
			func(q url.Values) wxpay.JSON {
				return wxpay.JSON{"transfer_batch": wxpay.JSON{}, "transfer_detail_list": cut(number(q, "offset"), 10, 13)}
			},
			"transfer_detail_list", 13,
			[]string{"need_query_detail=true&offset=0&limit=10", "need_query_detail=true&offset=10&limit=10", "need_query_detail=true&offset=13&limit=10"}, ""},
		{"the platform gives fewer than asked for", complaints, func(c wxpay.Chain) wxpay.Chain { return c.Query("limit", 100) },
			func(q url.Values) wxpay.JSON {
				return wxpay.JSON{"data": cut(number(q, "offset"), 7, 15), "total_count": 15}
			}, "data", 15, []string{"offset=0&limit=100", "offset=7&limit=100", "offset=14&limit=100"}, ""},
		{"a total of something else", batch, nil, func(q url.Values) wxpay.JSON {
			return wxpay.JSON{"total_num": 99, "transfer_detail_list": cut(number(q, "offset"), 10, 3)}
		}, "transfer_detail_list", 3, []string{"offset=0&limit=10", "offset=3&limit=10"}, ""},
		{"page numbers", links, nil, byPage(1, 25), "active_link_list", 25,
			[]string{"page_index=1&page_size=10", "page_index=2&page_size=10", "page_index=3&page_size=10"}, ""},
		{"page numbers from the middle", links, func(c wxpay.Chain) wxpay.Chain { return c.Query("page_index", 2) }, byPage(1, 25), "active_link_list", 15,
			[]string{"page_index=2&page_size=10", "page_index=3&page_size=10"}, ""},
		{"cursors", stocks, nil, byCursor(map[string]string{"": "a", "a": "b/+=", "b/+=": ""}), "stock_list", 3,
			[]string{"", "page_token=a", "page_token=b%2F%2B%3D"}, ""},
		{"cursors from the middle", stocks, func(c wxpay.Chain) wxpay.Chain { return c.Query("page_token", "a").Query("page_size", 50) },
			byCursor(map[string]string{"a": "b"}), "stock_list", 2,
			[]string{"page_size=50&page_token=a", "page_size=50&page_token=b"}, ""},
		{"an empty page amid cursors", stocks, nil, func(q url.Values) wxpay.JSON {
			if q.Get("page_token") == "" {
				return wxpay.JSON{"next_page_token": "a"}
			}
			return wxpay.JSON{"stock_list": cut(0, 1, 1)}
		}, "stock_list", 1, []string{"", "page_token=a"}, ""},
		{"offset that counts pages", favor, nil, pageNumberInOffset(25), "data", 25, []string{"offset=0&limit=10", "offset=1&limit=10", "offset=2&limit=10"}, ""},
		{"named: offset", "v3/new", func(c wxpay.Chain) wxpay.Chain { return c.Paging(wxpay.ByOffset("offset", "limit", 3)) }, byOffset(5),
			"data", 5, []string{"offset=0&limit=3", "offset=3&limit=3"}, ""},
		{"named: page", "v3/new", func(c wxpay.Chain) wxpay.Chain { return c.Paging(wxpay.ByPage("page_index", "page_size", 3)) }, byPage(1, 5),
			"active_link_list", 5,
			[]string{"page_index=1&page_size=3", "page_index=2&page_size=3"}, ""},
		{"named: page from 0", "v3/new", func(c wxpay.Chain) wxpay.Chain {
			return c.Paging(wxpay.ByPage("page_index", "page_size", 3)).Query("page_index", 0)
		}, byPage(0, 5), "active_link_list", 5, []string{"page_index=0&page_size=3", "page_index=1&page_size=3"}, ""},
		{"named: cursor", "v3/new", func(c wxpay.Chain) wxpay.Chain { return c.Paging(wxpay.ByCursor("after", "paging.next").In("a.b")) },
			func(q url.Values) wxpay.JSON {
				return wxpay.JSON{"a": wxpay.JSON{"b": cut(0, 2, 2)}, "other": []int{1}, "paging": wxpay.JSON{"next": map[string]any{"": 7}[q.Get("after")]}}
			}, "a.b", 4, []string{"", "after=7"}, ""},
		{"the caller's word wins", complaints, func(c wxpay.Chain) wxpay.Chain { return c.Paging(wxpay.ByOffset("offset", "limit", 20)) },
			byOffset(25), "data", 25, []string{"offset=0&limit=20", "offset=20&limit=20"}, ""},
		{"a list in a path", "v3/new", func(c wxpay.Chain) wxpay.Chain { return c.Paging(wxpay.ByOffset("offset", "limit", 3).In("a.b")) },
			func(q url.Values) wxpay.JSON {
				return wxpay.JSON{"a": wxpay.JSON{"b": cut(number(q, "offset"), 3, 5)}, "x": []int{1}, "y": []int{2}, "total_count": 5}
			}, "a.b", 5, []string{"offset=0&limit=3", "offset=3&limit=3"}, ""},

		{"a cursor that comes again", stocks, nil, byCursor(map[string]string{"": "a", "a": "b", "b": "a"}), "stock_list", 3,
			[]string{"", "page_token=a", "page_token=b"}, "the cursor in next_page_token was used before"},
		{"a cursor that leads to itself", stocks, func(c wxpay.Chain) wxpay.Chain { return c.Query("page_token", "a") },
			byCursor(map[string]string{"a": "a"}), "stock_list", 1, []string{"page_token=a"}, "was used before"},
		{"an operation that does not take the offset", complaints, nil, ignoring, "data", 5, []string{"offset=0&limit=10", "offset=5&limit=10"},
			"the same page came twice; does the operation take the query field offset?"},
		{"one element again and again", complaints, func(c wxpay.Chain) wxpay.Chain { return c.Query("limit", 1) },
			func(url.Values) wxpay.JSON { return wxpay.JSON{"data": cut(0, 1, 1)} }, "data", 2,
			[]string{"offset=0&limit=1", "offset=1&limit=1", "offset=2&limit=1"}, "the same page came twice"},
		{"an end before the total", complaints, nil, pageNumberInOffset(25), "data", 10, []string{"offset=0&limit=10", "offset=10&limit=10"},
			"it ended after 10 of 25 elements; if the catalogue has the meaning of offset wrong, call Paging"},
		{"offset that is documented to count pages and does not", favor, nil, byOffset(25), "data", 10,
			[]string{"offset=0&limit=10", "offset=1&limit=10"}, `call Paging(ByOffset("offset", "limit", 10))`},
		{"a refusal on the way", complaints, nil, func(q url.Values) wxpay.JSON {
			if number(q, "offset") > 0 {
				return nil
			}
			return byOffset(25)(q)
		}, "data", 10, []string{"offset=0&limit=10", "offset=10&limit=10"}, "400 PARAM_ERROR"},
		{"what is no list", complaints, nil, func(url.Values) wxpay.JSON { return wxpay.JSON{"data": "SECRET"} }, "data", 0,
			[]string{"offset=0&limit=10"}, `the value at "data" in the response is not a list`},
		{"no paging in the catalogue", "v3/certificates", nil, byOffset(1), "data", 0, nil, "the catalogue does not know the paging of the list: call Paging"},
		{"nothing in the catalogue", "v3/new", nil, byOffset(1), "data", 0, nil, "the catalogue does not know the paging of the list"},
		{"a beginning that is no number", complaints, func(c wxpay.Chain) wxpay.Chain { return c.Query("offset", "x") }, byOffset(1), "data", 0,
			nil, `the query field "offset" is not a whole number`},
		{"a size of none", complaints, func(c wxpay.Chain) wxpay.Chain { return c.Query("limit", 0) }, byOffset(1), "data", 0, nil,
			`the query field "limit" is not a positive whole number`},
		{"no paging at all", "v3/new", func(c wxpay.Chain) wxpay.Chain { return c.Paging(wxpay.Paging{}) }, byOffset(1), "data", 0, nil,
			"Paging: the value is empty"},
		{"paging without a name", "v3/new", func(c wxpay.Chain) wxpay.Chain { return c.Paging(wxpay.ByCursor("x", "")) }, byOffset(1), "data", 0,
			nil, "Paging: a name is empty"},
		{"paging without a size", "v3/new", func(c wxpay.Chain) wxpay.Chain { return c.Paging(wxpay.ByOffset("offset", "limit", 0)) },
			byOffset(1), "data", 0, nil, "Paging: 0 elements on a page"},
		{"a mistake in the chain", complaints, func(c wxpay.Chain) wxpay.Chain { return c.Query("", 1) }, byOffset(1), "data", 0, nil,
			"a query field has an empty name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx := context.Background()
			start := func() (*shelf, wxpay.Chain) {
				s := &shelf{page: tt.page}
				chain := newClient(t, wxpay.WithTransport(s)).Chain(tt.path)
				for _, name := range []string{"product_coupon_id", "batch_id"} {
					if strings.Contains(tt.path, "{"+name+"}") {
						chain = chain.Var(name, "1")
					}
				}
				if tt.do != nil {
					chain = tt.do(chain)
				}
				return s, chain
			}
			check := func(s *shelf, elements []string, err error) {
				t.Helper()
				assert.Len(t, elements, tt.want)
				assert.Equal(t, tt.queries, s.queries)
				if tt.says == "" {
					require.NoError(t, err)
					return
				}
				require.ErrorContains(t, err, tt.says)
				assert.NotContains(t, err.Error(), "SECRET")
			}
			s, chain := start()
			var elements []string
			var failed error
			for element, err := range chain.Each(ctx, tt.list) {
				require.NoError(t, failed, "an error is the last")
				if failed = err; err == nil {
					elements = append(elements, element.Raw)
				}
			}
			check(s, elements, failed)

			s, chain = start()
			elements, failed = nil, nil
			for page, err := range chain.Pages(ctx) {
				require.NoError(t, failed, "an error is the last")
				require.Equal(t, err == nil, page != nil)
				if failed = err; err == nil {
					for _, element := range page.Get(tt.list).Array() {
						if element.IsObject() {
							elements = append(elements, element.Raw)
						}
					}
				}
			}
			check(s, elements, failed)
		})
	}
}

func TestPagesWithoutACatalogue(t *testing.T) {
	client := newClient(t, wxpay.WithCatalog(nil))
	for _, err := range client.Chain("v3/x").Pages(context.Background()) {
		require.ErrorContains(t, err, "without a catalogue the paging of the list is unknown: call Paging, or leave WithCatalog(nil) out")
		assert.Equal(t, wxpay.NotSent, wxpay.OutcomeOf(err))
	}
}

// Who has enough stops, and no further page is asked for. The chain can be read again.
// A signed page that cannot be read shows no empty list, and comes with its error.
func TestPagesThatAreNotJSON(t *testing.T) {
	for body, says := range map[string]string{
		"<html>busy</html>": "it is not JSON",
		`{"data":[{"id":1}`: "it is not JSON",
		`null`:              "it is a JSON value that holds no list",
		`"x"`:               "it is a JSON value that holds no list",
	} {
		client := newClient(t, wxpay.WithTransport(answer{body: body}))
		chain := client.Chain("v3/x").Paging(wxpay.ByOffset("offset", "limit", 10))
		came := 0
		for page, err := range chain.Pages(t.Context()) {
			came++
			assert.Nil(t, page)
			var failure *wxpay.CallError
			if assert.ErrorAs(t, err, &failure, body) && assert.ErrorContains(t, err, says) {
				assert.Equal(t, body, string(failure.Response.Raw()))
			}
		}
		assert.Equal(t, 1, came, body)
		for _, err := range chain.Each(t.Context(), "data") {
			assert.Error(t, err, body)
		}
	}
	client := newClient(t, wxpay.WithTransport(answer{status: 204}))
	for _, err := range client.Chain("v3/x").Paging(wxpay.ByCursor("cursor", "next")).Each(t.Context(), "data") {
		t.Error("a response without a body is an empty list", err)
	}
}

func TestPagesStop(t *testing.T) {
	s := &shelf{page: byOffset(100)}
	chain := newClient(t, wxpay.WithTransport(s)).Chain("v3/x").Paging(wxpay.ByOffset("offset", "limit", 10))
	for range 2 {
		got := 0
		for range chain.Each(context.Background(), "data") {
			if got++; got == 15 {
				break
			}
		}
		for range chain.Pages(context.Background()) {
			break
		}
	}
	assert.Equal(t, []string{"offset=0&limit=10", "offset=10&limit=10", "offset=0&limit=10", "offset=0&limit=10", "offset=10&limit=10",
		"offset=0&limit=10"}, s.queries)
}

func TestPagesEndWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := &shelf{page: byOffset(100)}
	chain := newClient(t, wxpay.WithTransport(s)).Chain("v3/x").Paging(wxpay.ByOffset("offset", "limit", 10))
	elements := 0
	var failed error
	for _, err := range chain.Each(ctx, "data") {
		if failed = err; err == nil {
			if elements++; elements == 10 {
				cancel()
			}
		}
	}
	require.ErrorIs(t, failed, context.Canceled)
	assert.Equal(t, 10, elements)
	assert.Len(t, s.queries, 1)
}

// The path given to Each may be a query over the list: pages are then counted by the list itself.
func TestEachByQuery(t *testing.T) {
	s := &shelf{page: byOffset(25)}
	chain := newClient(t, wxpay.WithTransport(s)).Chain("v3/x").Paging(wxpay.ByOffset("offset", "limit", 10))
	var ids []string
	for id, err := range chain.Each(context.Background(), "data.#(id>=8)#.id") {
		require.NoError(t, err)
		ids = append(ids, id.String())
	}
	assert.Len(t, ids, 17)
	assert.Equal(t, "24", ids[16])
	assert.Len(t, s.queries, 3)

	nothing := &shelf{page: func(url.Values) wxpay.JSON { return wxpay.JSON{"total_count": 0} }}
	for page, err := range newClient(t, wxpay.WithTransport(nothing)).Chain("v3/x").Paging(wxpay.ByOffset("offset", "limit", 10)).Pages(context.Background()) {
		require.NoError(t, err)
		require.Equal(t, `{"total_count":0}`, string(page.Raw()), "the first page comes, empty or not")
	}
	require.Len(t, nothing.queries, 1)
	several := &shelf{page: func(url.Values) wxpay.JSON { return wxpay.JSON{"a": []int{1}, "b": []int{2}} }}
	for _, err := range newClient(t, wxpay.WithTransport(several)).Chain("v3/x").Paging(wxpay.ByOffset("offset", "limit", 10)).Pages(context.Background()) {
		require.ErrorContains(t, err, "the response has several lists, a, b: choose one with Paging(….In(…))")
	}
	for _, err := range chain.Each(context.Background(), "") {
		require.ErrorContains(t, err, "Each: the path of the list is empty")
	}
	odd := &shelf{page: func(q url.Values) wxpay.JSON { return wxpay.JSON{"a.b*": cut(number(q, "offset"), 10, 12)} }}
	pages := 0
	for page, err := range newClient(t, wxpay.WithTransport(odd)).Chain("v3/x").Paging(wxpay.ByOffset("offset", "limit", 10)).Pages(context.Background()) {
		require.NoError(t, err)
		require.NotEmpty(t, page.Raw())
		pages++
	}
	assert.Equal(t, 2, pages)
}

// Every list of the catalogue that has a documented paging can be read without a word about it.
func TestPagesOfTheCatalogue(t *testing.T) {
	paged := 0
	for operation := range catalog.V3().All() {
		moves := false
		for _, field := range operation.In.Query {
			moves = moves || field.Name == "offset" || field.Name == "page_index" || field.Name == "page_token"
		}
		if !moves || operation.Method != "GET" {
			continue
		}
		paged++
		list := ""
		for _, field := range operation.Out {
			if field.Type.Element() != field.Type {
				list = field.Name
			}
		}
		pages := 0
		s := &shelf{page: func(url.Values) wxpay.JSON {
			if pages++; pages > 1 {
				return wxpay.JSON{}
			}
			return wxpay.JSON{list: cut(0, 3, 3), "next_page_token": "x"}
		}}
		chain := newClient(t, wxpay.WithTransport(s)).Chain(operation.Path)
		for _, field := range operation.In.Path {
			chain = chain.Var(field.Name, "1")
		}
		elements := 0
		for _, err := range chain.Each(context.Background(), list) {
			require.NoError(t, err, operation.Path)
			elements++
		}
		assert.Equal(t, 3, elements, operation.Path)
		assert.Len(t, s.queries, 2, operation.Path)
	}
	assert.GreaterOrEqual(t, paged, 60, fmt.Sprint(paged, " operations with pages"))
}

// A chain that no client began says so, wherever it is asked for a list.
func TestListWithoutAClient(t *testing.T) {
	for _, err := range (wxpay.Chain{}).Chain("v3/x").Pages(t.Context()) {
		require.ErrorContains(t, err, "the chain has no client")
	}
	for _, err := range (wxpay.Chain{}).Chain("v3/x").Each(t.Context(), "data") {
		require.ErrorContains(t, err, "the chain has no client")
	}
}
