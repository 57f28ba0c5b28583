package demo_test

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/clitest"
)

// The line of Go that the demonstration shows for each style is the one that it runs.
func TestDemoShowsWhatItRuns(t *testing.T) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "style.go", nil, 0)
	require.NoError(t, err)
	var run []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Names[0].Name != "styles" {
			return true
		}
		for _, element := range spec.Values[0].(*ast.CompositeLit).Elts {
			fields := element.(*ast.CompositeLit).Elts
			body := fields[len(fields)-1].(*ast.FuncLit).Body.List
			require.Len(t, body, 1)
			var text bytes.Buffer
			require.NoError(t, printer.Fprint(&text, files, body[0].(*ast.ReturnStmt).Results[0]))
			run = append(run, text.String())
		}
		return false
	})
	require.Len(t, run, 6)

	code, stdout, stderr := clitest.Run(t, nil, "demo", "--format=json")
	require.Zero(t, code, stderr)
	var report struct {
		Calls []struct {
			Go    string
			Async bool
		}
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &report))
	require.Len(t, report.Calls, 6)
	for i, call := range report.Calls {
		assert.Equal(t, run[i], call.Go)
		assert.Equal(t, i%2 == 1, call.Async)
	}
}
