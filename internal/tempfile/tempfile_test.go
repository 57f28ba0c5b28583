package tempfile_test

import (
	"io"
	"os"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/internal/tempfile"
)

func TestFile(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	file, err := tempfile.New()
	require.NoError(t, err)
	_, err = io.WriteString(file, "a longer one")
	require.NoError(t, err)
	require.True(t, file.Rewind())
	assert.Zero(t, file.Size())
	for _, text := range []string{"some ", "text"} {
		_, err = io.WriteString(file, text)
		require.NoError(t, err)
	}
	assert.Equal(t, int64(9), file.Size())
	one, two := file.Reader(), file.Reader()
	for _, r := range []io.Reader{one, iotest.OneByteReader(two)} {
		text, err := io.ReadAll(r)
		require.NoError(t, err)
		assert.Equal(t, "some text", string(text))
	}
	require.NoError(t, file.Close())
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left)

	_, err = io.WriteString(file, "more")
	var full *tempfile.WriteError
	require.ErrorAs(t, err, &full)
	assert.ErrorIs(t, err, os.ErrClosed)
	assert.NotContains(t, err.Error(), dir)
	_, err = file.Reader().Read(make([]byte, 1))
	assert.ErrorContains(t, err, "the temporary file cannot be read")
	assert.NotContains(t, err.Error(), dir)
}

func TestNoFolder(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir()+"/none")
	_, err := tempfile.New()
	assert.ErrorContains(t, err, "there is no temporary file")
	assert.NotContains(t, err.Error(), "none/")
}
