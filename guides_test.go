package wxpay_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	goBlock    = regexp.MustCompile("(?s)\n```go\n(.*?)```")
	goComments = regexp.MustCompile(`(^|\s)//.*`)
)

// bareCode is Go code without comments and indentation: guides are in two languages.
func bareCode(code string) string {
	var lines []string
	for line := range strings.Lines(code) {
		if line = strings.TrimSpace(goComments.ReplaceAllString(line, "")); line != "" {
			lines = append(lines, line)
		}
	}
	return "\n" + strings.Join(lines, "\n") + "\n"
}

// The Go code of a guide stands in an example that runs, and is the same in both languages.
func TestGuidesShowCodeThatRuns(t *testing.T) {
	var tested strings.Builder
	for _, pattern := range []string{"*_example_test.go", "webhook/example_test.go"} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			source, err := os.ReadFile(file)
			require.NoError(t, err)
			tested.WriteString(bareCode(string(source)))
		}
	}
	guides, err := filepath.Glob("docs-site/guides/zh/*.md")
	require.NoError(t, err)
	blocks := 0
	for _, chinese := range guides {
		english := filepath.Join("docs-site/guides/en", filepath.Base(chinese))
		var code [2][]string
		for i, name := range []string{chinese, english} {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			for _, block := range goBlock.FindAllStringSubmatch(string(text), -1) {
				bare := bareCode(block[1])
				code[i] = append(code[i], bare)
				assert.Contains(t, tested.String(), bare, "%s has code that no example runs", name)
				blocks++
			}
		}
		assert.Equal(t, code[0], code[1], "%s and %s show the same code", chinese, english)
	}
	assert.Greater(t, blocks, 10)
}
