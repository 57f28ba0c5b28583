//go:build !windows

package fleet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// dirLock keeps a second process from opening a directory. The operating system gives it back when
// the process ends.
type dirLock struct{ file *os.File }

func lockDir(dir string) (*dirLock, error) {
	path := filepath.Join(dir, lockName)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("fleet: locking the directory of the engine: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		pid, _ := os.ReadFile(path)
		_ = file.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("fleet: locking %s: %w", path, err)
		}
		return nil, fmt.Errorf("%w: the process %s works in %s; wait for it, or use a cluster for several processes", ErrInUse, strings.TrimSpace(string(pid)), dir)
	}
	if err := file.Truncate(0); err == nil {
		_, _ = fmt.Fprintln(file, os.Getpid())
	}
	return &dirLock{file}, nil
}

func (l *dirLock) release() error { return l.file.Close() }
