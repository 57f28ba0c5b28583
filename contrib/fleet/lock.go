package fleet

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/wxpay-go/wxpay/internal/filelock"
)

// ErrInUse means that another process has the directory of an embedded engine open.
var ErrInUse = errors.New("fleet: the directory is in use")

// lockName is the file in the directory of an embedded engine that its process holds.
const lockName = "lock"

// lockDir keeps a second process from opening a directory. The file names the process that holds it, where others can
// read a locked file.
func lockDir(dir string) (*filelock.Lock, error) {
	path := filepath.Join(dir, lockName)
	lock, err := filelock.Acquire(path)
	if errors.Is(err, filelock.ErrLocked) {
		holder := "another process"
		if pid, err := os.ReadFile(path); err == nil && len(pid) > 0 {
			holder = "the process " + strings.TrimSpace(string(pid))
		}
		return nil, fmt.Errorf("%w: %s works in %s; wait for it, or use a cluster for several processes", ErrInUse, holder, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("fleet: locking the directory of the engine: %w", err)
	}
	_ = os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600)
	return lock, nil
}
