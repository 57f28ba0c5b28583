package wxpay_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/wxcode"
)

// docs/errors.md is written from the data that the code uses; go generate . brings it up to date.
func TestErrorsPage(t *testing.T) {
	const name = "docs/errors.md"
	page := errorsPage()
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(page), 0o644))
	}
	have, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.True(t, string(have) == page, "%s is stale: go generate .", name)
}

// errorsPage returns the page.
func errorsPage() string {
	var b strings.Builder
	b.WriteString(`# Errors and outcomes

` + "`go generate .`" + ` writes this page from the data of the code. Do not edit it.

## Outcomes

` + "`wxpay.OutcomeOf(err)`" + ` returns the outcome of a call over all its attempts:

| outcome | meaning | what to do |
| --- | --- | --- |
| not sent | no byte left this process | call again |
| rejected | the platform rejected this request, which took no effect | see the code |
| unknown | the operation may have taken effect | ` + "`Client.Resolve`" + `, or ` + "`Chain.Ensure`" + ` from the start; never another number |
| confirmed | it took effect, and a later local step failed | read ` + "`CallError.Response`" + `; never call again |

[evidence.md](evidence.md) names the evidence for each. Once an attempt ended with an unknown outcome, a
later rejection does not clear it. An unsigned API error is unknown. For operations that move money a
signed API error is also unknown, unless its code is reviewed to exclude an effect (below); ` + "`Ensure`" + `
then queries. An API error of that query is in a ` + "`QueryError`" + `, and never counts as an error of the
call.

## Codes

Classes: **same**: send again, same number, same parameters. **wait**: the same after a pause.
**query**: query the state first, send again only if nothing exists, never change the number before.
**fix**: never send again unchanged. **done**: the wanted state already exists. The last column is
for operations that move money. "whole merchant": every other call fails alike, so ` + "`Ensure`" + `
stops.

| code | status | meaning | class | money |
| --- | --- | --- | --- | --- |
`)
	for _, c := range wxcode.All() {
		var statuses []string
		for _, status := range c.Statuses {
			statuses = append(statuses, strconv.Itoa(status))
		}
		meaning := c.Meaning
		for _, more := range []string{c.Note, map[bool]string{true: "whole merchant"}[c.Merchant]} {
			if more != "" {
				meaning += "; " + more
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", c.Code, strings.Join(statuses, ", "), meaning, c.Class, c.Money)
	}
	b.WriteString(`| any other, 401 | 401 | whole merchant | fix | fix |
| any other, 429 | 429 | too many calls | wait | query |
| any other, 4xx | 4xx | | fix | fix |
| any other, 5xx | 5xx | result unknown | query | query |

`)
	money, deductions := moneyOperations()
	fmt.Fprintf(&b, `## Operations that move money

%d operations are marked by hand. %d of them are direct deductions: they charge at once under the
merchant's order number.

### Direct deductions

`, len(money), len(deductions))
	list(&b, deductions)
	b.WriteString("\n### The others\n\n")
	list(&b, slices.DeleteFunc(money, func(o *fact.Operation) bool { return slices.Contains(deductions, o) }))

	b.WriteString(`
## Codes that exclude an effect

A signed API error with one of these codes means that this request took no effect. It says nothing of
the number.

| operation | codes | page |
| --- | --- | --- |
`)
	for o := range catalog.V3().All() {
		if len(o.Excludes) > 0 {
			var codes []string
			for _, e := range o.Excludes {
				codes = append(codes, e.Code)
			}
			fmt.Fprintf(&b, "| `%s %s` | %s | %s |\n", o.Method, o.Path, strings.Join(codes, ", "), fact.DocURL(o.Excludes[0].Doc))
		}
	}
	b.WriteString(`
## Operations with a query of the outcome

| operation | query | the same request again |
| --- | --- | --- |
`)
	for o := range catalog.V3().All() {
		if o.Link != nil {
			repeat := map[fact.Repeat]string{fact.Documented: "idempotent by the documentation", fact.Assumed: "probably idempotent", fact.Never: "never"}[o.Repeat]
			fmt.Fprintf(&b, "| `%s %s` | `GET %s` | %s |\n", o.Method, o.Path, o.Link.Query, repeat)
		}
	}
	return b.String()
}

func list(b *strings.Builder, operations []*fact.Operation) {
	for _, o := range operations {
		fmt.Fprintf(b, "- `%s %s` %s\n", o.Method, o.Path, o.Name)
	}
}

// moneyOperations returns what moves money, and of that the direct deductions.
func moneyOperations() (money, deductions []*fact.Operation) {
	for o := range catalog.V3().All() {
		if o.MovesMoney {
			money = append(money, o)
			if o.Number.Space == "order" && !strings.Contains(o.Number.Field, "{") {
				deductions = append(deductions, o)
			}
		}
	}
	return money, deductions
}

// The marks are counted, so that none is lost unnoticed.
func TestMoneyIsMarked(t *testing.T) {
	money, deductions := moneyOperations()
	assert.Len(t, money, 110)
	assert.Len(t, deductions, 18)
	for _, o := range money {
		assert.NotEqual(t, "GET", o.Method)
	}
	for _, path := range []string{
		"/v3/pay/transactions/codepay", "/v3/pay/partner/transactions/codepay", "/v3/papay/pay/transactions/apply", "/v3/papay/pay/partner/transactions/apply",
		"/v3/vehicle/transactions/parking", "/v3/vehicle/etc/transactions/highway", "/v3/offlineface/transactions", "/v3/eduschoolpay/transactions",
		"/v3/edu-papay/transactions", "/v3/qrcode/transactions",
	} {
		assert.True(t, slices.ContainsFunc(deductions, func(o *fact.Operation) bool { return o.Path == path }), path)
	}
	for _, path := range []string{"/v3/pay/transactions/jsapi", "/v3/combine-transactions/native",
		"/v3/pay/transactions/out-trade-no/{out_trade_no}/close", "/" + feedsPath} {
		o, ok := catalog.V3().Lookup("POST", path)
		require.True(t, ok, path)
		assert.False(t, o.MovesMoney, path)
	}
}

// Every class that the code knows is one of the five, every code stands once, and every named code has a class.
func TestClasses(t *testing.T) {
	seen := map[wxcode.Code]bool{}
	spellings := 0
	known := []wxcode.Class{wxcode.ClassSame, wxcode.ClassWait, wxcode.ClassQuery, wxcode.ClassFix, wxcode.ClassDone}
	for _, c := range wxcode.All() {
		assert.False(t, seen[c.Code], c.Code)
		seen[c.Code] = true
		assert.Contains(t, known, c.Class, c.Code)
		assert.Contains(t, known, c.Money, c.Code)
		assert.NotEmpty(t, c.Meaning, c.Code)
		if c.Spelling != "" {
			spellings++
			assert.True(t, seen[c.Spelling], "%s comes before %s", c.Spelling, c.Code)
			assert.True(t, c.Code.Same(c.Spelling) && c.Spelling.Same(c.Code), c.Code)
		}
	}
	source, err := os.ReadFile("wxcode/wxcode.go")
	require.NoError(t, err)
	named := 0
	for line := range strings.SplitSeq(string(source), "\n") {
		if _, value, ok := strings.Cut(line, ` Code = "`); ok {
			named++
			code, _, _ := strings.Cut(value, `"`)
			assert.True(t, seen[wxcode.Code(code)], "%s has no class", code)
		}
	}
	assert.Equal(t, len(seen), named+spellings)
	for code := range catalog.V3().Codes() {
		assert.True(t, seen[wxcode.Code(code.Name)], "the facts know %s, and Classes does not", code.Name)
	}
	for _, tt := range []struct {
		status int
		code   wxcode.Code
		want   wxcode.Class
	}{
		{500, "SYSTEM_ERROR", wxcode.ClassSame}, {429, "NEW_LIMIT", wxcode.ClassWait}, {429, "", wxcode.ClassWait}, {400, "NEW", wxcode.ClassFix},
		{502, "", wxcode.ClassQuery}, {400, "ORDER_CLOSED", wxcode.ClassDone}, {404, "RESOURCE_NOT_EXISTS", wxcode.ClassFix},
	} {
		assert.Equal(t, tt.want, (&wxpay.APIError{Status: tt.status, Code: tt.code}).Class(), tt.code)
	}
}
