package jsonwalk_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/internal/jsonwalk"
)

func TestPointer(t *testing.T) {
	for pointer, place := range map[string]jsonwalk.Place{
		"":             nil,
		"/a":           {{Name: []byte("a")}},
		"/a~1b~0c/0/":  {{Name: []byte("a/b~c")}, {Index: 0}, {Name: []byte("")}},
		"/~01/12/字":    {{Name: []byte("~1")}, {Index: 12}, {Name: []byte("字")}},
		"/receivers/3": {{Name: []byte("receivers")}, {Index: 3}},
	} {
		assert.Equal(t, pointer, place.Pointer())
	}
	assert.Equal(t, "/a/b~1c", jsonwalk.Below("/a", "b/c"))
}

func TestParsePointer(t *testing.T) {
	for pointer, want := range map[string][]string{
		"/": {""}, "/a": {"a"}, "/a/b": {"a", "b"}, "/a~1b~0c/*/": {"a/b~c", "*", ""}, "/~01": {"~1"},
	} {
		names, err := jsonwalk.ParsePointer(pointer)
		require.NoError(t, err, pointer)
		assert.Equal(t, want, names)
	}
	for pointer, says := range map[string]string{
		"": "begins with a slash", "a": "begins with a slash", "/a~": "after ~ comes", "/a~2/b": "after ~ comes", "/~~1": "after ~ comes",
	} {
		_, err := jsonwalk.ParsePointer(pointer)
		assert.ErrorContains(t, err, says, pointer)
	}
}
