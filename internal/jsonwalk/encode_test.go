package jsonwalk_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/internal/jsonwalk"
)

// unwilling cannot be written, and says so with a value in its text.
type unwilling struct{}

func (unwilling) MarshalJSON() ([]byte, error) { return nil, errors.New("SECRET") }

func TestMarshal(t *testing.T) {
	type item struct {
		Name string `json:"name"`
	}
	many := map[string]any{}
	for i := range 40 {
		many[strings.Repeat("x", i)] = i
	}
	for name, v := range map[string]any{
		"nothing": nil, "a text": "a", "html": "<a href='x'>&", "escapes": "\"\\\b\f\n\r\t\x01\u2028\u2029é字😀\x7f",
		"numbers": []any{1, int64(-9007199254740993), uint8(7), 1.5, json.Number("1e2")}, "truth": []any{true, false, nil},
		"an object":    map[string]any{"b": 1, "a": map[string]any{"<": []string{"x", "y"}}, "": nil},
		"many fields":  many,
		"objects":      []map[string]any{{"a": 1}, nil, {}},
		"nil kinds":    []any{map[string]any(nil), []any(nil), []string(nil), (*item)(nil)},
		"structs":      map[string]any{"item": item{"<x>"}, "items": []item{{"a"}, {"b"}}, "pointer": &item{"c"}},
		"another map":  map[string]int{"b": 2, "a": 1},
		"a huge text":  strings.Repeat("字", 100_000),
		"raw messages": json.RawMessage(`{"a" : 1}`),
	} {
		t.Run(name, func(t *testing.T) {
			var want bytes.Buffer
			encoder := json.NewEncoder(&want)
			encoder.SetEscapeHTML(false)
			require.NoError(t, encoder.Encode(v))
			got, err := jsonwalk.Marshal(v)
			require.NoError(t, err)
			assert.Equal(t, strings.TrimSuffix(want.String(), "\n"), string(got))
		})
	}
}

func TestMarshalMistakes(t *testing.T) {
	self := map[string]any{}
	self["self"] = self
	for name, tt := range map[string]struct {
		v       any
		pointer string
		says    string
	}{
		"a channel":             {map[string]any{"a": []any{1, make(chan int)}}, "/a/1", "unsupported type: chan int"},
		"no number":             {map[string]any{"a/~b": math.NaN()}, "/a~1~0b", "unsupported value: NaN"},
		"itself":                {self, strings.Repeat("/self", jsonwalk.MaxDepth+1), "contains itself"},
		"a marshaler's refusal": {map[string]any{"a": unwilling{}}, "/a", "a jsonwalk_test.unwilling refused to be written"},
		"a broken number":       {map[string]any{"a": json.Number("SECRET")}, "/a", "a value refused to be written"},
		"not UTF-8":             {map[string]any{"a": map[string]string{"b": "\xff"}}, "/a/b", "it is not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := jsonwalk.Marshal(tt.v)
			var at *jsonwalk.FieldError
			require.ErrorAs(t, err, &at)
			assert.Equal(t, tt.pointer, at.Pointer)
			assert.ErrorContains(t, at.Err, tt.says)
			assert.NotContains(t, err.Error(), "SECRET")
		})
	}
}

// What one text was written into is used again for the next, and shows nothing of the first.
func TestBorrow(t *testing.T) {
	first, err := jsonwalk.Marshal("first")
	require.NoError(t, err)
	scratch := jsonwalk.Borrow()
	assert.Empty(t, *scratch)
	jsonwalk.Return(scratch, append(*scratch, "something else"...))
	second, err := jsonwalk.Marshal("second")
	require.NoError(t, err)
	assert.Equal(t, `"first" "second"`, string(first)+" "+string(second))
}
