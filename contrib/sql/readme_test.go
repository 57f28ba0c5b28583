package wxsql_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Both pages name the tests that there are, in the same order, and show the same code. Each line of
// the failure table names a test.
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
	line := regexp.MustCompile(`(?m)^\|.*\|$`)
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
		begin := strings.Index(string(text), "<!-- failures -->")
		require.Positive(t, begin, page)
		lines := line.FindAllString(string(text[begin:]), -1)
		require.Greater(t, len(lines), 20, page)
		for _, l := range lines[2:] {
			assert.Regexp(t, tests, l, page)
		}
	}
	require.Greater(t, len(named[0]), 20)
	assert.Equal(t, blocks[0], blocks[1])
	assert.Equal(t, named[0], named[1])
}
