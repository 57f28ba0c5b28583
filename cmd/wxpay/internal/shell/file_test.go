package shell_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
)

// A file appears when it is placed, replaces another only on request, and leaves nothing behind when it is discarded.
func TestFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	names := func() (names []string) {
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
		return names
	}
	for _, test := range []struct {
		content string
		replace bool
		err     error
		want    string
	}{
		{"first", false, nil, "first"},
		{"second", false, fs.ErrExist, "first"},
		{"third", true, nil, "third"},
	} {
		file, err := shell.NewFile(path)
		require.NoError(t, err)
		_, err = file.WriteString(test.content)
		require.NoError(t, err)
		assert.Len(t, names(), 1+min(1, len(names())-1), "a temporary file beside it")
		require.ErrorIs(t, file.Place(test.replace), test.err)
		file.Discard()
		assert.Equal(t, []string{"a"}, names())
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, test.want, string(got))
	}
	_, err := shell.NewFile(filepath.Join(dir, "no", "a"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.NotContains(t, err.Error(), ".part")
}
