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

func TestNearestEvents(t *testing.T) {
	for given, want := range map[string]string{
		"TRANSACTION.SUCESS": "TRANSACTION.SUCCESS", "transaction.success": "TRANSACTION.SUCCESS", "REFUND.SUCCES": "REFUND.SUCCESS",
		"MCHTRANSFER.BILL.FINSIHED": "MCHTRANSFER.BILL.FINISHED", "TRANSACTON.": "TRANSACTION.", "MCHTRANSFER.BIL.": "MCHTRANSFER.BILL.",
		"NOTHING.LIKE_IT": "", "": "", ".": "", "X.Y.Z.A.B.": "", strings.Repeat("A", 1000): "",
	} {
		near := catalog.V3().NearestEvents(given, 2)
		assert.LessOrEqual(t, len(near), 2)
		if want == "" {
			assert.Empty(t, near, "%.40q", given)
		} else if assert.NotEmpty(t, near, given) {
			assert.Equal(t, want, near[0], given)
		}
	}
	assert.Empty(t, catalog.V3().NearestEvents("TRANSACTION.SUCESS", 0))
	assert.Empty(t, catalog.V3().NearestEvents("TRANSACTION.SUCESS", -1))
	for e := range catalog.V3().Events() {
		assert.Equal(t, []string{e.Type}, catalog.V3().NearestEvents(e.Type, 1))
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
