package shell

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// File is a file that appears under its name when all of it is written. Until then its content is in a temporary file
// beside it.
type File struct {
	*os.File
	path string
}

// NewFile returns a file that will appear at path. Discard has to be called in the end.
func NewFile(path string) (*File, error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".wxpay-*.part")
	var failure *fs.PathError
	if errors.As(err, &failure) {
		err = failure.Err // the path is that of the temporary file
	}
	if err != nil {
		return nil, err
	}
	return &File{file, path}, nil
}

// Place syncs the file and gives it its name. It replaces a file of that name only with replace; without, it fails with
// fs.ErrExist.
func (f *File) Place(replace bool) error {
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if _, err := os.Lstat(f.path); err == nil && !replace {
		return fs.ErrExist
	}
	return os.Rename(f.Name(), f.path)
}

// Discard removes what has not been placed.
func (f *File) Discard() {
	_ = f.Close()
	_ = os.Remove(f.Name())
}

// ReplaceFile writes a file that only its owner can read, in place of one that is there, and follows no link.
func ReplaceFile(path string, content []byte) error {
	file, err := NewFile(path)
	if err != nil {
		return err
	}
	defer file.Discard()
	if _, err := file.Write(content); err != nil {
		return err
	}
	return file.Place(true)
}
