package wxotel_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	wxotel "github.com/wxpay-go/wxpay/contrib/otel"
)

// Both pages name the tests that there are, the same code, every metric, and no other attribute.
func TestReadme(t *testing.T) {
	files, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	var source strings.Builder
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		source.Write(text)
	}
	code, tests := regexp.MustCompile("(?s)```go\n.*?```"), regexp.MustCompile("`(Test\\w+)`")
	attribute := regexp.MustCompile("`((?:wxpay|http|messaging|server|error|url)[._][a-z_.]+)`")
	var blocks, named [][]string
	for _, page := range []string{"README.md", "README.zh-CN.md"} {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		blocks = append(blocks, code.FindAllString(string(text), -1))
		var names []string
		for _, m := range tests.FindAllStringSubmatch(string(text), -1) {
			names = append(names, m[1])
			assert.Contains(t, source.String(), "func "+m[1]+"(t *testing.T)", page)
		}
		named = append(named, names)
		known := wxotel.Attributes()
		for _, i := range wxotel.Instruments() {
			known = append(known, i.Name)
			assert.Contains(t, string(text), "`"+i.Name+"`", page)
		}
		for _, m := range attribute.FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(m[1], ".") || m[1] == "url.full" {
				continue // a name of Prometheus; the one that is left out
			}
			assert.Contains(t, known, m[1], page)
		}
	}
	require.Greater(t, len(named[0]), 15)
	assert.Equal(t, blocks[0], blocks[1])
	assert.Equal(t, named[0], named[1])
}
