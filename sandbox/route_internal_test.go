package sandbox

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// TestLiteralSegmentsWin needs templates that overlap, which the operations of today do not.
func TestLiteralSegmentsWin(t *testing.T) {
	root := new(node)
	for _, o := range [][2]string{
		{"GET", "/v3/refunds/id/{refund_id}"}, {"GET", "/v3/refunds/{refund_id}/return-advance"}, {"POST", "/v3/refunds/{refund_id}/return-advance"},
		{"GET", "/v3/refunds/{id}"}, {"GET", "/v3/applyment/"}, {"GET", "/v3/a/{x}/b/{y}"}, {"GET", "/v3/a/{x}/{z}/c"},
	} {
		root.add(&operation{Operation: &fact.Operation{Method: o[0], Path: o[1]}})
	}
	for _, test := range []struct {
		method, path, template string
		values                 map[string]string
		known                  bool
	}{
		{"GET", "/v3/refunds/id/return-advance", "/v3/refunds/id/{refund_id}", map[string]string{"refund_id": "return-advance"}, true},
		{"POST", "/v3/refunds/id/return-advance", "/v3/refunds/{refund_id}/return-advance", map[string]string{"refund_id": "id"}, true},
		{"GET", "/v3/refunds/7/return-advance", "/v3/refunds/{refund_id}/return-advance", map[string]string{"refund_id": "7"}, true},
		{"PUT", "/v3/refunds/7/return-advance", "", nil, true},
		{"GET", "/v3/refunds/id", "/v3/refunds/{id}", map[string]string{"id": "id"}, true},
		{"GET", "/v3/refunds/a%2Fb%20c", "/v3/refunds/{id}", map[string]string{"id": "a/b c"}, true},
		{"GET", "/v3/refunds/%zz", "", nil, false},
		{"GET", "/v3/refunds", "", nil, false},
		{"GET", "/v3/applyment/", "/v3/applyment/", nil, true},
		{"GET", "/v3/applyment", "", nil, false},
		{"GET", "/v3/a/1/b/2", "/v3/a/{x}/b/{y}", map[string]string{"x": "1", "y": "2"}, true},
		{"GET", "/v3/a/1/b/c", "/v3/a/{x}/b/{y}", map[string]string{"x": "1", "y": "c"}, true},
		{"GET", "/v3/a/1/2/c", "/v3/a/{x}/{z}/c", map[string]string{"x": "1", "z": "2"}, true},
		{"GET", "v3/refunds/1", "", nil, false},
		{"GET", "*", "", nil, false},
	} {
		found, known := root.find(test.method, test.path)
		assert.Equal(t, test.known, known, "%s %s", test.method, test.path)
		if test.template == "" {
			assert.Nil(t, found.operation, "%s %s", test.method, test.path)
			continue
		}
		if assert.NotNil(t, found.operation, "%s %s", test.method, test.path) {
			assert.Equal(t, test.template, found.operation.Path, "%s %s", test.method, test.path)
			assert.Equal(t, test.values, found.values, "%s %s", test.method, test.path)
		}
	}
}

// TestEveryOperationHasARoute looks all documented operations up by a path with values.
func TestEveryOperationHasARoute(t *testing.T) {
	count := 0
	for facts := range catalog.V3().All() {
		count++
		path := regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(facts.Path, "1")
		found, _ := routes().find(facts.Method, path)
		if !assert.NotNil(t, found.operation, "%s %s", facts.Method, facts.Path) {
			continue
		}
		if found.operation.Path != facts.Path {
			assert.Contains(t, found.operation.Also, facts, "%s %s", facts.Method, facts.Path)
		}
		if len(facts.In.Form) > 0 || facts.Response == fact.StreamResponse {
			assert.False(t, found.operation.canned, "%s %s: uploads and downloads have files", facts.Method, facts.Path)
		}
	}
	assert.Greater(t, count, 1010)
}
