package wxredis_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Both pages name the tests that there are, in each line of the failure table, and the same code.
func TestReadme(t *testing.T) {
	files, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	var source strings.Builder
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		source.Write(text)
	}
	code, row, tests := regexp.MustCompile("(?s)```go\n.*?```"), regexp.MustCompile(`(?m)^\| .*\|$`), regexp.MustCompile("`(Test\\w+)`")
	var blocks, named [][]string
	for _, page := range []string{"README.md", "README.zh-CN.md"} {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		blocks = append(blocks, code.FindAllString(string(text), -1))
		var names []string
		table := strings.Split(string(text), "\n## ")[2]
		for _, line := range row.FindAllString(table, -1)[2:] {
			found := tests.FindAllStringSubmatch(line, -1)
			assert.NotEmpty(t, found, "%s: %s", page, line)
			for _, m := range found {
				names = append(names, m[1])
				assert.Contains(t, source.String(), "func "+m[1]+"(t *testing.T)", page)
			}
		}
		named = append(named, names)
	}
	require.Greater(t, len(named[0]), 15)
	require.NotEmpty(t, blocks[0])
	assert.Equal(t, blocks[0], blocks[1])
	assert.Equal(t, named[0], named[1])
}
