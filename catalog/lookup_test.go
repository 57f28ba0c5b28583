//go:build go1.25

package catalog_test

import (
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

var _ interface {
	Lookup(method, path string) (*fact.Operation, bool)
} = (*catalog.Catalog)(nil)

// concrete fills the placeholders of a template with values that need percent-encoding.
func concrete(template string) string {
	return regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(template, "%E5%8F%B7%2F7.~_-%25%7B")
}

func TestLookupFindsEveryOperation(t *testing.T) {
	c := catalog.V3()
	count := 0
	for operation := range c.All() {
		count++
		for _, path := range []string{operation.Path, strings.TrimPrefix(operation.Path, "/")} {
			got, ok := c.Lookup(operation.Method, path)
			require.True(t, ok, "%s %s", operation.Method, path)
			require.Same(t, operation, got, "%s %s", operation.Method, path)
		}
		got, ok := c.Lookup(operation.Method, concrete(operation.Path))
		require.True(t, ok, "%s %s", operation.Method, concrete(operation.Path))
		if got != operation {
			require.Contains(t, got.Also, operation, "%s %s", operation.Method, concrete(operation.Path))
			require.Less(t, got.Path, operation.Path)
		}
	}
	require.Equal(t, operations, count)
}

func TestLookup(t *testing.T) {
	for name, c := range map[string]struct{ method, path, want string }{
		"literal": {"POST", "/v3/pay/transactions/jsapi", "/v3/pay/transactions/jsapi"},
		"a value": {"GET", "/v3/pay/transactions/id/4200001234", "/v3/pay/transactions/id/{transaction_id}"},
		"a template with another name": {"GET", "/v3/pay/transactions/id/{id}",
			"/v3/pay/transactions/id/{transaction_id}"},
		"an encoded slash":           {"GET", "/v3/pay/transactions/id/a%2Fb", "/v3/pay/transactions/id/{transaction_id}"},
		"raw Chinese":                {"GET", "/v3/pay/transactions/id/订单", "/v3/pay/transactions/id/{transaction_id}"},
		"a value that looks literal": {"GET", "/v3/pay/transactions/id/id", "/v3/pay/transactions/id/{transaction_id}"},
		"no leading slash":           {"GET", "v3/certificates", "/v3/certificates"},
		"prefix hk":                  {"GET", "/hk/v3/refunds/id/1", "/hk/v3/refunds/id/{refund_id}"},
		"prefix global":              {"POST", "/global/v3/customs/orders", "/global/v3/customs/orders"},
		"v3 global":                  {"POST", "/v3/global/customs/orders", "/v3/global/customs/orders"},
		"prefix invoicing":           {"GET", "/invoicing/fapiao/fapiao-file", "/invoicing/fapiao/fapiao-file"},

		"hyphen": {"POST", "/v3/papay/insurance-sign/policy-periods/plan-id/1/contract-id/2/modify",
			"/v3/papay/insurance-sign/policy-periods/plan-id/{plan_id}/contract-id/{contract_id}/modify"},
		"underscore": {"GET", "/v3/papay/insurance-sign/policy_periods/plan-id/1/out-contract-code/2",
			"/v3/papay/insurance-sign/policy_periods/plan-id/{plan_id}/out-contract-code/{out_contract_code}"},
		"underscore for hyphen": {"POST", "/v3/papay/insurance-sign/policy_periods/plan-id/1/contract-id/2/modify", ""},

		"overlap, literal first": {"GET", "/v3/ecommerce/refunds/id/5000", "/v3/ecommerce/refunds/id/{refund_id}"},
		"overlap, literal last": {"POST", "/v3/ecommerce/refunds/5000/return-advance",
			"/v3/ecommerce/refunds/{refund_id}/return-advance"},
		"overlap, both fit GET": {"GET", "/v3/ecommerce/refunds/id/return-advance",
			"/v3/ecommerce/refunds/id/{refund_id}"},
		"overlap, back to the placeholder": {"POST", "/v3/ecommerce/refunds/id/return-advance",
			"/v3/ecommerce/refunds/{refund_id}/return-advance"},
		"overlap, GET by number": {"GET", "/v3/ecommerce/refunds/out-refund-no/return-advance",
			"/v3/ecommerce/refunds/out-refund-no/{out_refund_no}"},

		"look-alike, a value": {"POST", "/v3/apply4subject/applyment/77/cancel",
			"/v3/apply4subject/applyment/{applyment_id}/cancel"},
		"look-alike, another name": {"POST", "/v3/apply4subject/applyment/{id}/cancel",
			"/v3/apply4subject/applyment/{applyment_id}/cancel"},
		"look-alike, the second by name": {"POST", "/v3/apply4subject/applyment/{business_code}/cancel",
			"/v3/apply4subject/applyment/{business_code}/cancel"},

		"a trailing slash":              {"POST", "/v3/applyment4sub/applyment/", "/v3/applyment4sub/applyment/"},
		"a trailing slash is missing":   {"POST", "/v3/applyment4sub/applyment", ""},
		"a trailing slash too many":     {"POST", "/v3/pay/transactions/jsapi/", ""},
		"a slash after a value":         {"GET", "/v3/pay/transactions/id/1/", ""},
		"an empty value":                {"GET", "/v3/pay/transactions/id/", ""},
		"an empty segment":              {"GET", "/v3/pay//transactions/id/1", ""},
		"two leading slashes":           {"GET", "//v3/certificates", ""},
		"an empty placeholder":          {"GET", "/v3/pay/transactions/id/{}", ""},
		"half a placeholder":            {"GET", "/v3/pay/transactions/id/{a", ""},
		"a placeholder in a value":      {"GET", "/v3/pay/transactions/id/a{b}", ""},
		"two placeholders in a segment": {"GET", "/v3/pay/transactions/id/{a}{b}", ""},
		"a placeholder for a literal":   {"POST", "/v3/pay/transactions/{type}", ""},
		"here":                          {"GET", "/v3/pay/transactions/id/.", ""},
		"above":                         {"GET", "/v3/pay/transactions/id/..", ""},
		"dots":                          {"GET", "/v3/pay/transactions/id/...", "/v3/pay/transactions/id/{transaction_id}"},
		"a query":                       {"GET", "/v3/pay/transactions/id/1?mchid=2", ""},
		"a fragment":                    {"GET", "/v3/pay/transactions/id/1#a", ""},
		"a blank":                       {"GET", "/v3/pay/transactions/id/a b", ""},
		"a line feed":                   {"GET", "/v3/pay/transactions/id/a\n", ""},
		"an encoded literal":            {"GET", "/v3/%63ertificates", ""},
		"another case":                  {"GET", "/V3/certificates", ""},
		"a longer path":                 {"GET", "/v3/certificates/1", ""},
		"a shorter path":                {"GET", "/v3/pay", ""},
		"root":                          {"GET", "/", ""},
		"nothing":                       {"GET", "", ""},
		"a wrong verb":                  {"DELETE", "/v3/certificates", ""},
		"a verb in lower case":          {"get", "/v3/certificates", ""},
		"no verb":                       {"", "/v3/certificates", ""},
	} {
		t.Run(name, func(t *testing.T) {
			operation, ok := catalog.V3().Lookup(c.method, c.path)
			if c.want == "" {
				assert.False(t, ok)
				assert.Nil(t, operation)
				return
			}
			require.True(t, ok)
			assert.Equal(t, c.method+" "+c.want, operation.Method+" "+operation.Path)
		})
	}
}

func TestLookAlikesNameEachOther(t *testing.T) {
	pairs := 0
	for operation := range catalog.V3().All() {
		for _, other := range operation.Also {
			pairs++
			assert.Equal(t, operation.Method, other.Method)
			assert.Equal(t, shape(operation.Path), shape(other.Path))
			assert.NotEqual(t, operation.Path, other.Path)
			assert.Contains(t, other.Also, operation)
		}
	}
	assert.Equal(t, 2, pairs, "the two cancel operations, each naming the other")
}

func shape(template string) string {
	return regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(template, "{}")
}

func TestMethods(t *testing.T) {
	for path, want := range map[string][]string{
		"/v3/certificates":                         {"GET"},
		"v3/certificates":                          {"GET"},
		"/v3/global/customs/orders":                {"GET", "POST", "PATCH"},
		"/v3/ecommerce/refunds/id/return-advance":  {"GET", "POST"},
		"/v3/ecommerce/refunds/{x}/return-advance": {"GET", "POST"},
		"/v3/ecommerce/refunds/apply":              {"POST"},
		"/v3/apply4subject/applyment/1/cancel":     {"POST"},
		"/v3/marketing/partnerships/{id}":          nil,
		"/v3":                                      nil,
		"":                                         nil,
	} {
		assert.Equal(t, want, catalog.V3().Methods(path), path)
	}
}

func TestLookupAllocatesNothing(t *testing.T) {
	c := catalog.V3()
	for _, path := range []string{
		"/v3/certificates",
		"/v3/pay/transactions/id/{transaction_id}",
		"/v3/pay/transactions/id/%E5%8F%B7%2F7",
		"/v3/apply4subject/applyment/{business_code}/cancel",
		"/v3/ecommerce/refunds/id/return-advance",
		"/v3/applyment4sub/applyment/",
		"/v3/no/such/path",
		strings.Repeat("/v3", 10_000),
		"",
	} {
		for _, method := range []string{"GET", "POST"} {
			assert.Zero(t, testing.AllocsPerRun(100, func() { c.Lookup(method, path) }), "%s %.60s", method, path)
		}
	}
	assert.Zero(t, testing.AllocsPerRun(100, func() { c.Event("TRANSACTION.SUCCESS") }))
}

func TestCatalogIsForSeveralGoroutines(t *testing.T) {
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			c := catalog.V3()
			assert.Same(t, catalog.V3(), c)
			_, ok := c.Lookup("GET", "/v3/certificates")
			assert.True(t, ok)
			assert.NotEmpty(t, c.Search("退款"))
			assert.NotEmpty(t, c.Nearest("/v3/certificate", 1))
		})
	}
	group.Wait()
}

