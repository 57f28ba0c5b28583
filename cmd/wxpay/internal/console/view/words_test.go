package view

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// uses are where pages and packages name a text of the table.
var uses = regexp.MustCompile(`\bt ("(?:[^"\\]|\\.)*")|\bSay\(r, ("(?:[^"\\]|\\.)*")|Title: +("(?:[^"\\]|\\.)*")`)

// TestWords: each text of a page is in the table, with a translation, and the table has no other.
func TestWords(t *testing.T) {
	used := make(map[string]bool)
	files, err := filepath.Glob("../*/*.go")
	require.NoError(t, err)
	sheets, err := filepath.Glob("pages/*.html")
	require.NoError(t, err)
	require.NotEmpty(t, sheets)
	for _, name := range append(files, sheets...) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		content, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, found := range uses.FindAllStringSubmatch(string(content), -1) {
			text, err := strconv.Unquote(found[1] + found[2] + found[3])
			require.NoError(t, err, name)
			used[text] = true
			assert.Contains(t, words, text, "%s", name)
		}
	}
	require.Greater(t, len(used), 50)
	for text, translated := range words {
		assert.True(t, used[text], "no page says %q", text)
		chinese := strings.ContainsFunc(translated, func(r rune) bool { return unicode.Is(unicode.Han, r) })
		assert.True(t, chinese, "%q has no translation", text)
	}
}
