package wxpay_test

import (
	"encoding/json"
	"os"
	"path"
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

// The Go code of a guide stands in an example, a test or a program that runs, and is the same in both languages.
func TestGuidesShowCodeThatRuns(t *testing.T) {
	var tested strings.Builder
	for _, pattern := range []string{
		"*_example_test.go", "webhook/example_test.go", "wxpaytest/service_test.go", "examples/shop/*.go", "examples/frameworks/*.go",
	} {
		files, err := filepath.Glob(pattern)
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			source, err := os.ReadFile(file)
			require.NoError(t, err)
			tested.WriteString(bareCode(string(source)))
		}
	}
	index, err := os.ReadFile("docs-site/guides/index.json")
	require.NoError(t, err)
	var guides []struct {
		Name string
		From map[string]string // for a page that stands in docs/, by language
	}
	require.NoError(t, json.Unmarshal(index, &guides))
	blocks, listed := 0, map[string]bool{"index.md": true}
	for _, guide := range guides {
		var code [2][]string
		for i, language := range []string{"zh", "en"} {
			name := guide.From[language]
			if name == "" {
				listed[guide.Name+".md"] = true
				name = path.Join("docs-site/guides", language, guide.Name+".md")
			}
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			for _, block := range goBlock.FindAllStringSubmatch(string(text), -1) {
				bare := bareCode(block[1])
				code[i] = append(code[i], bare)
				assert.Contains(t, tested.String(), bare, "%s has code that nothing runs", name)
				blocks++
			}
		}
		assert.Equal(t, code[0], code[1], "%s shows the same code in both languages", guide.Name)
	}
	assert.Greater(t, blocks, 60)
	files, err := filepath.Glob("docs-site/guides/*/*.md")
	require.NoError(t, err)
	require.Len(t, files, 2*len(listed))
	for _, file := range files {
		assert.True(t, listed[filepath.Base(file)], "the menu lacks %s", file)
	}
}
