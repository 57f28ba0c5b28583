package ordered_test

import (
	"encoding/json"
	"iter"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/ordered"
)

type object []struct {
	name  string
	value any
}

func (o object) All() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		for _, m := range o {
			if !yield(m.name, m.value) {
				return
			}
		}
	}
}

func TestMarshal(t *testing.T) {
	for _, test := range []struct {
		name  string
		value any
		want  string
	}{
		{"order", object{{"b", 1}, {"a", "2"}}, `{"b":1,"a":"2"}`},
		{"empty object", object{}, `{}`},
		{"no object", object(nil), `{}`},
		{"empty array", []any{}, `[]`},
		{"inside each other", []any{object{{"a", []any{object{{"c", nil}, {"b", true}}}}}}, `[{"a":[{"c":null,"b":true}]}]`},
		{"another value", map[string]any{"b": 1, "a": "<"}, `{"a":"<","b":1}`},
		{"characters", object{{"<a&\">", "微信 \x01 \n"}}, `{"<a&\">":"微信 \u0001 \n"}`},
		{"raw", object{{"a", json.RawMessage(`12345678901234567890`)}}, `{"a":12345678901234567890}`},
		{"twice", object{{"a", 1}, {"a", 2}}, `{"a":1,"a":2}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := ordered.Marshal(test.value)
			require.NoError(t, err)
			assert.Equal(t, test.want, string(got))
			assert.True(t, json.Valid(got))
		})
	}
	_, err := ordered.Marshal(object{{"a", []any{func() {}}}})
	assert.Error(t, err)
}

func TestMarshalIndent(t *testing.T) {
	got, err := ordered.MarshalIndent(object{{"b", object{{"z", 1}, {"a", []any{1, "x"}}}}, {"a", object{}}})
	require.NoError(t, err)
	assert.Equal(t, "{\n  \"b\": {\n    \"z\": 1,\n    \"a\": [\n      1,\n      \"x\"\n    ]\n  },\n  \"a\": {}\n}\n",
		string(got))
	_, err = ordered.MarshalIndent(func() {})
	assert.Error(t, err)
}
