package folder_test

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/folder"
)

const mark = "// generated\n"

var files = map[string][]byte{"index.md": []byte(mark), "v3/a/{b_id}.md": []byte(mark + "text\n")}

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "manual")
	require.NoError(t, folder.Check(dir, mark, maps.Keys(files)))
	written, err := folder.Write(dir, mark, files)
	require.NoError(t, err)
	assert.Equal(t, 2, written)

	notes := filepath.Join(dir, "v3", "a", "notes.md")
	require.NoError(t, os.WriteFile(notes, []byte("mine"), 0o600))
	written, err = folder.Write(dir, mark, files)
	require.NoError(t, err)
	assert.Zero(t, written, "nothing changed")
	require.NoError(t, folder.Check(dir, mark, maps.Keys(files)))
	assert.FileExists(t, notes)

	file := filepath.Join(dir, "v3", "a", "{b_id}.md")
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, append(content, "more"...), 0o600))
	written, err = folder.Write(dir, mark, files)
	require.NoError(t, err)
	assert.Equal(t, 1, written, "what it wrote before is replaced")

	require.NoError(t, os.WriteFile(file, []byte("mine"), 0o600))
	require.NoError(t, os.Remove(filepath.Join(dir, "index.md")))
	_, err = folder.Write(dir, mark, files)
	require.ErrorIs(t, err, folder.ErrForeign)
	assert.Equal(t, err, folder.Check(dir, mark, maps.Keys(files)))
	assert.NoFileExists(t, filepath.Join(dir, "index.md"), "nothing is written where a foreign file is in the way")

	_, err = folder.Write(notes, mark, files)
	require.Error(t, err, "a file is no folder")
	require.Error(t, folder.Check(notes, mark, maps.Keys(files)))
}

// TestWriteStaysInside follows no link out of the folder.
func TestWriteStaysInside(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(dir, "v3")); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	_, err := folder.Write(dir, mark, files)
	require.Error(t, err)
	entries, err := os.ReadDir(outside)
	require.NoError(t, err)
	assert.Empty(t, entries)
}
