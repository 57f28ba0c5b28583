package target_test

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/jsonwalk"
	"github.com/wxpay-go/wxpay/internal/target"
)

func TestExpand(t *testing.T) {
	for name, tt := range map[string]struct {
		template         string
		variables        []target.Variable
		escaped, decoded string
	}{
		"without a placeholder": {"/v3/a/", nil, "/v3/a/", ""},
		"a plain value":         {"/v3/{a}", []target.Variable{{Name: "a", Value: "x/y z"}}, "/v3/x%2Fy%20z", "/v3/x/y z"},
		"an encoded value":      {"/v3/{a}/b", []target.Variable{{Name: "a", Value: "x%2fy", Raw: true}}, "/v3/x%2fy/b", "/v3/x/y/b"},
		"one name twice":        {"/{a}/{a}", []target.Variable{{Name: "a", Value: "1"}}, "/1/1", "/1/1"},
	} {
		escaped, decoded, err := target.Expand(tt.template, tt.variables)
		require.NoError(t, err, name)
		assert.Equal(t, tt.escaped, escaped, name)
		assert.Equal(t, tt.decoded, decoded, name)
	}
}

// No value leaves its segment, and the path that is sent says the value that was given.
func FuzzExpand(f *testing.F) {
	for _, value := range []string{"a", "a/b", "..", "%2e%2e", "a?b#c", "字", "\x00", "\\", "a;b", "{b}"} {
		f.Add(value, false)
		f.Add(value, true)
	}
	f.Fuzz(func(t *testing.T, value string, raw bool) {
		escaped, _, err := target.Expand("/v3/{a}/end", []target.Variable{{Name: "a", Value: value, Raw: raw}})
		if err != nil {
			return
		}
		u, err := url.Parse("https://host" + escaped + "?q=1")
		require.NoError(t, err)
		require.Equal(t, escaped, u.EscapedPath())
		segments := strings.Split(u.EscapedPath(), "/")
		require.Len(t, segments, 4)
		require.Equal(t, "end", segments[3])
		plain, err := url.PathUnescape(segments[2])
		require.NoError(t, err)
		if !raw {
			require.Equal(t, value, plain)
		}
		require.NotContains(t, []string{"", ".", ".."}, plain)
	})
}

func TestLabel(t *testing.T) {
	for template, want := range map[string]string{
		"": "", "v3/bills/{id}": "/v3/bills/{id}", "v3/id/42000": "/v3/id/{…}", "v3/oUpF8/x": "/v3/{…}/x", "v3/apply4sub/": "/v3/apply4sub/",
	} {
		assert.Equal(t, want, target.Label(template))
	}
}

type (
	level  uint16
	hidden string
)

func TestNewParam(t *testing.T) {
	secret, token := reflect.TypeFor[hidden](), func(text string) []byte { return []byte("token of " + text) }
	day := time.Date(2026, 11, 22, 20, 30, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		value any
		want  target.Param
	}{
		"a text":    {"a", target.Param{Name: "q", Values: []string{"a"}}},
		"integers":  {[]any{1, uint8(2)}, target.Param{}},
		"levels":    {[2]level{1, 2}, target.Param{Name: "q", Values: []string{"1", "2"}}},
		"truth":     {[]bool{true, false}, target.Param{Name: "q", Values: []string{"true", "false"}}},
		"no values": {[]string{}, target.Param{Name: "q"}},
		"a time":    {day, target.Param{Name: "q", Values: []string{"2026-11-23T04:30:00+08:00"}, Time: true}},
		"nil":       {nil, target.Param{}},
		"bytes":     {[]byte("a"), target.Param{}},
		"no time":   {time.Time{}, target.Param{}},
		"half":      {"a\xff", target.Param{}},
	} {
		got, err := target.NewParam("q", tt.value, secret, token)
		if tt.want.Name == "" {
			assert.ErrorContains(t, err, `"q"`, name)
			continue
		}
		require.NoError(t, err, name)
		assert.Equal(t, tt.want, got, name)
	}
	_, err := target.NewParam("q", []string{"ok", "\xff"}, secret, token)
	require.ErrorIs(t, err, jsonwalk.ErrNotUTF8)
	got, err := target.NewParam("q", []hidden{"a", ""}, secret, token)
	require.NoError(t, err)
	assert.Equal(t, []string{"token of a", "token of "}, got.Values)
	_, err = target.NewParam("", "a", secret, token)
	require.ErrorContains(t, err, "empty name")
}

func TestAppendQuery(t *testing.T) {
	newestFirst := []target.Param{{Name: "b", Values: []string{"&", ""}}, {Name: "none"}, {Name: "a", Values: []string{"1"}}}
	assert.Equal(t, "a=1&b=%26&b=", string(target.AppendQuery(nil, newestFirst)))
}

func TestTimeLayout(t *testing.T) {
	operation := &fact.Operation{In: fact.Request{Query: []fact.Field{
		{Name: "day", Format: "date"}, {Name: "at", Alt: []string{"moment"}, Format: "rfc3339"},
		{Name: "digits", Sample: "20260102"}, {Name: "text", Sample: "soon"},
	}}}
	for name, want := range map[string]string{"day": time.DateOnly, "moment": time.RFC3339, "digits": "20060102", "text": "", "other": ""} {
		assert.Equal(t, want, target.TimeLayout(operation, name), name)
	}
	assert.Empty(t, target.TimeLayout(nil, "day"))
}

func TestUnencrypted(t *testing.T) {
	for name, test := range map[string]struct {
		base      string
		backups   []string
		permitted []string
		want      []string
	}{
		"https":              {"https://gate", nil, nil, nil},
		"this machine":       {"http://127.0.0.1:80", []string{"localhost:81", "[::1]"}, nil, nil},
		"another machine":    {"http://gate:80", nil, nil, []string{"gate:80"}},
		"permitted":          {"http://gate:80", nil, []string{"gate"}, nil},
		"permitted port":     {"http://gate:80", nil, []string{"gate:80"}, nil},
		"another port":       {"http://gate:80", nil, []string{"gate:81"}, []string{"gate:80"}},
		"an address of IPv6": {"http://[fd00::1]:80", nil, []string{"fd00::1"}, nil},
		"a backup":           {"http://gate", []string{"other"}, []string{"gate"}, []string{"other"}},
	} {
		base, err := url.Parse(test.base)
		require.NoError(t, err, name)
		assert.Equal(t, test.want, target.Gateway{Base: base, Backups: test.backups}.Unencrypted(test.permitted), name)
	}
}

func TestBaseURL(t *testing.T) {
	for address, want := range map[string]string{
		"https://API.mch.weixin.qq.com/": "https://api.mch.weixin.qq.com", "https://gate:443": "https://gate",
		"http://127.0.0.1:8080": "http://127.0.0.1:8080", "http://[::1]:80/": "http://[::1]",
	} {
		u, err := target.BaseURL(address)
		require.NoError(t, err, address)
		assert.Equal(t, want, u.String())
	}
	for address, says := range map[string]string{
		"gate": "not of the form", "ftp://gate": "not of the form", "https://gate/v3": "more than scheme and host",
		"https://gate?": "more than",
		"https://gate:": "no port", "https://SECRET@gate": "names a user", "https://gate\u200b": "",
	} {
		_, err := target.BaseURL(address)
		require.ErrorContains(t, err, says, address)
		assert.NotContains(t, err.Error(), "SECRET")
	}
}
