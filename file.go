package wxpay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"net/http"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/upload"
	"github.com/wxpay-go/wxpay/middleware"
)

// File is a file for [Chain.Upload]: make one with [FileAt], [FileFrom] or [FileReader]. It is an
// immutable value; its methods return a changed copy.
type File struct {
	file       upload.File
	meta       JSON
	name, hash string // names of the meta's fields with the file's name and digest
	err        error
}

// Format prints the size, if known, under every verb.
func (f File) Format(s fmt.State, verb rune) { redact.Format(s, verb, f.text()) }

func (f *File) text() string {
	if f.file.IsZero() || f.file.Size < 0 {
		return "wxpay.File{}"
	}
	return fmt.Sprintf("wxpay.File{%d bytes}", f.file.Size)
}

// FileAt is the file at path. It is read when it is sent.
func FileAt(path string) File { return fileOf(upload.At(path)) }

// FileFrom is size bytes of r under a file name. r is read once for the digest and once for each
// attempt.
func FileFrom(name string, r io.ReaderAt, size int64) File {
	if r == nil || size < 0 {
		return File{err: errors.New("FileFrom needs a reader and its size in bytes")}
	}
	if memory, ok := r.(*bytes.Reader); ok && memory.Size() == size {
		return fileOf(upload.Memory(name, memory))
	}
	return fileOf(upload.From(name, userReader{at: r}, size))
}

// FileReader is all of r, at most 64 MiB, under a file name. r can be read only once, so a
// temporary file keeps it during the upload.
func FileReader(name string, r io.Reader) File {
	if r == nil {
		return File{err: errors.New("FileReader needs a reader")}
	}
	return fileOf(upload.Once(name, userReader{r: r}))
}

func fileOf(source upload.Source) File { return File{file: upload.File{Source: source}} }

// Meta sets another field of the signed meta, such as item_id. Fields that the catalogue marks as
// encrypted are encrypted.
func (f File) Meta(name string, value any) File {
	f.meta = maps.Clone(f.meta)
	if f.meta == nil {
		f.meta = JSON{}
	}
	f.meta[name] = value
	return f
}

// Part sets the name of the file's part. The default is the catalogue's, else "file".
func (f File) Part(name string) File {
	f.file.Part = name
	return f
}

// Fields sets the names of the meta's fields with the file's name and its digest; an empty one is
// left out. The default is the catalogue's, else "filename" and "sha256".
func (f File) Fields(name, digest string) File {
	f.name, f.hash = name, digest
	return f
}

// Hash sets the digest's algorithm, for the few uploads that require SM3. The default is SHA-256.
// The digest is lower-case hex.
func (f File) Hash(algorithm func() hash.Hash) File {
	f.file.Hash = algorithm
	return f
}

// userReader wraps a reader of the user. Goroutines of this package and of net/http read it, where
// a panic would end the process.
type userReader struct {
	r  io.Reader
	at io.ReaderAt
}

func (u userReader) Read(p []byte) (n int, err error) {
	defer caught("the file's reader", &err)
	n, err = u.r.Read(p)
	return n, fault.Outside(err)
}

func (u userReader) ReadAt(p []byte, offset int64) (n int, err error) {
	defer caught("the file's reader", &err)
	n, err = u.at.ReadAt(p, offset)
	return n, fault.Outside(err)
}

// sending is a File during its upload; see [call.File].
type sending struct {
	File
	boundary string
}

// Ready reads the file for its digest and returns the meta to sign. It fills in the names that the
// caller did not set from operation, a row of the catalogue or nil.
func (s *sending) Ready(ctx context.Context, operation *fact.Operation, limits *fact.Upload, boundary string) (map[string]any, error) {
	switch {
	case s.err != nil:
		return nil, s.err
	case s.file.IsZero():
		return nil, errors.New("the File has no content: make one with FileAt, FileFrom or FileReader")
	}
	form := operation.UploadForm()
	if form.Algorithm != "" && s.file.Hash == nil {
		return nil, fmt.Errorf("this upload requires an SM3 digest: set its algorithm with Hash, and name it with Meta(%q, …)", form.Algorithm)
	}
	if s.file.Part == "" {
		s.file.Part = form.Part
	}
	if s.name == "" && s.hash == "" {
		s.name, s.hash = form.Name, form.Digest
	}
	digest, err := s.file.Prepare(ctx, limits)
	if err != nil {
		return nil, err
	}
	meta := maps.Clone(s.meta)
	if meta == nil {
		meta = JSON{}
	}
	for field, value := range map[string]string{s.name: s.file.Name, s.hash: digest} {
		if _, set := meta[field]; field != "" && !set {
			meta[field] = value
		}
	}
	s.boundary = boundary
	return meta, nil
}

// Attach makes the multipart body of req, with the signed meta.
func (s *sending) Attach(of *middleware.Call, req *http.Request, meta []byte) {
	body := s.file.Body(s.boundary, meta)
	of.SetStream(req, body.Size, meta, body.Open)
	req.Header["Content-Type"] = []string{body.ContentType}
}

func (s *sending) close() { s.file.Close() }
