package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
)

func TestNearest(t *testing.T) {
	for path, want := range map[string]string{
		"/v3/pay/transaction/native":                    "/v3/pay/transactions/native",
		"/v3/pay/transactions/natvie":                   "/v3/pay/transactions/native",
		"/v3/brand/partner/card-member/userFeeds":       "/v3/brand/partner/card-member/user-feeds",
		"v3/brand/partner/card_member/user_feeds":       "/v3/brand/partner/card-member/user-feeds",
		"/v3/pay/transactions/out_trade_no/ABC-001":     "/v3/pay/transactions/out-trade-no/{out_trade_no}",
		"/v3/pay/transactions/out_trade_no/{no}":        "/v3/pay/transactions/out-trade-no/{out_trade_no}",
		"/pay/transactions/jsapi":                       "/v3/pay/transactions/jsapi",
		"/v3/applyment4sub/applyment":                   "/v3/applyment4sub/applyment/",
		"/v3/pay/transactions/jsapi/":                   "/v3/pay/transactions/jsapi",
		"/v3/certificate":                               "/v3/certificates",
		"/V3/certificates":                              "/v3/certificates",
		"/v3/refund/domestics/refunds":                  "/v3/refund/domestic/refunds",
		"/v3/marketing/favour/stocks/1212/items":        "/v3/marketing/favor/stocks/{stock_id}/items",
		"/v3/papay/insurance-sign/policy--periods/x9/y": "",
	} {
		near := catalog.V3().Nearest(path, 3)
		if want == "" {
			continue
		}
		if assert.NotEmpty(t, near, path) {
			assert.Equal(t, want, near[0], path)
			assert.LessOrEqual(t, len(near), 3, path)
		}
	}
}

func TestNearestOfAKnownPathIsItself(t *testing.T) {
	for operation := range catalog.V3().All() {
		near := catalog.V3().Nearest(operation.Path, 1)
		require.Equal(t, []string{operation.Path}, near)
	}
}

func TestNearestWhenAllAreFar(t *testing.T) {
	for _, path := range []string{"", "/", "/v3", "/foo/bar", "/v3/foo/bar/baz", strings.Repeat("/v3", 10_000),
		"/v3/" + strings.Repeat("x", 1<<20), "/v3/pay/" + strings.Repeat("a/", 20), "\xff/\xfe"} {
		assert.Empty(t, catalog.V3().Nearest(path, 3), "%.40q", path)
	}
}

func TestNearestIsBounded(t *testing.T) {
	const path = "/v3/pay/transactions/natvie"
	many := catalog.V3().Nearest(path, 1000)
	require.Greater(t, len(many), 2)
	assert.Equal(t, many[:2], catalog.V3().Nearest(path, 2))
	assert.Empty(t, catalog.V3().Nearest(path, 0))
	assert.Empty(t, catalog.V3().Nearest(path, -1))
	slices.Sort(many)
	assert.Equal(t, slices.Compact(slices.Clone(many)), many, "each template once")
}
