package call_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/wxpay-go/wxpay/internal/call"
)

// What was sent and what was found agree as far as both say something.
func TestAgree(t *testing.T) {
	for name, tt := range map[string]struct {
		sent, found string
		want        bool
	}{
		"equal texts":                       {`"a"`, `"a"`, true},
		"other texts":                       {`"a"`, `"A"`, false},
		"an empty text says nothing":        {`"a"`, `""`, true},
		"null says nothing":                 {`"a"`, `null`, true},
		"nothing sent":                      {`null`, `"a"`, true},
		"equal numbers":                     {`5`, `5`, true},
		"other numbers":                     {`5`, `6`, false},
		"a number of another form":          {`5`, `5.0`, true},
		"another one with an exponent":      {`500`, `5e2`, true},
		"a fraction":                        {`5`, `5.01`, false},
		"the last digit of a long number":   {`9007199254740993`, `9007199254740992`, false},
		"a number as a text":                {`5`, `"5"`, true},
		"another number as a text":          {`5`, `"6"`, false},
		"a text as a number":                {`"5"`, `5`, true},
		"a flag":                            {`true`, `true`, true},
		"another flag":                      {`true`, `false`, false},
		"a flag as a text":                  {`true`, `"true"`, false},
		"an object and a text":              {`{"a":1}`, `"a"`, false},
		"a field that one side lacks":       {`{"a":1,"b":2}`, `{"b":2,"c":3}`, true},
		"a field that differs":              {`{"a":{"b":1}}`, `{"a":{"b":2}}`, false},
		"an array in another order":         {`[1,2]`, `[2,1,3]`, true},
		"an element that is missing":        {`[1,2]`, `[1]`, false},
		"an array and nothing":              {`[1,2]`, `null`, true},
		"an array and an object":            {`[1]`, `{"a":1}`, false},
		"elements with fields of their own": {`[{"id":1,"x":1}]`, `[{"id":2},{"id":1,"y":2}]`, true},
	} {
		read := func(value string) any { return call.Read([]byte(`{"v":` + value + `}`)).Field("v") }
		assert.Equal(t, tt.want, call.Agree(read(tt.sent), read(tt.found)), name)
	}
	assert.False(t, call.Agree(json.Number("1e999"), json.Number("2e999")), "neither is a number that can be compared")
}

func TestDocument(t *testing.T) {
	d := call.Read([]byte(`{"a":{"b":"x","n":12345678901234567890,"f":true},"list":[{"id":"1"},{"id":"2"}],"e":""}`))
	for path, want := range map[string]string{
		"a.b": "x", "a.n": "12345678901234567890", "a.f": "", "a": "", "a.b.c": "", "none": "", "list": "", "e": "",
	} {
		assert.Equal(t, want, d.Text(path), path)
	}
	assert.Equal(t, true, d.Field("a.f"))
	assert.Nil(t, d.Field("a.none"))
	var ids []string
	for _, each := range d.Each("list") {
		ids = append(ids, each.Text("id"))
	}
	assert.Equal(t, []string{"1", "2"}, ids)
	assert.Empty(t, d.Each("a"))
	for _, bad := range []string{"", "{", "<html>"} {
		assert.Nil(t, call.Read([]byte(bad)).Field("a"), "in %q nothing is found", bad)
	}
}
