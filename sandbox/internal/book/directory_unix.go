//go:build unix

package book

import (
	"errors"
	"os"
)

// syncDirectory makes a renaming safe.
func syncDirectory(path string) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(directory.Sync(), directory.Close())
}
