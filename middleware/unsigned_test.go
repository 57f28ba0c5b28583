package middleware_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
)

// handedOut are the families whose addresses come ready-made from another answer, so the catalogue has no row for them.
var handedOut = []string{"/v3/bill/downloadurl", "/v3/new-tax-control-fapiao/download", "/v3/payscore/bill/downloadurl"}

// The table is the union of what the catalogue's rows say and of the downloads that have no row, and agrees with both.
func TestUnsignedAnswersAgreeWithTheCatalogue(t *testing.T) {
	table := map[string]fact.Signature{}
	for _, row := range middleware.UnsignedResponses() {
		require.NotContains(t, table, row.Path, "a row stands twice")
		table[row.Path] = row.Signature
		assert.True(t, strings.HasPrefix(row.Source, "https://"), "%s has no source", row.Path)
		operation, ok := catalog.V3().Lookup("GET", row.Path)
		if !ok {
			assert.Contains(t, handedOut, row.Path)
			continue
		}
		assert.NotContains(t, handedOut, row.Path)
		assert.Equal(t, operation.Signature, row.Signature, row.Path)
		assert.Equal(t, operation.Unsigned, row.Bare, row.Path)
		assert.Equal(t, fact.StreamResponse, operation.Response, row.Path)
		assert.True(t, slices.ContainsFunc(operation.Docs,
			func(id string) bool { return fact.DocURL(id) == row.Source }), "%s: the source is not among the operation's", row.Path)
	}
	exceptions := 0
	for operation := range catalog.V3().All() {
		if operation.Signature == fact.OverBody {
			continue
		}
		exceptions++
		assert.Equal(t, "GET", operation.Method)
		assert.Equal(t, operation.Signature, table[operation.Path], "%s is not in the table", operation.Path)
	}
	assert.Equal(t, len(table)-len(handedOut), exceptions)
	assert.NotZero(t, exceptions)
}
