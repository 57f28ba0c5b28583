//go:build unix

package book

import (
	"errors"
	"os"
)

// othersWrite reports whether other users can write a file.
func othersWrite(info os.FileInfo) bool { return info.Mode().Perm()&0o022 != 0 }

// syncDirectory makes a renaming safe.
func syncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}
