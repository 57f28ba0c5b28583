package batch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Every error and reason of package fleet, but for those about mistakes in a program, is in the words of this one.
func TestInFlags(t *testing.T) {
	ofPrograms := []string{ // which this one does not make
		"the queue has no keys: set QueueConfig.Keys", "the queue was opened without a client: set QueueConfig.Client", "Worker.Marked is set",
		"WithReplicas(", "WithSync(", "WithMaxStore(", "WithFallback(", "Worker.OnResult", "Worker.OnNotice",
	}
	goWords := regexp.MustCompile(`\b(With|Err)[A-Z]\w+|\b(Queue|Worker|Client|Merchant|Chain|Limiter)\w*\.[A-Z]|\bKeys takes|\bwxpay\.[A-Z]`)
	paths, err := filepath.Glob("../../*.go")
	require.NoError(t, err)
	texts := 0
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			require.NoError(t, err)
			if texts++; !slices.ContainsFunc(ofPrograms, func(known string) bool { return strings.Contains(text, known) }) {
				assert.NotRegexp(t, goWords, inFlags(text), path)
			}
			return true
		})
	}
	assert.Greater(t, texts, 300, "the sources were read")
}
