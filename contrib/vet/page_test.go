package vet_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var codeBlock = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

// blocks returns the code blocks of a page, with their language in front.
func blocks(t *testing.T, page string) (list [][2]string) {
	t.Helper()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	for _, found := range codeBlock.FindAllStringSubmatch(string(text), -1) {
		list = append(list, [2]string{found[1], found[2]})
	}
	require.Greater(t, len(list), 8, page)
	return list
}

// Both pages show the same code, and it is true: Go compiles and is clean, reports are those of the checks, the diagnostic
// is recorded, and programs and files exist.
func TestPages(t *testing.T) {
	english := blocks(t, "../../docs/vet.md")
	assert.Equal(t, english, blocks(t, "../../docs/zh/vet.md"))
	recorded, err := os.ReadFile("testdata/gopls/diagnostics.json")
	require.NoError(t, err)
	var shown []string
	for _, block := range english {
		switch language, code := block[0], block[1]; language {
		case "go":
			if strings.HasPrefix(code, "package settings") {
				assert.Contains(t, code, "vet.Analyzers()")
				continue // a file of gopls
			}
			clean(t, code)
		case "text":
			shown = append(shown, strings.Split(strings.TrimSpace(code), "\n")...)
		case "json":
			assert.Contains(t, squeeze(string(recorded)), squeeze(code))
		case "sh":
			if install := regexp.MustCompile(`-C contrib (\S+)`).FindStringSubmatch(code); install != nil {
				assert.DirExists(t, filepath.Join("..", install[1]))
			}
		case "yaml":
			for _, path := range regexp.MustCompile(`github.com/wxpay-go/wxpay/(\S+)`).FindAllStringSubmatch(code, -1) {
				assert.DirExists(t, filepath.Join("../..", path[1]))
			}
		}
	}
	found := program(t, `
func certificates(ctx context.Context, client *wxpay.Client) {
	client.Chain("v3/certificate").Get(ctx)
	client.Chain("v3/pay/transactions/out-trade-no/{out_trade_no}").Get(ctx)
}
`)
	require.Len(t, found, len(shown))
	for i, r := range found {
		assert.Contains(t, r.text, shown[i])
	}
}

func squeeze(text string) string { return strings.Join(strings.Fields(text), "") }

// clean compiles statements of a page, and finds no report about them.
func clean(t *testing.T, code string) {
	t.Helper()
	assert.Empty(t, program(t, "func statements(ctx context.Context, client *wxpay.Client) {\n"+code+"}\n"), code)
}

// program returns the reports about declarations.
func program(t *testing.T, declarations string) []report {
	t.Helper()
	file := "package page\n\nimport (\n\t\"context\"\n\n\t\"github.com/wxpay-go/wxpay\"\n)\n\n" + declarations
	return reports(t, module(t, map[string]string{"page.go": file}), "off", false, ".")
}

// module writes a module that uses this repository.
func module(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	mod, err := os.ReadFile("testdata/go.mod")
	require.NoError(t, err)
	sum, err := os.ReadFile("testdata/go.sum")
	require.NoError(t, err)
	files["go.mod"], files["go.sum"] = strings.Replace(string(mod), "../../..", root, 1), string(sum)
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}
