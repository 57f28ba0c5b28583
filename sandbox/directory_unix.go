//go:build unix && !solaris && !aix

package sandbox

import (
	"errors"
	"os"
	"syscall"
)

// lockFile opens a file that one process can have open at a time. The lock ends with the process.
func lockFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		file.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.New("another sandbox has it open")
		}
		return nil, err
	}
	return file, nil
}

// syncDirectory makes a renaming safe.
func syncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}
