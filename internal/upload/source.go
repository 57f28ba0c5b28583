package upload

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// MaxOnce is the size in bytes that a source may have at most that can be read only once. The
// largest documented upload has 7.5 MB.
const MaxOnce = 64 << 20

// Source is the content of a file and its name.
type Source struct {
	Name   string
	Size   int64                         // -1 until it is known
	open   func() (io.ReadCloser, error) // nil if once is read
	once   io.Reader
	memory bool // reading takes no time
}

// At is the file at path, which is opened when it is read.
func At(path string) Source {
	return Source{Name: filepath.Base(path), Size: -1, open: func() (io.ReadCloser, error) { return os.Open(path) }}
}

// From is size bytes of r.
func From(name string, r io.ReaderAt, size int64) Source {
	return Source{Name: name, Size: size, open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(r, 0, size)), nil
	}}
}

// Memory is all of r, wherever it stands. It need not be copied for its digest: copies of r share
// its bytes and not its place.
func Memory(name string, r *bytes.Reader) Source {
	whole := *r
	_, _ = whole.Seek(0, io.SeekStart) // which fails before the start only
	return Source{Name: name, Size: r.Size(), memory: true, open: func() (io.ReadCloser, error) {
		again := whole
		return io.NopCloser(&again), nil
	}}
}

// Once is all of r, which can be read only once.
func Once(name string, r io.Reader) Source { return Source{Name: name, Size: -1, once: r} }

// IsZero reports whether s has no content.
func (s Source) IsZero() bool { return s.open == nil && s.once == nil }

// checkName tells what is wrong with the name of a file.
func checkName(name string) error {
	switch {
	case name == "" || name == "." || name == string(filepath.Separator):
		return errors.New("the file has no name")
	case strings.ContainsAny(name, "\"\\/") || strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 || r == 0x7f }):
		return errors.New("the file's name has a quote, a slash or a line break")
	case !utf8.ValidString(name):
		return errors.New("the file's name is not UTF-8")
	}
	return nil
}

// contentType is the type of a file by its name.
func contentType(name string) string {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".jpg", ".jpeg":
		return "image/jpeg"
	case ".png":
		return "image/png"
	case ".bmp":
		return "image/bmp"
	case ".pdf":
		return "application/pdf"
	case ".csv":
		return "text/csv"
	case ".mp4", ".m4v":
		return "video/mp4"
	}
	return "application/octet-stream"
}
