//go:build go1.25

package wxpay_test

import (
	"context"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay"
)

// A file that is there is replaced only on demand, only by what is right, and never when it came meanwhile.
func TestToFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bill.csv")
	client := newClient(t, wxpay.WithTransport(file([]byte("new"))))
	fetch := func(to wxpay.Target, options ...wxpay.DownloadOption) error {
		_, err := client.Fetch(context.Background(), billLink, to, options...)
		names, dirErr := os.ReadDir(filepath.Dir(path))
		require.NoError(t, dirErr)
		require.LessOrEqual(t, len(names), 1)
		return err
	}
	read := func() string {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		return string(content)
	}
	require.NoError(t, fetch(wxpay.ToFile(path)))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Zero(t, info.Mode().Perm()&0o077, "only its owner reads a bill")
	require.NoError(t, os.WriteFile(path, []byte("old"), 0o600))
	require.ErrorIs(t, fetch(wxpay.ToFile(path)), fs.ErrExist)
	require.ErrorIs(t, fetch(wxpay.ToFile(path).Replace(), wxpay.Digest("SHA1", hexSHA1(nil))), wxpay.ErrDigest)
	assert.Equal(t, "old", read())
	require.NoError(t, fetch(wxpay.ToFile(path).Replace()))
	assert.Equal(t, "new", read())

	require.NoError(t, os.Remove(path))
	err = fetch(wxpay.ToFile(path), wxpay.Progress(func(int64, int64) {
		require.NoError(t, os.WriteFile(path, []byte("meanwhile"), 0o600))
	}))
	require.ErrorIs(t, err, fs.ErrExist)
	assert.ErrorIs(t, err, wxpay.StageDownload)
	assert.Equal(t, "meanwhile", read())

	_, err = wxpay.ToFile(path).Write([]byte("x"))
	assert.ErrorContains(t, err, "by downloads only")
}

// Replace is for files: what a link leads to decides, and nothing but a link itself is replaced.
func TestToFileThroughLink(t *testing.T) {
	dir := t.TempDir()
	file1, folder := filepath.Join(dir, "file"), filepath.Join(dir, "folder")
	require.NoError(t, os.WriteFile(file1, []byte("old"), 0o600))
	require.NoError(t, os.Mkdir(folder, 0o700))
	path := filepath.Join(dir, "link")
	for target, says := range map[string]string{
		file1: "", filepath.Join(dir, "missing"): "", folder: "the destination is a folder", os.DevNull: "a device or the like",
	} {
		require.NoError(t, os.Symlink(target, path))
		sent := false
		gateway := file([]byte("new"))
		gateway.trip = func(*http.Request) { sent = true }
		client := newClient(t, wxpay.WithTransport(gateway))
		_, err := client.Fetch(context.Background(), billLink, wxpay.ToFile(path))
		require.Error(t, err, target)
		require.False(t, sent)
		_, err = client.Fetch(context.Background(), billLink, wxpay.ToFile(path).Replace())
		info, statErr := os.Lstat(path)
		require.NoError(t, statErr)
		if says == "" {
			require.NoError(t, err, target)
			assert.True(t, info.Mode().IsRegular())
		} else {
			require.ErrorContains(t, err, says, target)
			assert.False(t, sent)
			assert.False(t, info.Mode().IsRegular(), "the link was replaced")
		}
		require.NoError(t, os.Remove(path))
	}
	old, err := os.ReadFile(file1)
	require.NoError(t, err)
	assert.Equal(t, "old", string(old))
}

// A name may be as long as the file system takes.
func TestToFileLongName(t *testing.T) {
	path := filepath.Join(t.TempDir(), strings.Repeat("n", 255))
	_, err := newClient(t, wxpay.WithTransport(file([]byte("new")))).Fetch(context.Background(), billLink, wxpay.ToFile(path))
	require.NoError(t, err)
	assert.FileExists(t, path)
}

// No error tells a path, which may name a person.
func TestNoPathInErrors(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "oSECRET")
	require.NoError(t, os.Mkdir(dir, 0o700))
	t.Setenv("TMPDIR", dir)
	path := filepath.Join(dir, "bill.csv")
	client := newClient(t, wxpay.WithTransport(file([]byte("new"))))
	_, err := client.Fetch(context.Background(), billLink, wxpay.ToFile(path).Replace(), wxpay.Progress(func(int64, int64) {
		_ = os.Mkdir(path, 0o700) // in its way
	}))
	require.ErrorContains(t, err, "the destination cannot be written")
	assert.NotContains(t, err.Error(), "SECRET")

	bill := billOf(t, tradeBill)
	require.NoError(t, bill.Close())
	_, err = bill.WriteTo(io.Discard)
	require.ErrorIs(t, err, os.ErrClosed)
	assert.ErrorContains(t, err, "the temporary file cannot be read")
	assert.NotContains(t, err.Error(), "SECRET")
	_, err = bill.Summary()
	require.ErrorIs(t, err, os.ErrClosed)
	assert.NotContains(t, err.Error(), "SECRET")
}

// A disk that is full, or a writer that fails, ends a download at once.
func TestDownloadCannotBeWritten(t *testing.T) {
	tries := 0
	gateway := file(randomText(100_000))
	gateway.trip = func(*http.Request) { tries++ }
	client := newClient(t, wxpay.WithTransport(gateway))
	full := &os.PathError{Op: "write", Path: "/home/oSECRET/bill.csv", Err: syscall.ENOSPC}
	_, err := client.Fetch(context.Background(), billLink, writer(func(p []byte) (int, error) { return 0, full }))
	require.ErrorIs(t, err, syscall.ENOSPC)
	assert.ErrorContains(t, err, "the destination cannot be written: no space left on device")
	assert.NotContains(t, err.Error(), "SECRET")
	assert.Equal(t, 1, tries)
	_, err = client.Fetch(context.Background(), billLink, writer(func(p []byte) (int, error) { return 10, full }))
	var failure *wxpay.DownloadError
	require.ErrorAs(t, err, &failure)
	assert.Equal(t, int64(10), failure.Written)
	assert.Equal(t, 2, tries)

	_, err = client.Fetch(context.Background(), billLink, writer(func(p []byte) (int, error) { return len(p) - 1, nil }))
	require.ErrorIs(t, err, io.ErrShortWrite)
	assert.ErrorIs(t, err, wxpay.StageDownload)

	if device, err := os.OpenFile("/dev/full", os.O_WRONLY, 0); err == nil {
		defer device.Close()
		_, err = client.Fetch(context.Background(), billLink, device)
		require.ErrorIs(t, err, syscall.ENOSPC)
	}
}
