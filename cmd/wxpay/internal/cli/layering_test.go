package cli_test

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// arrows are the packages beside this one that each of them may import. The families of commands, which are the last
// block, do not import each other.
var arrows = map[string][]string{
	"ordered":  {},
	"language": {},
	"example":  {"ordered"},
	"gocode":   {"example", "language"},
	"answer":   {"example"},
	"page":     {"answer", "example", "gocode", "language", "ordered"},
	"openapi":  {"example", "ordered"},
	"folder":   {"shell"},
	"zh":       {},
	"qrcode":   {"shell"},

	"shell":       {"ordered", "zh"},
	"operation":   {"shell"},
	"request":     {"operation", "ordered", "shell"},
	"serve":       {"shell"},
	"transparent": {"shell"},

	"console":          {"console/auth", "console/explorer", "console/journal", "console/objects", "console/phone", "console/platform", "console/view", "gocode"},
	"console/journal":  {"console/send", "console/view"},
	"console/explorer": {"console/journal", "console/send", "console/view", "example", "gocode", "language", "zh"},
	"console/objects":  {"console/send", "console/view"},
	"console/platform": {"console/send", "console/view"},
	"console/phone":    {"console/send", "console/view"},
	"console/send":     {},
	"console/view":     {"console/auth", "zh"},
	"console/auth":     {},

	"batch":   {"shell"},
	"call":    {"operation", "qrcode", "request", "shell"},
	"checkup": {"serve", "shell"},
	"demo":    {"shell"},
	"file":    {"operation", "ordered", "request", "shell"},
	"keys":    {"shell"},
	"manual":  {"answer", "folder", "gocode", "language", "openapi", "operation", "page", "shell"},
	"profile": {"shell"},
	"sandbox": {"console", "serve", "shell", "transparent"},
	"smoke":   {"qrcode", "shell"},
	"vet":     {"shell"},
	"webhook": {"serve", "shell"},

	"cli":     {"batch", "call", "checkup", "demo", "file", "keys", "manual", "profile", "sandbox", "shell", "smoke", "vet", "webhook", "zh"},
	"clitest": {"cli"},
	"mcp":     {"cli", "gocode", "language", "operation", "ordered", "page", "shell", "zh"},
}

func TestLayering(t *testing.T) {
	const beside = "github.com/wxpay-go/wxpay/cmd/wxpay/internal/"
	files, err := filepath.Glob("../*/*.go")
	require.NoError(t, err)
	nested, err := filepath.Glob("../*/*/*.go")
	require.NoError(t, err)
	files = append(files, nested...)
	seen := make(map[string]bool)
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		own := strings.TrimPrefix(filepath.ToSlash(filepath.Dir(name)), "../")
		allowed, known := arrows[own]
		require.True(t, known, "say in arrows what the package %s may import", own)
		seen[own] = true
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			if other, ok := strings.CutPrefix(path, beside); ok {
				assert.Contains(t, allowed, other, "%s must not import %s", name, other)
			}
		}
	}
	assert.Len(t, seen, len(arrows), "arrows has a package that does not exist")
}
