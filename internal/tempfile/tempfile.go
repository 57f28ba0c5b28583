// Package tempfile keeps content on the disk while it is needed, in a file that nobody else can
// read.
package tempfile

import (
	"fmt"
	"io"
	"os"

	"github.com/wxpay-go/wxpay/internal/fault"
)

// File is a temporary file in os.TempDir. It has no name if the system allows that, so that nothing
// is left behind even if the process is killed. Write appends; any number of readers may read at
// the same time.
type File struct {
	file  *os.File
	named bool
	size  int64
}

// New creates a file.
func New() (*File, error) {
	file, err := os.CreateTemp("", "wxpay-*")
	if err != nil {
		return nil, fmt.Errorf("there is no temporary file: %w", fault.WithoutPath(err))
	}
	return &File{file: file, named: os.Remove(file.Name()) != nil}, nil
}

// WriteError means that a temporary file could not be written, most likely because the disk is
// full.
type WriteError struct{ err error }

func (e *WriteError) Error() string {
	return "the temporary file cannot be written: " + e.err.Error() + " (TMPDIR chooses its folder)"
}

// Unwrap returns the reason.
func (e *WriteError) Unwrap() error { return e.err }

// Write appends. Its error is a *WriteError.
func (f *File) Write(p []byte) (int, error) {
	n, err := f.file.Write(p)
	f.size += int64(n)
	if err != nil {
		return n, &WriteError{fault.WithoutPath(err)}
	}
	return n, nil
}

// Size returns the number of bytes that were written.
func (f *File) Size() int64 { return f.size }

// Rewind empties the file, and reports whether it could.
func (f *File) Rewind() bool {
	f.size = 0
	return Empty(f.file)
}

// Empty takes back everything that was written to a file, and reports whether it could.
func Empty(file *os.File) bool {
	_, err := file.Seek(0, io.SeekStart)
	return err == nil && file.Truncate(0) == nil
}

// Reader reads what was written so far, from the start.
func (f *File) Reader() io.Reader { return reader{io.NewSectionReader(f.file, 0, f.size)} }

// reader keeps the path out of its errors.
type reader struct{ *io.SectionReader }

func (r reader) Read(p []byte) (int, error) {
	n, err := r.SectionReader.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("the temporary file cannot be read: %w", fault.WithoutPath(err))
	}
	return n, err
}

// Close removes the file.
func (f *File) Close() error {
	err := f.file.Close()
	if f.named {
		_ = os.Remove(f.file.Name())
	}
	return fault.WithoutPath(err)
}
