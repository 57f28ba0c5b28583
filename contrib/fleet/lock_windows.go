package fleet

import (
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
)

// dirLock keeps a second process from opening a directory. The operating system gives it back when
// the process ends.
type dirLock struct{ handle syscall.Handle }

// errSharing is ERROR_SHARING_VIOLATION: somebody has the file open and shares it with nobody.
const errSharing = syscall.Errno(32)

func lockDir(dir string) (*dirLock, error) {
	path := filepath.Join(dir, lockName)
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, fmt.Errorf("fleet: locking the directory of the engine: %w", err)
	}
	handle, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, errSharing) {
		return nil, fmt.Errorf("%w: another process works in %s; wait for it, or use a cluster for several processes", ErrInUse, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("fleet: locking %s: %w", path, err)
	}
	return &dirLock{handle}, nil
}

func (l *dirLock) release() error { return syscall.CloseHandle(l.handle) }