// fits says by other means than Lookup's whether a template stands for a path.
func fits(template, path string) bool {
	var b strings.Builder
	b.WriteString("^/?")
	for i, segment := range strings.Split(strings.TrimPrefix(template, "/"), "/") {
		if i > 0 {
			b.WriteByte('/')
		}
		if strings.HasPrefix(segment, "{") {
			b.WriteString(`(?:[^/?#{}\x00-\x20\x7f]+|\{[^/?#{}\x00-\x20\x7f]+\})`)
		} else {
			b.WriteString(regexp.QuoteMeta(segment))
		}
	}
	return regexp.MustCompile(b.String() + "$").MatchString(path)
}

func FuzzLookup(f *testing.F) {
	c := catalog.V3()
	for _, path := range []string{
		"/v3/pay/transactions/id/4200001234", "/v3/pay/transactions/id/{transaction_id}", "/v3/pay/transactions/id/a%2Fb",
		"/v3/ecommerce/refunds/id/return-advance", "/v3/apply4subject/applyment/{business_code}/cancel",
		"/v3/applyment4sub/applyment/", "/v3/pay/transactions/id/..", "//v3/certificates", "v3/certificates", "", "/", "{}",
		"/v3/marketing/favor/stocks/\xff/items", "/v3/pay/transactions/id/{a}{b}", "/v3/pay/transactions/id/1?x=/",
	} {
		f.Add("GET", path)
		f.Add("POST", path)
	}
	f.Fuzz(func(t *testing.T, method, path string) {
		operation, ok := c.Lookup(method, path)
		if ok != (operation != nil) {
			t.Fatalf("%v with %v", ok, operation)
		}
		listed := false
		for _, m := range c.Methods(path) {
			listed = listed || m == method
		}
		if listed != ok {
			t.Fatalf("Methods %q, but Lookup %v", c.Methods(path), ok)
		}
		if !ok {
			return
		}
		if operation.Method != method || !fits(operation.Path, path) {
			t.Fatalf("%s %q found %s %s", method, path, operation.Method, operation.Path)
		}
		// The template of what was found finds the same.
		if again, ok := c.Lookup(method, operation.Path); !ok || again != operation {
			t.Fatalf("%s %s finds %v", method, operation.Path, again)
		}
	})
}

func TestHasSegment(t *testing.T) {
	for segment, want := range map[string]bool{
		"v3": true, "h5-presign": true, "return-advance": true, "{out_trade_no}": false, "h5-presig": false, "H5-presign": false,
	} {
		assert.Equal(t, want, catalog.V3().HasSegment(segment), segment)
	}
}
