package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The clients still contain the text that the edits change; -make shows the fate of each.
func TestMistakes(t *testing.T) {
	made := 0
	for _, m := range mistakes {
		assert.Len(t, m.fates, len(clients), m.what)
		assert.Equal(t, m.scenario != "", len(m.edits)+len(m.as) > 0, m.what)
		for client, edits := range m.edits {
			text, err := os.ReadFile(filepath.Join("..", "..", client, client+".go"))
			require.NoError(t, err)
			for _, edit := range edits {
				assert.True(t, strings.Contains(string(text), edit[0]), "%s: %s has no %q", m.what, client, edit[0])
				assert.NotEqual(t, edit[0], edit[1])
			}
		}
		for _, client := range clients {
			if m.made(client) {
				made++
			}
		}
	}
	assert.GreaterOrEqual(t, made, 77)
}

// A judge sees no name of a library, each way once, and finds the way in the key.
func TestMaskedTasksTellNobody(t *testing.T) {
	all := make(map[string]map[string]count)
	for _, client := range clients {
		counts, _, err := read(filepath.Join("..", "..", client, client+".go"))
		require.NoError(t, err)
		all[client] = counts
	}
	folder := t.TempDir()
	require.NoError(t, mask(all, 7, folder))
	files, err := filepath.Glob(filepath.Join(folder, "TASK_*.md"))
	require.NoError(t, err)
	require.Len(t, files, len(work))
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, len(clients), strings.Count(string(text), "```go\n"))
		for _, name := range []string{"wxpay.", "gopay.", "wechat.", "resty.", "requests.", "sdk.", "core.", "plumbing.", "webhook."} {
			assert.NotContains(t, string(text), name, filepath.Base(file))
		}
	}
	key, err := os.ReadFile(filepath.Join(folder, "KEY.md"))
	require.NoError(t, err)
	for _, client := range clients {
		assert.Equal(t, len(work), strings.Count(string(key)+" ", " "+client))
	}
}
