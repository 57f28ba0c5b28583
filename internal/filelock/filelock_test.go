package filelock_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/internal/filelock"
)

// The variable with the path that this program, run as another process, tries to lock.
const childPath = "FILELOCK_TEST_PATH"

func TestMain(m *testing.M) {
	path := os.Getenv(childPath)
	if path == "" {
		os.Exit(m.Run())
	}
	_, err := filelock.Acquire(path)
	fmt.Print(errors.Is(err, filelock.ErrLocked), err == nil)
}

// fromOutside tells what another process finds that takes the lock and ends without giving it back.
func fromOutside(t *testing.T, path string) string {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childPath+"="+path)
	out, err := child.Output()
	require.NoError(t, err)
	return string(out)
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	lock, err := filelock.Acquire(path)
	require.NoError(t, err)
	_, err = filelock.Acquire(path)
	assert.ErrorIs(t, err, filelock.ErrLocked)
	assert.Equal(t, "true false", fromOutside(t, path))
	require.NoError(t, lock.Release())

	assert.Equal(t, "false true", fromOutside(t, path))
	lock, err = filelock.Acquire(path) // the other process ended, so its lock is gone
	require.NoError(t, err)
	require.NoError(t, lock.Release())
}

func TestLockWithoutAFolder(t *testing.T) {
	_, err := filelock.Acquire(filepath.Join(t.TempDir(), "none", "lock"))
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.NotErrorIs(t, err, filelock.ErrLocked)
}
