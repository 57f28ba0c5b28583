package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// assistantTexts finds the help of wxpay-mcp, whose package imports this one, and the descriptions of its tools' arguments.
func assistantTexts(t *testing.T, wanted map[string]string) {
	files, err := filepath.Glob("../mcp/*.go")
	require.NoError(t, err)
	before := len(wanted)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		require.NoError(t, err)
		want := func(at ast.Node, english string) {
			for paragraph := range strings.SplitSeq(english, "\n\n") {
				wanted[paragraph] = set.Position(at.Pos()).String()
			}
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if key, ok := n.Key.(*ast.Ident); ok && (key.Name == "Short" || key.Name == "Long") {
					english, constant := text(n.Value)
					require.True(t, constant, "%s is not a constant", key.Name)
					want(n, english)
				}
			case *ast.CallExpr:
				flag, ok := n.Fun.(*ast.SelectorExpr)
				if ok && slices.Contains([]string{"StringVar", "BoolVar", "StringArrayVar"}, flag.Sel.Name) {
					english, _ := text(n.Args[len(n.Args)-1])
					want(n, english)
				}
			case *ast.Field:
				if n.Tag != nil {
					tag, err := strconv.Unquote(n.Tag.Value)
					require.NoError(t, err)
					if english, ok := reflect.StructTag(tag).Lookup("jsonschema"); ok {
						want(n, english)
					}
				}
			}
			return true
		})
	}
	require.Greater(t, len(wanted), before+20)
}
