package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

func ids(list []*fact.Operation) []string {
	var out []string
	for _, operation := range list {
		out = append(out, operation.Method+" "+operation.Path)
	}
	return out
}

func TestSearchFindsFirst(t *testing.T) {
	for words, want := range map[string]string{
		"申请交易账单":     "GET /v3/bill/tradebill",
		"tradebill":  "GET /v3/bill/tradebill",
		"user-feeds": "POST /v3/brand/partner/card-member/user-feeds",
		"user_feeds": "POST /v3/brand/partner/card-member/user-feeds",
		"userFeeds":  "POST /v3/brand/partner/card-member/user-feeds",
		"UserFeeds":  "POST /v3/brand/partner/card-member/user-feeds",
		"/v3/pay/transactions/id/{transaction_id}": "GET /v3/pay/transactions/id/{transaction_id}",
		"v3/certificates":                          "GET /v3/certificates",
		"POST 退款 domestic":                         "POST /v3/refund/domestic/refunds",
		"GET 基础支付/退款":                              "GET /v3/refund/domestic/refunds/{out_refund_no}",
		"domestic 查询退款":                            "GET /v3/refund/domestic/refunds/{out_refund_no}",
		"cell_message":                             "POST /v3/brand/partner/card-member/user-feeds",
		"JSAPI下单":                                  "POST /v3/pay/partner/transactions/jsapi",
		"jsapi下单":                                  "POST /v3/pay/partner/transactions/jsapi",
	} {
		found := ids(catalog.V3().Search(words))
		if assert.NotEmpty(t, found, words) {
			assert.Equal(t, want, found[0], words)
		}
	}
}

func TestSearchNeedsEveryWord(t *testing.T) {
	c := catalog.V3()
	both := ids(c.Search("退款 out_refund_no"))
	require.NotEmpty(t, both)
	assert.Subset(t, ids(c.Search("退款")), both)
	assert.Subset(t, ids(c.Search("out_refund_no")), both)
	assert.Empty(t, c.Search("退款 nosuchword"))
	assert.Empty(t, c.Search("nosuchword"))
}

func TestSearchByMethod(t *testing.T) {
	deletions := catalog.V3().Search("DELETE")
	assert.NotEmpty(t, deletions)
	for _, operation := range deletions {
		assert.Equal(t, "DELETE", operation.Method)
	}
	assert.NotEqual(t, ids(deletions), ids(catalog.V3().Search("delete")), "in lower case it is a word")
}

func TestSearchRanksPlaces(t *testing.T) {
	// Names before paths before tags before members: a hit further down the list is never in a better place.
	rank := func(o *fact.Operation) int {
		switch {
		case strings.Contains(strings.ToLower(o.Name), "native"):
			return 0
		case strings.Contains(o.Path, "native"):
			return 1
		}
		return 2
	}
	found := catalog.V3().Search("native")
	require.NotEmpty(t, found)
	assert.True(t, slices.IsSortedFunc(found, func(a, b *fact.Operation) int { return rank(a) - rank(b) }), "%v", ids(found))
}

func TestSearchPutsWhatIsReplacedLastAmongEquals(t *testing.T) {
	found := ids(catalog.V3().Search("POST 申请退款"))
	old, current := slices.Index(found, "POST /hk/v3/refunds"), slices.Index(found, "POST /v3/global/refunds")
	require.GreaterOrEqual(t, old, 0)
	require.GreaterOrEqual(t, current, 0)
	assert.Less(t, current, old)
}

func TestSearchForNothing(t *testing.T) {
	for _, words := range []string{"", " ", "-", "_ -", "\n\t"} {
		assert.Empty(t, catalog.V3().Search(words), "%q", words)
	}
	assert.NotPanics(t, func() { catalog.V3().Search(strings.Repeat("x ", 100_000)) })
	assert.NotPanics(t, func() { catalog.V3().Search("\xff\xfe 退\xff") })
}

func TestSearchReturnsItsOwnSlice(t *testing.T) {
	first := catalog.V3().Search("退款")
	want := ids(first)
	clear(first)
	assert.Equal(t, want, ids(catalog.V3().Search("退款")))
}
