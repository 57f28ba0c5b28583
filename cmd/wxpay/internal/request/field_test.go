package request_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/request"
)

// texts parses fields, those that begin with a capital F as typed ones, and makes their body.
func texts(fields ...string) (string, error) {
	var list []request.Field
	for _, text := range fields {
		flag := &request.FieldFlag{List: &list, Typed: text[0] == 'F'}
		if err := flag.Set(text[1:]); err != nil {
			return "", err
		}
	}
	body, err := request.Body(list, func(name string) ([]byte, error) {
		switch name {
		case "f":
			return []byte("line\n"), nil
		case "binary":
			return []byte{0xff}, nil
		}
		return nil, os.ErrNotExist
	})
	return string(body), err
}

func TestFieldBody(t *testing.T) {
	for _, test := range []struct {
		name   string
		fields []string
		want   string
	}{
		{"string", []string{"fa=1"}, `{"a":"1"}`},
		{"empty string", []string{"fa="}, `{"a":""}`},
		{"value with equals sign", []string{"fa=b=c"}, `{"a":"b=c"}`},
		{"order", []string{"fb=1", "fa=2"}, `{"b":"1","a":"2"}`},
		{"characters", []string{"fa=<&>\"\\ 微信 \x01"}, `{"a":"<&>\"\\ 微信 \u0001"}`},
		{"name with characters", []string{"fa b.c=1"}, `{"a b.c":"1"}`},
		{"booleans and null", []string{"Fa=true", "Fb=false", "Fc=null"}, `{"a":true,"b":false,"c":null}`},
		{"untyped they are strings", []string{"fa=true", "fb=@f"}, `{"a":"true","b":"@f"}`},
		{"integers", []string{"Fa=0", "Fb=-1", "Fc=123456789012345678901234567890"},
			`{"a":0,"b":-1,"c":123456789012345678901234567890}`},
		{"what is no integer", []string{"Fa=007", "Fb=-0", "Fc=1.5", "Fd=1e3", "Fe=-", "Ff=+1", "Fg= 1"},
			`{"a":"007","b":"-0","c":"1.5","d":"1e3","e":"-","f":"+1","g":" 1"}`},
		{"empty typed", []string{"Fa="}, `{"a":""}`},
		{"file", []string{"Fa=@f"}, `{"a":"line\n"}`},
		{"object", []string{"fa[b]=1", "Fa[c]=2", "fd=3", "fa[e][f]=4"}, `{"a":{"b":"1","c":2,"e":{"f":"4"}},"d":"3"}`},
		{"array", []string{"fa[]=1", "Fa[]=2"}, `{"a":["1",2]}`},
		{"array of one", []string{"fa[]="}, `{"a":[""]}`},
		{"empty array", []string{"fa[]"}, `{"a":[]}`},
		{"empty array inside", []string{"fa[b][]"}, `{"a":{"b":[]}}`},
		{"array of objects", []string{"fa[][x]=1", "fa[][y]=2", "fa[][x]=3"}, `{"a":[{"x":"1","y":"2"},{"x":"3"}]}`},
		{"arrays in objects in arrays", []string{"fa[][x][]=1", "fa[][x][]=2", "fa[][y]=3", "fa[][y]=4"},
			`{"a":[{"x":["1","2"],"y":"3"},{"y":"4"}]}`},
		{"array of arrays", []string{"fa[][]=1", "fa[][]=2"}, `{"a":[["1","2"]]}`},
		{"empty array inside an array", []string{"fa[]=1", "fa[][]"}, `{"a":["1",[]]}`},
		{"element of an empty array", []string{"fa[]", "fa[]=1"}, `{"a":["1"]}`},
		{"object after value in array", []string{"fa[]=1", "fa[][x]=2"}, `{"a":["1",{"x":"2"}]}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := texts(test.fields...)
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}

func TestFieldMistakes(t *testing.T) {
	for _, test := range []struct {
		name   string
		fields []string
		want   string
	}{
		{"no value", []string{"fa"}, "it is not of the form name=value"},
		{"no value inside", []string{"fa[b]"}, "it is not of the form name=value"},
		{"no name", []string{"f=1"}, `the name "" is not of the form name, name[field] or name[]`},
		{"no name before bracket", []string{"f[a]=1"}, `the name "[a]" is not of the form name, name[field] or name[]`},
		{"open bracket", []string{"fa[b=1"}, `the brackets of "a[b" do not match`},
		{"closing bracket", []string{"fa]=1"}, `the name "a]" is not of the form name, name[field] or name[]`},
		{"bracket closed twice", []string{"fa[]]=1"}, `the brackets of "a[]]" do not match`},
		{"nested brackets", []string{"fa[b[c]]=1"}, `the brackets of "a[b[c]]" do not match`},
		{"text after bracket", []string{"fa[b]c=1"}, `the brackets of "a[b]c" do not match`},
		{"twice", []string{"fa=1", "fa=2"}, "field a: a is given twice (a[]= makes an array)"},
		{"twice inside", []string{"fa[b]=1", "fa[b]=2"}, "field a[b]: b is given twice (b[]= makes an array)"},
		{"value, then object", []string{"fa=1", "fa[b]=2"}, "field a[b]: a is a value already"},
		{"object, then value", []string{"fa[b]=1", "fa=2"}, "field a: a is given twice (a[]= makes an array)"},
		{"object, then array", []string{"fa[b]=1", "fa[]=2"}, "field a[]: it is an object, not an array"},
		{"array, then object", []string{"fa[]=1", "fa[b]=2"}, "field a[b]: it is an array, not an object"},
		{"element, then empty array", []string{"fa[]=1", "fa[]"}, "field a[]: a is given twice (a[]= makes an array)"},
		{"empty array twice", []string{"fa[]", "fa[]"}, "field a[]: a is given twice (a[]= makes an array)"},
		{"no such file", []string{"Fa=@nofile"}, "field a: file does not exist"},
		{"not UTF-8", []string{"Fa=@binary"}, "field a: it is not UTF-8, so JSON cannot carry it"},
		{"name not UTF-8", []string{"f\xff=1"}, "it is not UTF-8, so JSON cannot carry it"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := texts(test.fields...)
			assert.EqualError(t, err, test.want)
		})
	}
}

// Whatever is typed, the body is a JSON object that holds the last value, or there is an error.
func FuzzFieldBody(f *testing.F) {
	for _, seed := range [][3]string{
		{"fa=1", "fb=2", "Fc=3"},
		{"fa[]=1", "fa[][b]=2", "fa[]"},
		{"Fa[b][]=null", "Fa[b][]=@f", "fa[b]=1"},
		{"fa[][b][][c]=1", "fa[][b][][c]=2", "fa[][d]"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, a, b, c string) {
		for _, text := range []string{a, b, c} {
			if text == "" {
				t.Skip()
			}
		}
		body, err := texts(a, b, c)
		if err != nil {
			assert.NotEmpty(t, err.Error())
			return
		}
		var object map[string]any
		require.NoError(t, json.Unmarshal([]byte(body), &object), body)
		require.NotEmpty(t, object)
	})
}
