package gate_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/sandboxtest"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// TestTypes checks values of every type, of which the documented operations use a part.
func TestTypes(t *testing.T) {
	b := sandboxtest.New(t)
	values := map[string]string{
		"string": `"x"`, "empty string": `""`, "integer": `7`, "negative": `-7`, "zero fraction": `7.0`, "exponent": `7e1`,
		"fraction": `7.5`, "beyond int64": `9223372036854775808`, "boolean": `true`, "object": `{}`, "array": `[]`,
		"null in array": `[null]`, "strings": `["x"]`, "integers": `[7]`, "numbers": `[7.5]`, "booleans": `[false]`,
		"objects": `[{}]`, "nested array": `[[]]`,
	}
	for kind, names := range map[fact.Type][]string{
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
	} {
		serve(b, "POST", posted, fact.Request{JSON: []fact.Field{{Name: "m", Type: kind}}}, nil)
		for name, text := range values {
			detail := rejected(t, b, b.Call("POST", posted, json.RawMessage(`{"m":`+text+`}`)))
			assert.Equal(t, slices.Contains(names, name), detail == nil, "%s as %s", name, kind)
			if detail != nil {
				assert.Equal(t, "body", detail["location"])
				assert.Contains(t, b.Reason(), "its type must be ")
			}
		}
	}
}

// TestQueryLimits needs a limit on a field of a query, which no documented operation has.
func TestQueryLimits(t *testing.T) {
	b := sandboxtest.New(t)
	serve(b, "GET", queried, fact.Request{Query: []fact.Field{{Name: "q", Type: fact.String}}},
		map[string]gate.Limit{"q": {Min: 2, Max: 3, Charset: say.Alphanumeric}})
	for query, want := range map[string]string{
		"q=ab": "", "q=abc": "", "q=": "", "": "",
		"q=a":    "it has 1 bytes, at least 2 are needed",
		"q=abcd": "it has 4 bytes, at most 3 are allowed",
		"q=a%2B": "it has a character that is not allowed",
	} {
		detail := rejected(t, b, b.Call("GET", queried+"?"+query, nil))
		if want == "" {
			assert.Nil(t, detail, query)
			continue
		}
		assert.Equal(t, "query", detail["location"], query)
		assert.Equal(t, "/query/q: "+want, b.Reason(), query)
	}
}

// TestBodyConstants needs constants that were reviewed, which few documented fields have.
func TestBodyConstants(t *testing.T) {
	b := sandboxtest.New(t)
	serve(b, "POST", posted, fact.Request{JSON: []fact.Field{
		{Name: "m", Type: fact.String, Enum: []any{"A"}, Reviewed: true},
		{Name: "n", Type: fact.Integer, Enum: []any{int64(1)}, Reviewed: true},
		{Name: "l", Type: fact.Strings, Enum: []any{"A"}, Reviewed: true},
		{Name: "o", Type: fact.String, Enum: []any{"A"}}, {Name: "j", Type: fact.String, JSONText: true},
	}}, nil)
	for text, want := range map[string]string{
		`{"m":"A","n":1}`: "", `{"o":"anything"}`: "", `{"j":"[1]"}`: "", `{"j":""}`: "",
		`{"m":"B"}`:  "/body/m: " + say.IssueConstant.EN,
		`{"n":2}`:    "/body/n: " + say.IssueConstant.EN,
		`{"j":"[1"}`: "/body/j: it is not a JSON text",
	} {
		detail := rejected(t, b, b.Call("POST", posted, json.RawMessage(text)))
		assert.Equal(t, want == "", detail == nil, text)
		if detail != nil {
			assert.Equal(t, want, b.Reason(), text)
		}
	}
}

func TestQueryConstants(t *testing.T) {
	b := sandboxtest.New(t)
	serve(b, "GET", queried, fact.Request{Query: []fact.Field{
		{Name: "m", Type: fact.String, Enum: []any{"A"}, Reviewed: true},
		{Name: "n", Type: fact.Integer}, {Name: "b", Type: fact.Boolean}, {Name: "f", Type: fact.Number},
	}}, nil)
	for query, want := range map[string]string{
		"m=A": "", "b=1": "", "n=7": "", "f=7.5": "", "unknown=x": "",
		"m=B":   "/query/m: " + say.IssueConstant.EN,
		"n=x":   "/query/n: its type must be integer",
		"n=7.5": "/query/n: its type must be integer",
		"b=yes": "/query/b: its type must be boolean",
		"f=x":   "/query/f: its type must be number",
	} {
		detail := rejected(t, b, b.Call("GET", queried+"?"+query, nil))
		assert.Equal(t, want == "", detail == nil, query)
		if detail != nil {
			assert.Equal(t, want, b.Reason(), query)
		}
	}
}
