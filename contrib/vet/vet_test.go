package vet_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/analysistest"

	"github.com/wxpay-go/wxpay/contrib/vet"
)

// Each check reports the lines of its package in testdata that want a report, and no other. Its fixes
// make the golden file.
func TestChecks(t *testing.T) {
	checks := map[string]*analysis.Analyzer{}
	dirs := []string{}
	for _, check := range vet.Analyzers() {
		name := strings.TrimPrefix(check.Name, "wx")
		checks[name], dirs = check, append(dirs, "./"+name)
		require.FileExists(t, filepath.Join(analysistest.TestData(), name, name+".go"))
	}
	one := &analysis.Analyzer{ // packages are loaded once
		Name: "wxpayvet", Doc: "runs the check that has the name of the package", Requires: vet.Analyzers()[0].Requires,
		Run: func(pass *analysis.Pass) (any, error) {
			check := *pass
			check.Analyzer = checks[pass.Pkg.Name()]
			return check.Analyzer.Run(&check)
		},
	}
	analysistest.RunWithSuggestedFixes(t, analysistest.TestData(), one, dirs...)
}

// An explanation has both languages, and the page has a section for each check.
func TestExplanations(t *testing.T) {
	for _, check := range vet.Analyzers() {
		chinese := strings.ContainsFunc(check.Doc, func(r rune) bool { return unicode.Is(unicode.Han, r) })
		assert.True(t, chinese, check.Name)
		for _, page := range []string{"../../docs/vet.md", "../../docs/zh/vet.md"} {
			text, err := os.ReadFile(page)
			require.NoError(t, err)
			assert.Contains(t, string(text), "## "+check.Name+"\n", page)
		}
	}
}
