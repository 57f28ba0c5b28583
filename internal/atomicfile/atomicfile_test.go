package atomicfile_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/internal/atomicfile"
)

// names lists a folder.
func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		list = append(list, entry.Name())
	}
	return list
}

func write(t *testing.T, path string, replace bool, texts ...string) *atomicfile.File {
	t.Helper()
	file, err := atomicfile.Create(path, replace)
	require.NoError(t, err)
	for i, text := range texts {
		if i > 0 {
			require.True(t, file.Rewind())
		}
		_, err = file.Write([]byte(text))
		require.NoError(t, err)
	}
	return file
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	file := write(t, path, false, "a longer one", "text")
	require.Len(t, names(t, dir), 1)
	assert.NotContains(t, names(t, dir), "file", "it has its name only when it is whole")
	require.NoError(t, file.Commit())
	file.Abandon()
	assert.Equal(t, []string{"file"}, names(t, dir))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "text", string(text))
	if runtime.GOOS != "windows" {
		info, err := os.Stat(path)
		require.NoError(t, err)
		assert.Equal(t, fs.FileMode(0o600), info.Mode())
	}

	_, err = atomicfile.Create(path, false)
	assert.ErrorIs(t, err, fs.ErrExist)
	require.NoError(t, write(t, path, true, "new").Commit())
	text, err = os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "new", string(text))

	write(t, path, true, "abandoned").Abandon()
	assert.Equal(t, []string{"file"}, names(t, dir))
}

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for _, text := range []string{"first", "second"} {
		require.NoError(t, atomicfile.Replace(path, []byte(text)))
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, text, string(got))
		assert.Equal(t, []string{"file"}, names(t, dir))
	}
	assert.ErrorIs(t, atomicfile.Replace(filepath.Join(dir, "none", "file"), nil), fs.ErrNotExist)
}

// A file that came meanwhile is not replaced.
func TestFileThatCameMeanwhile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	file := write(t, path, false, "late")
	require.NoError(t, os.WriteFile(path, []byte("first"), 0o600))
	assert.ErrorIs(t, file.Commit(), fs.ErrExist)
	assert.Equal(t, []string{"file"}, names(t, dir))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "first", string(text))
}

// No error names the path.
func TestCreateFails(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "secret"), 0o700))
	for path, says := range map[string]string{
		"secret":      "the destination is a folder",
		"none/secret": "the destination cannot be written",
	} {
		_, err := atomicfile.Create(filepath.Join(dir, path), true)
		require.ErrorContains(t, err, says)
		assert.NotContains(t, err.Error(), "secret")
	}
	if runtime.GOOS == "windows" {
		return
	}
	require.NoError(t, os.Symlink("secret", filepath.Join(dir, "link")))
	_, err := atomicfile.Create(filepath.Join(dir, "link"), true)
	assert.ErrorContains(t, err, "the destination is a folder")
	_, err = atomicfile.Create(os.DevNull, true)
	assert.ErrorContains(t, err, "a device or the like")
}
