package jsonwalk_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/internal/jsonwalk"
)

// values are texts that a reader of values has to take, or not, as encoding/json does.
var values = []string{
	order, `null`, `true`, `-1.50e3`, `"a\u00e9\ud83d\ude00\ud800"`, `[]`, `{}`, `[[],{"a":[1,"x",null,false]}]`, ` { "a" : 1 , "a" : 2 } `,
	"\"\xff\"", `{"a":}`, `[1,]`, ``, `{"a":1}x`, strings.Repeat("[", 20) + strings.Repeat("]", 20),
}

func TestUnmarshal(t *testing.T) {
	for _, text := range values {
		sameValue(t, []byte(text))
	}
	_, err := jsonwalk.Unmarshal([]byte(strings.Repeat("[", jsonwalk.MaxDepth+1)))
	assert.ErrorIs(t, err, jsonwalk.ErrAmbiguous)
}

func FuzzUnmarshal(f *testing.F) {
	for _, text := range values {
		f.Add([]byte(text))
	}
	f.Fuzz(sameValue)
}

// sameValue compares with encoding/json.
func sameValue(t *testing.T, text []byte) {
	got, err := jsonwalk.Unmarshal(text)
	if errors.Is(err, jsonwalk.ErrAmbiguous) { // nested deeper than this package goes
		return
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	var want any
	require.Equal(t, json.Valid(text) && utf8.Valid(text), jsonwalk.Valid(text), "%q", text)
	if !json.Valid(text) {
		require.Error(t, err, "%q", text)
		return
	}
	require.NoError(t, decoder.Decode(&want))
	require.NoError(t, err, "%q", text)
	require.Equal(t, want, got, "%q", text)
}
