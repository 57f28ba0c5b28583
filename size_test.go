// It reads every module of the repository, and go.mod of contrib/fleet names this Go.

//go:build go1.26

package wxpay_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A hand-written file has at most 600 lines, and one of the root outside tests 400: the root reads as a table of contents.
func TestFilesAreShort(t *testing.T) {
	t.Parallel()
	seen := 0
	for name := range readSources(t).files {
		if !strings.HasSuffix(name, ".go") {
			continue
		}
		seen++
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		lines, most := bytes.Count(source, []byte("\n")), 600
		if path.Dir(name) == "." && !strings.HasSuffix(name, "_test.go") {
			most = 400
		}
		if lines <= most {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.PackageClauseOnly|parser.ParseComments)
		require.NoError(t, err)
		assert.True(t, ast.IsGenerated(file), "%s has %d lines; at most %d", name, lines, most)
	}
	require.Greater(t, seen, 1000, "too few files were found")
}

// A line of prose in a hand-written page in English has at most 100 characters, unless it is one word.
func TestPagesAreNarrow(t *testing.T) {
	t.Parallel()
	generated := []string{"docs/errors.md", "docs/performance.md", "docs/internals/targets.md", "docs/internals/scale.md"}
	others := []string{"bench/", "docs/api/", "docs/zh/", "docs-site/", "testdata/", ".github/"}
	seen := 0
	for _, name := range readSources(t).pages {
		if slices.Contains(generated, name) || strings.HasSuffix(name, ".zh-CN.md") || strings.Contains(name, "/zh") ||
			slices.ContainsFunc(others, func(folder string) bool { return strings.HasPrefix(name, folder) }) {
			continue
		}
		seen++
		page, err := os.ReadFile(name)
		require.NoError(t, err)
		code := false
		for i, line := range strings.Split(string(page), "\n") {
			text := strings.TrimLeft(line, " ")
			if strings.HasPrefix(text, "```") {
				code = !code
			}
			prose := !code && !strings.HasPrefix(text, "|") && !strings.HasPrefix(text, "<") && !strings.HasPrefix(line, "    ")
			if prose && utf8.RuneCountInString(line) > 100 {
				assert.Less(t, len(strings.Fields(text)), 3, "%s:%d has more than 100 characters", name, i+1)
			}
		}
	}
	require.Greater(t, seen, 20, "too few pages were found")
}
