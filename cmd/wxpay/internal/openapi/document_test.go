package openapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/openapi"
	"github.com/wxpay-go/wxpay/fact"
)

func document(t *testing.T, operations ...*fact.Operation) []byte {
	t.Helper()
	out, err := openapi.Document(slices.Values(operations), catalog.V3().Described().Events(), "1")
	require.NoError(t, err)
	return out
}

// TestEveryOperation finds every operation of the catalogue in the document. That the document is valid is the opinion of
// others, in tools/opinion.
func TestEveryOperation(t *testing.T) {
	all := slices.Collect(catalog.V3().Described().All())
	doc := parse(t, document(t, all...))
	described := make(map[string]bool)
	for _, item := range read(t, doc, "paths").(map[string]any) {
		for _, member := range item.(map[string]any) {
			operation, ok := member.(map[string]any)
			if !ok {
				continue // a description, or parameters
			}
			id := read(t, operation, "operationId").(string)
			assert.False(t, described[id], id)
			described[id] = true
		}
	}
	alike := 0
	for _, operation := range all {
		if described[openapi.ID(operation)] {
			continue
		}
		alike++
		assert.NotEmpty(t, operation.Also, operation.Path)
	}
	assert.Equal(t, 1, alike)
	assert.Len(t, described, len(all)-alike)
}

// parse reads a document for read.
func parse(t *testing.T, data []byte) (value any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(data, &value))
	return value
}

// read returns a part of a document by its steps.
func read(t *testing.T, value any, steps ...any) any {
	t.Helper()
	for _, step := range steps {
		switch step := step.(type) {
		case string:
			require.IsType(t, map[string]any{}, value, "%v of %v", step, steps)
			require.Contains(t, value, step)
			value = value.(map[string]any)[step]
		case int:
			require.IsType(t, []any{}, value)
			require.Greater(t, len(value.([]any)), step)
			value = value.([]any)[step]
		}
	}
	return value
}

