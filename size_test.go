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
	"strings"
	"testing"

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
