package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/fact"
)

// TestTypes checks values of every type, of which the operations of today use a part.
func TestTypes(t *testing.T) {
	s, err := New()
	require.NoError(t, err)
	values := map[string]string{
		"string": `"x"`, "empty string": `""`, "integer": `7`, "negative": `-7`, "zero fraction": `7.0`, "exponent": `7e1`, "fraction": `7.5`,
		"beyond int64": `9223372036854775808`, "boolean": `true`, "object": `{}`, "array": `[]`, "null in array": `[null]`,
		"strings": `["x"]`, "integers": `[7]`, "numbers": `[7.5]`, "booleans": `[false]`, "objects": `[{}]`, "nested array": `[[]]`,
	}
	accepted := map[fact.Type][]string{
		fact.String:   {"string", "empty string"},
		fact.Integer:  {"integer", "negative"},
		fact.Number:   {"integer", "negative", "zero fraction", "exponent", "fraction", "beyond int64"},
		fact.Boolean:  {"boolean"},
		fact.Object:   {"object"},
		fact.Strings:  {"array", "strings"},
		fact.Integers: {"array", "integers"},
		fact.Numbers:  {"array", "integers", "numbers"},
		fact.Booleans: {"array", "booleans"},
		fact.Objects:  {"array", "objects"},
	}
	for kind, names := range accepted {
		for name, text := range values {
			c := &call{Sandbox: s, request: &http.Request{Header: http.Header{"Content-Type": {"application/json"}}}, body: []byte(`{"m":` + text + `}`)}
			c.operation = &operation{Operation: &fact.Operation{In: fact.Request{JSON: []fact.Field{{Name: "m", Type: kind}}}}}
			refused := c.checkParameters("")
			if assert.Equal(t, slices.Contains(names, name), refused == nil, "%s as %s", name, kind) && refused != nil {
				assert.Equal(t, "PARAM_ERROR", refused.code)
			}
			assert.True(t, json.Valid(c.body))
		}
	}
}

// TestQueryLimits needs a limit on a query member, which no operation of today has.
func TestQueryLimits(t *testing.T) {
	s, err := New()
	require.NoError(t, err)
	for query, want := range map[string]string{"q=ab": "", "q=a": "it has 1 characters, at least 2 are needed", "q=": "", "": "", "q=a%2B": "it has a character that is not allowed"} {
		c := &call{Sandbox: s, request: new(http.Request), operation: &operation{
			Operation: &fact.Operation{In: fact.Request{Query: []fact.Field{{Name: "q", Type: fact.String}}}},
			limits:    map[string]limit{"q": {min: 2, max: 3, charset: alphanumeric}},
		}}
		refused := c.checkParameters(query)
		if want == "" {
			assert.Nil(t, refused, query)
			continue
		}
		if assert.NotNil(t, refused, query) {
			assert.Equal(t, parameterDetail{field: "q", value: c.query.Get("q"), issue: refused.detail.(parameterDetail).issue, location: "query"}, refused.detail)
			assert.Equal(t, want, refused.detail.(parameterDetail).issue.en)
		}
	}
}

// TestConstants needs constants that were reviewed, which no member of today has.
func TestConstants(t *testing.T) {
	s, err := New()
	require.NoError(t, err)
	for text, want := range map[string]string{
		`{"m":"A","n":1}`: "", `{"m":"B"}`: issueConstant.en, `{"n":2}`: issueConstant.en, `{"o":"anything"}`: "",
		`{"j":"[1]"}`: "", `{"j":"[1"}`: "it is not a JSON text",
	} {
		c := &call{Sandbox: s, request: &http.Request{Header: http.Header{"Content-Type": {"application/json"}}}, body: []byte(text)}
		c.operation = &operation{Operation: &fact.Operation{In: fact.Request{JSON: []fact.Field{
			{Name: "m", Type: fact.String, Enum: []any{"A"}, Reviewed: true}, {Name: "n", Type: fact.Integer, Enum: []any{int64(1)}, Reviewed: true},
			{Name: "o", Type: fact.String, Enum: []any{"A"}}, {Name: "j", Type: fact.String, JSONText: true},
		}}}}
		refused := c.checkParameters("")
		if want == "" {
			assert.Nil(t, refused, text)
		} else if assert.NotNil(t, refused, text) {
			assert.Equal(t, want, refused.detail.(parameterDetail).issue.en, text)
		}
	}
	for query, want := range map[string]string{"m=A": "", "m=B": issueConstant.en, "n=x": "its type must be integer", "b=1": "", "b=yes": "its type must be boolean", "f=x": "its type must be number"} {
		c := &call{Sandbox: s, request: new(http.Request), operation: &operation{Operation: &fact.Operation{In: fact.Request{Query: []fact.Field{
			{Name: "m", Type: fact.String, Enum: []any{"A"}, Reviewed: true}, {Name: "n", Type: fact.Integer}, {Name: "b", Type: fact.Boolean}, {Name: "f", Type: fact.Number},
		}}}}}
		refused := c.checkParameters(query)
		if want == "" {
			assert.Nil(t, refused, query)
		} else if assert.NotNil(t, refused, query) {
			assert.Equal(t, want, refused.detail.(parameterDetail).issue.en, query)
		}
	}
}
