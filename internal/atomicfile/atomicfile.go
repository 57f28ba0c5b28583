// Package atomicfile writes files that are there whole or not at all. No error of it names the
// path: that may name a person.
package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/tempfile"
)

// File is a file that is being written under a temporary name, in the folder of its final one. Only
// its owner can read it.
type File struct {
	path    string
	replace bool
	file    *os.File // nil when it is done with
}

// Create begins the file that Commit puts at path. If a file is there already, the error is
// fs.ErrExist, or Commit replaces that file if replace is true. Anything but a file is never
// replaced; a symbolic link to a file is replaced itself, not the file.
func Create(path string, replace bool) (*File, error) {
	info, err := os.Lstat(path)
	if err == nil && replace && info.Mode()&fs.ModeSymlink != 0 {
		if target, targetErr := os.Stat(path); targetErr == nil {
			info = target
		}
	}
	switch {
	case err == nil && info.IsDir():
		return nil, errors.New("the destination is a folder")
	case err == nil && info.Mode().Type()&^fs.ModeSymlink != 0:
		return nil, errors.New("the destination is a device or the like, which a file must not replace: pass a writer")
	case err == nil && !replace:
		return nil, unwritable(fs.ErrExist)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, unwritable(err)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".wxpay-*.part") // no longer than any name may be
	if err != nil {
		return nil, unwritable(err)
	}
	return &File{path, replace, file}, nil
}

func unwritable(err error) error {
	return fmt.Errorf("the destination cannot be written: %w", fault.WithoutPath(err))
}

// Replace writes a file at path, in place of one that is there already.
func Replace(path string, content []byte) error {
	file, err := Create(path, true)
	if err != nil {
		return err
	}
	defer file.Abandon()
	if _, err := file.Write(content); err != nil {
		return err
	}
	return file.Commit()
}

// Write appends to the content.
func (f *File) Write(p []byte) (int, error) {
	n, err := f.file.Write(p)
	return n, fault.WithoutPath(err)
}

// Rewind takes back everything that was written, and reports whether it could.
func (f *File) Rewind() bool { return tempfile.Empty(f.file) }

// Commit gives the file its name. A file that may replace another is synced to the disk first, so
// that one of the two is there even after a power failure. Then the folder is synced, where the
// system can do that.
func (f *File) Commit() error {
	var err error
	if f.replace {
		err = f.file.Sync()
	}
	err = errors.Join(err, f.file.Close()) // which may be where a full disk shows
	if err == nil {
		err = f.rename()
	}
	if err != nil {
		_ = os.Remove(f.file.Name())
	} else if f.replace {
		syncFolder(filepath.Dir(f.path))
	}
	f.file = nil
	return fault.WithoutPath(err)
}

// syncFolder makes the names in a folder last. Not every system can; the content is safe in any case.
func syncFolder(path string) {
	if folder, err := os.Open(path); err == nil {
		_ = folder.Sync()
		_ = folder.Close()
	}
}

func (f *File) rename() error {
	if f.replace {
		return os.Rename(f.file.Name(), f.path)
	}
	// A link, unlike renaming, does not replace what came there meanwhile.
	err := os.Link(f.file.Name(), f.path)
	if err == nil {
		_ = os.Remove(f.file.Name())
		return nil
	}
	if _, there := os.Lstat(f.path); errors.Is(err, fs.ErrExist) || there == nil {
		return fs.ErrExist
	}
	return os.Rename(f.file.Name(), f.path) // this file system has no links
}

// Abandon removes what was written. It does nothing after Commit.
func (f *File) Abandon() {
	if f.file == nil {
		return
	}
	_ = f.file.Close()
	_ = os.Remove(f.file.Name())
	f.file = nil
}