// TestMembers checks each form of a field.
func TestMembers(t *testing.T) {
	inner := []fact.Field{{Name: "id", Type: fact.String, Required: true, Confirmed: true}}
	operation := &fact.Operation{
		Method: "POST", Path: "/v3/a", Name: "名", Success: 200, Response: fact.JSONResponse,
		In: fact.Request{JSON: []fact.Field{
			{Name: "secret", Type: fact.String, Required: true, Confirmed: true, Cipher: fact.RSA},
			{Name: "documented", Type: fact.String, Required: true, Label: "名", Min: 6, Max: 32, Sample: "x"},
			{Name: "amount", Type: fact.Integers, Unit: fact.Fen, Label: "额", Sample: int64(100)},
			{Name: "secrets", Type: fact.Strings, Cipher: fact.RSA},
			{Name: "state", Type: fact.String, Enum: []any{"A", "B"}, EnumLabels: []string{"甲", ""}},
			{Name: "kind", Type: fact.Integer, Enum: []any{int64(1)}, Reviewed: true},
			{Name: "rate", Type: fact.Numbers},
			{Name: "yes", Type: fact.Boolean},
			{Name: "at", Type: fact.String, Format: "rfc3339"},
			{Name: "day", Type: fact.String, Format: "date"},
			{Name: "link", Type: fact.String, Format: "url"},
			{Name: "file", Type: fact.String, Format: "media"},
			{Name: "text", Type: fact.String, JSONText: true, Fields: inner},
			{Name: "object", Type: fact.Object, Fields: inner},
			{Name: "objects", Type: fact.Objects, Fields: inner},
			{Name: "name", Type: fact.String, Required: true, Confirmed: true, Alt: []string{"title"}, ByHand: true},
		}},
	}
	data := document(t, operation)
	body := read(t, parse(t, data), "paths", "/v3/a", "post", "requestBody", "content", "application/json", "schema")
	text, err := json.Marshal(body)
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"type": "object",
		"properties": {
			"secret": {"type": "string", "x-wxpay-cipher": "rsa"},
			"secrets": {"type": "array", "items": {"type": "string", "x-wxpay-cipher": "rsa"}},
			"documented": {"type": "string", "examples": ["x"], "minLength": 6, "maxLength": 32, "title": "名",
				"x-wxpay-required": "documented"},
			"amount": {"type": "array", "items": {"type": "integer", "format": "int64", "examples": [100],
				"x-wxpay-unit": "fen"}, "title": "额"},
			"state": {"type": "string", "x-extensible-enum": ["A", "B"], "x-enum-labels": {"A": "甲"}},
			"kind": {"type": "integer", "format": "int64", "enum": [1]},
			"rate": {"type": "array", "items": {"type": "number"}},
			"yes": {"type": "boolean"},
			"at": {"type": "string", "format": "date-time"},
			"day": {"type": "string", "format": "date"},
			"link": {"type": "string", "format": "uri"},
			"file": {"type": "string", "x-wxpay-format": "media"},
			"text": {"type": "string", "contentMediaType": "application/json", "contentSchema":
				{"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}},
			"object": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]},
			"objects": {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}},
			"name": {"type": "string", "x-wxpay-alternatives": ["title"], "x-wxpay-by-hand": true}
		},
		"required": ["secret"],
		"allOf": [{"anyOf": [{"required": ["name"]}, {"required": ["title"]}]}]
	}`, string(text))
}

// TestOperations looks at what is told of operations as a whole, by those of the catalogue that have it.
func TestOperations(t *testing.T) {
	paths := read(t, parse(t, document(t, slices.Collect(catalog.V3().Described().All())...)), "paths")
	at := func(steps ...any) any { return read(t, paths, steps...) }

	const cancel = "/v3/apply4subject/applyment/{applyment_id}/cancel"
	assert.Equal(t, "/v3/apply4subject/applyment/{business_code}/cancel", at(cancel, "post", "x-wxpay-look-alikes", 0, "path"))
	assert.Equal(t, "post_v3_apply4subject_applyment_business_code_cancel",
		at(cancel, "post", "x-wxpay-look-alikes", 0, "operation", "operationId"))

	const upload = "/v3/merchant/media/upload"
	form := []any{upload, "post", "requestBody", "content", "multipart/form-data"}
	assert.Equal(t, "application/octet-stream", at(append(form, "schema", "properties", "file", "contentMediaType")...))
	assert.Equal(t, "object", at(append(form, "schema", "properties", "meta", "type")...))
	assert.Equal(t, "application/json", at(append(form, "encoding", "meta", "contentType")...))
	assert.Equal(t, "meta", at(upload, "post", "requestBody", "x-wxpay-signed-part"))

	streams, only, unsigned, offline, brands, queryTexts := 0, 0, 0, 0, 0, 0
	for operation := range catalog.V3().Described().All() {
		method := strings.ToLower(operation.Method)
		if operation.Response == fact.StreamResponse {
			streams++
			content := at(operation.Path, method, "responses", "200", "content").(map[string]any)
			assert.NotContains(t, content, "application/json")
			assert.Len(t, content, 1)
			if operation.Signature == fact.OverDigest {
				at(operation.Path, method, "responses", "200", "headers", "Wechatpay-Statement-Sha1")
			}
		}
		if operation.HostRequired {
			only++
			assert.Equal(t, []any{map[string]any{"url": "https://" + operation.Host}}, at(operation.Path, method, "servers"))
		}
		if operation.Unsigned {
			unsigned++
			assert.Empty(t, at(operation.Path, method, "security"))
		}
		if operation.Scheme == fact.BrandScheme {
			brands++
			at(operation.Path, method, "security", 0, "wechatpay-brand")
		}
		if operation.Status == fact.Offline {
			offline++
			assert.Equal(t, true, at(operation.Path, method, "deprecated"))
			assert.Equal(t, "offline", at(operation.Path, method, "x-wxpay-status"))
		}
		for i, field := range operation.In.Query {
			if field.JSONText {
				queryTexts++
				at(operation.Path, method, "parameters", len(operation.In.Path)+i, "content", "application/json", "schema")
			}
		}
	}
	assert.Positive(t, streams)
	assert.Positive(t, only)
	assert.Positive(t, unsigned)
	assert.Positive(t, offline)
	assert.Positive(t, brands)
	assert.Positive(t, queryTexts)
}

// TestWebhooks finds every notification, with the fields of its resource, and an example in every body.
func TestWebhooks(t *testing.T) {
	doc := parse(t, document(t, slices.Collect(catalog.V3().Described().All())...))
	count := 0
	for event := range catalog.V3().Described().Events() {
		resource := read(t, doc, "webhooks", event.Type, "post", "x-wxpay-resource", "properties")
		assert.Len(t, resource, len(event.Resource), event.Type)
		count++
	}
	assert.Len(t, read(t, doc, "webhooks"), count)
	native := []any{"paths", "/v3/pay/transactions/native", "post", "requestBody", "content", "application/json"}
	assert.EqualValues(t, 100, read(t, doc, append(native, "example", "amount", "total")...))
	assert.EqualValues(t, 127, read(t, doc, append(native, "schema", "properties", "description", "maxLength")...))
}

// TestSameShape puts paths that differ in the names of placeholders into one item, under the names of the first.
// TestFactsArrive reads label, labels of constants, sample, unit and length of every field of a body in the document.
func TestFactsArrive(t *testing.T) {
	all := slices.Collect(catalog.V3().Described().All())
	doc := parse(t, document(t, all...))
	counts := make(map[string]int)
	var check func(where string, fields []fact.Field, schema map[string]any)
	check = func(where string, fields []fact.Field, schema map[string]any) {
		properties, _ := schema["properties"].(map[string]any)
		for _, field := range fields {
			at := where + "/" + field.Name
			property, ok := properties[field.Name].(map[string]any)
			require.True(t, ok, at)
			one := property // an element of an array
			if items, isArray := property["items"].(map[string]any); isArray {
				one = items
			}
			if field.Label != "" {
				counts["title"]++
				assert.Equal(t, field.Label, property["title"], at)
			}
			if field.Unit != "" {
				counts["unit"]++
				assert.Equal(t, string(field.Unit), one["x-wxpay-unit"], at)
			}
			for i, label := range field.EnumLabels {
				if label != "" {
					counts["label of a constant"]++
					assert.Equal(t, label, one["x-enum-labels"].(map[string]any)[fmt.Sprint(field.Enum[i])], at)
				}
			}
			if field.Sample != nil && len(field.Enum) == 0 {
				counts["sample"]++
				assert.NotEmpty(t, one["examples"], at)
			}
			if field.Max > 0 && field.Type == fact.String {
				counts["length"]++
				assert.EqualValues(t, field.Max, property["maxLength"], at)
			}
			if !field.JSONText {
				check(at, field.Fields, one)
			}
		}
	}
	for _, operation := range all {
		if len(operation.In.JSON) == 0 || len(operation.Also) > 0 {
			continue
		}
		schema := read(t, doc, "paths", operation.Path, strings.ToLower(operation.Method), "requestBody", "content", "application/json", "schema")
		check(operation.Method+" "+operation.Path, operation.In.JSON, schema.(map[string]any))
	}
	for _, what := range []string{"title", "unit", "label of a constant", "sample", "length"} {
		assert.Greater(t, counts[what], 200, what)
	}
	t.Log(counts)
}

func TestSameShape(t *testing.T) {
	path := func(name string) fact.Request {
		return fact.Request{Path: []fact.Field{{Name: name, Type: fact.String, Required: true}}}
	}
	data := document(t,
		&fact.Operation{Method: "GET", Path: "/v3/a/{x}", Success: 200, Response: fact.JSONResponse, In: path("x")},
		&fact.Operation{Method: "DELETE", Path: "/v3/a/{y}", Success: 204, Response: fact.EmptyResponse, In: path("y")},
	)
	paths := read(t, parse(t, data), "paths")
	assert.Len(t, paths, 1)
	second := []any{"/v3/a/{x}", "delete"}
	assert.Equal(t, "/v3/a/{y}", read(t, paths, append(second, "x-wxpay-path")...))
	assert.Equal(t, "x", read(t, paths, append(second, "parameters", 0, "name")...))
	assert.Equal(t, "y", read(t, paths, append(second, "parameters", 0, "x-wxpay-name")...))
}

// TestDeterministic writes the same document twice.
func TestDeterministic(t *testing.T) {
	all := slices.Collect(catalog.V3().Described().All())
	assert.True(t, bytes.Equal(document(t, all...), document(t, all...)))
	assert.True(t, json.Valid(document(t)), "no operations are a document, too")
}
