package webhook

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadNotification(t *testing.T) {
	const crlf = "\r\n"
	for name, test := range map[string]struct {
		file   string
		header http.Header
		body   string
		odd    bool // there is a remark
		open   bool
	}{
		"CRLF": {"POST / HTTP/1.1\r\nA: b\r\nContent-Length: " +
			"2\r\n\r\n{}", http.Header{"A": {"b"}, "Content-Length": {"2"}}, "{}", false, false},
		"LF":               {"POST / HTTP/1.1\nA: b\n\n{}", http.Header{"A": {"b"}}, "{}", false, true},
		"no request line":  {"a-b: c:d \n\n{}", http.Header{"A-B": {"c:d"}}, "{}", false, true},
		"HTTP/2 by curl":   {"POST /notify HTTP/2\na: b\n\n{}", http.Header{"A": {"b"}}, "{}", false, true},
		"twice":            {"a: b\nA: c\n\nx", http.Header{"A": {"b", "c"}}, "x", false, true},
		"a line that goes": {"a: b\n  c\n\nx", http.Header{"A": {"b c"}}, "x", false, true},
		"empty value":      {"a:\n\nx", http.Header{"A": {""}}, "x", false, true},
		"empty body":       {"a: b\n\n", http.Header{"A": {"b"}}, "", false, true},
		"counted":          {"Content-Length: 2\n\n{}\n\n", http.Header{"Content-Length": {"2"}}, "{}", false, false},
		"counted, cut":     {"Content-Length: 9\n\n{}", http.Header{"Content-Length": {"9"}}, "{}", true, false},
		"counted, more":    {"Content-Length: 2\n\n{}{}", http.Header{"Content-Length": {"2"}}, "{}{}", true, false},
		"count is no text": {"Content-Length: -1\n\n{}", http.Header{"Content-Length": {"-1"}}, "{}", false, true},
		"body with blanks": {"a: b\n\n\n{}", http.Header{"A": {"b"}}, "\n{}", false, true},
		"byte order mark":  {"\ufeffa: b\n\nx", http.Header{"A": {"b"}}, "x", false, true},
		"JSON": {`{"headers":{"a":"b","c":["d","e"]},"body":"{\"x\":1}\n"}`, http.Header{"A": {"b"},
			"C": {"d", "e"}}, "{\"x\":1}\n", false, false},
		"JSON, other case": {`{"Headers":{"a":"b"},"Body":"x"}`, http.Header{"A": {"b"}}, "x", false, false},
		"JSON, object":     {`{"header":{},"body":{ "x" : 1 }}`, http.Header{}, `{ "x" : 1 }`, true, false},
		"JSON, of a gateway": {`{"headers":{"a":"b"},"multiValueHeaders":{"a":["b","c"]},"isBase64Encoded":true,` +
			`"body":"eyJ4IjoxfQ=="}`, http.Header{"A": {"b", "c"}}, `{"x":1}`, true, false},
		"JSON, in base64 unsaid": {`{"headers":{},"body":"eyJ4\nIjoxfQ=="}`, http.Header{}, `{"x":1}`, true, false},
		"JSON, no base64":        {`{"headers":{},"isBase64Encoded":false,"body":"abcd"}`, http.Header{}, "abcd", false, false},
		"in base64":              {"a: b\n\neyJ4IjoxfQ==\n", http.Header{"A": {"b"}}, `{"x":1}`, true, false},
		"JSON, empty body":       {`{"header":{},"body":""}`, http.Header{}, "", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			n, err := readNotification([]byte(test.file))
			require.NoError(t, err)
			assert.Equal(t, test.header, n.header)
			assert.Equal(t, test.body, string(n.body))
			assert.Equal(t, test.odd, n.remark != nil, n.remark)
			assert.Equal(t, test.open, n.open)
		})
	}
	for name, file := range map[string]string{
		"empty": "", "blank": " \r\n\t", "XML": "<xml/>", "body alone": `{"id":"1"}`, "no JSON": "{",
		"array for an object": `{"headers":[]}`,
		"number for a value":  `{"headers":{"a":1},"body":""}`, "object for a value": `{"headers":{"a":{}},"body":""}`,
		"no body":   `{"headers":{}}`,
		"null body": `{"headers":{},"body":null}`, "prose": "hello there", "no name": ": b\n\n",
		"name with a blank":           "a b: c\n\nx",
		"not the base64 that it says": `{"headers":{},"isBase64Encoded":true,"body":"{}"}`,
		"headers alone":               "a: b", "request line alone": "POST / HTTP/1.1", "not a header behind": "a: b\nc\n\nx",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readNotification([]byte(file))
			require.Error(t, err)
			assert.NotContains(t, err.Error(), crlf)
		})
	}
}

// Whatever the body is, each form gives it back to the byte.
func FuzzReadNotification(f *testing.F) {
	f.Add("Wechatpay-Nonce", "abc", []byte(`{"id":"1"}`))
	f.Add("a", "", []byte("\r\n\r\n"))
	f.Add("X-Odd", "ü:;", []byte("\x00\xff<xml/>"))
	f.Fuzz(func(t *testing.T, name, value string, body []byte) {
		_, _ = readNotification(body) // no panic
		value = strings.Join(strings.Fields(value), " ")
		if _, base64 := unwrapped(body, false); base64 {
			return // it is decoded
		}
		if name == "" || strings.ContainsFunc(name, func(r rune) bool {
			return r != '-' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
		}) || strings.ContainsAny(value, "\x00") {
			return
		}
		switch http.CanonicalHeaderKey(name) {
		case "Content-Length", "Transfer-Encoding":
			return
		}
		for _, newline := range []string{"\n", "\r\n"} {
			var file bytes.Buffer
			fmt.Fprintf(&file, "POST / HTTP/1.1%[1]s%[2]s: %[3]s%[1]sContent-Length: "+
				"%[4]d%[1]s%[1]s", newline, name, value, len(body))
			file.Write(body)
			n, err := readNotification(file.Bytes())
			require.NoError(t, err)
			assert.Equal(t, string(body), string(n.body))
			assert.Equal(t, []string{value}, n.header[http.CanonicalHeaderKey(name)])
			assert.NoError(t, n.remark)
			assert.Equal(t, strconv.Itoa(len(body)), n.header.Get("Content-Length"))
		}
		if !utf8.Valid(body) || !utf8.ValidString(value) {
			return // which JSON cannot hold
		}
		file, err := json.Marshal(map[string]any{"headers": map[string]string{name: value}, "body": string(body)})
		require.NoError(t, err)
		n, err := readNotification(file)
		require.NoError(t, err)
		assert.Equal(t, string(body), string(n.body))
		assert.Equal(t, []string{value}, n.header[http.CanonicalHeaderKey(name)])
	})
}
