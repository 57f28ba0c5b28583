package jsonwalk_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/internal/jsonwalk"
)

func TestBroken(t *testing.T) {
	for text, want := range map[string]string{
		"{\"a\":[1,{\"b\":\"\xff\"}]}": "/a/1/b", "{\"a/~\":\"\xff\"}": "/a~1~0", "{\"\xff\":1}": "/\xff", "{\"a\":\"\xff\",": "/a",
		`{"a":"\ufffd"}`: "", "{\"a\":\"\ufffd\"}": "", "[\xff": "", "": "", "\"\xff\"": "",
	} {
		assert.Equal(t, want, jsonwalk.Broken([]byte(text)), text)
	}
}

// round leads back to itself where encoding/json does not go.
type round struct {
	Text string
	Also any
	self *round
}

func (r *round) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"text": r.Text, "also": r.Also})
}

func TestReplaced(t *testing.T) {
	in := func(v any) (string, bool) {
		text, err := json.Marshal(v)
		require.NoError(t, err)
		return jsonwalk.Replaced(text, v)
	}
	explicit := json.RawMessage(`"\ufffd"`)
	r := &round{Text: "x", Also: explicit}
	r.self = r
	_, found := in(r)
	assert.False(t, found)
	r.Text = "\xff"
	pointer, found := in([]any{r})
	assert.True(t, found)
	assert.Equal(t, "/0/Text", pointer)

	type fields struct {
		Text  string `json:"text"`
		None  *fields
		Bytes []byte
		Quiet string `json:"-"`
		quiet string
	}
	for name, v := range map[string]any{"nil": nil, "escaped": explicit, "unseen": fields{Text: `\ufffd`, Bytes: []byte("\xff"), Quiet: "\xff", quiet: "\xff"}} {
		_, found := in(v)
		assert.False(t, found, name)
	}
	pointer, found = in(map[int]fields{1: {Text: "\xff"}})
	assert.True(t, found)
	assert.Equal(t, "/1/text", pointer)
}
