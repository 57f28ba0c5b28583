// Package upload reads a file for its digest and streams it as a multipart body. A read that is
// stuck is left behind when the context ends, and is never waited for.
package upload

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"path/filepath"
	"strings"
	"sync"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/tempfile"
	"github.com/wxpay-go/wxpay/internal/wait"
)

// File is a file on its way.
type File struct {
	Source
	// Part is the name of the part with the file.
	Part string
	// Hash is the algorithm of the digest; nil is SHA-256.
	Hash func() hash.Hash

	temporary *tempfile.File // of a source that is read once
}

// EndedError is the end of a context while the file was read for its digest.
type EndedError struct{ Err error }

func (e *EndedError) Error() string { return e.Err.Error() }

// Unwrap returns why the context ended.
func (e *EndedError) Unwrap() error { return e.Err }

// Prepare checks the file against the documented limits of its upload, nil if there are none, and
// returns its digest in hex. Close the file afterwards, whatever came of it.
func (f *File) Prepare(ctx context.Context, limits *fact.Upload) (digest string, err error) {
	if err := checkName(f.Name); err != nil {
		return "", err
	}
	if strings.ContainsAny(f.Part, "\"\r\n\\") {
		return "", errors.New("the name of the file's part has a quote or a line break")
	}
	var most int64
	if limits != nil {
		suffix := strings.ToLower(strings.TrimPrefix(filepath.Ext(f.Name), "."))
		most = limits.Most(suffix)
		if !limits.Takes(suffix) {
			return "", fmt.Errorf("the file's suffix is %s, the operation takes %s",
				redact.Quote(suffix), strings.ReplaceAll(limits.Suffixes, " ", ", "))
		}
	}
	got, err := f.read(ctx)
	if err != nil {
		return "", err
	}
	f.temporary = got.temporary
	switch {
	case ctx.Err() != nil:
		return "", &EndedError{fault.Cause(ctx)}
	case got.err != nil:
		return "", got.err
	case f.Size >= 0 && got.size != f.Size:
		return "", fmt.Errorf("the file has %d bytes instead of %d", got.size, f.Size)
	case got.size == 0:
		return "", errors.New("the file has no bytes")
	case most > 0 && got.size > most:
		return "", fmt.Errorf("the file has %d bytes, the operation takes at most %d", got.size, most)
	}
	f.Size = got.size
	return hex.EncodeToString(got.sum.Sum(nil)), nil
}

// Close removes what was kept on the disk.
func (f *File) Close() {
	if f.temporary != nil {
		_ = f.temporary.Close()
	}
}

// reading is what reading a file for its digest brought.
type reading struct {
	sum       hash.Hash
	size      int64
	temporary *tempfile.File
	err       error
}

// read reads the file once, until ctx ends.
func (f *File) read(ctx context.Context) (reading, error) {
	if ctx.Err() != nil {
		return reading{}, &EndedError{fault.Cause(ctx)}
	}
	if ctx.Done() == nil || f.memory {
		return f.Source.read(ctx, f.newHash()), nil
	}
	// A read that is stuck cannot be ended. It is left behind, and what it holds goes when it
	// returns.
	done := make(chan reading)
	go func(source Source, sum hash.Hash) {
		got := reading{err: fault.ErrExited}
		defer func() { // also when a reader of the user's ends the goroutine
			select {
			case done <- got:
			case <-ctx.Done():
				if got.temporary != nil {
					_ = got.temporary.Close()
				}
			}
		}()
		got = source.read(ctx, sum)
	}(f.Source, f.newHash())
	select {
	case got := <-done:
		return got, nil
	case <-ctx.Done():
		return reading{}, &EndedError{fault.Cause(ctx)}
	}
}

func (f *File) newHash() hash.Hash {
	if f.Hash == nil {
		return sha256.New()
	}
	return f.Hash()
}

// chunks is room for the pieces in which files are read.
var chunks = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

// read reads the source for its digest, and keeps what can be read only once in a temporary file.
func (s Source) read(ctx context.Context, sum hash.Hash) (got reading) {
	got.sum = sum
	chunk := chunks.Get().(*[]byte)
	defer chunks.Put(chunk)
	if s.once != nil {
		if got.temporary, got.err = tempfile.New(); got.err != nil {
			return got
		}
		source := wait.Reader(ctx, io.LimitReader(s.once, MaxOnce+1))
		got.size, got.err = io.CopyBuffer(io.MultiWriter(sum, got.temporary), source, *chunk)
		switch {
		case errors.As(got.err, new(*tempfile.WriteError)):
		case got.err != nil:
			got.err = fmt.Errorf("the pipe cannot be read: %w", fault.WithoutPath(got.err))
		case got.size > MaxOnce:
			got.err = fmt.Errorf("the pipe has more than %d bytes", MaxOnce)
		}
		return got
	}
	source, err := s.open()
	if err != nil {
		got.err = fmt.Errorf("the file cannot be opened: %w", fault.WithoutPath(err))
		return got
	}
	defer source.Close()
	var r io.Reader = source
	if !s.memory {
		r = wait.Reader(ctx, source)
	}
	if got.size, err = io.CopyBuffer(sum, r, *chunk); err != nil {
		got.err = fmt.Errorf("the file cannot be read: %w", fault.WithoutPath(err))
	}
	return got
}

// Body is the multipart body of an upload.
type Body struct {
	ContentType string
	Size        int64
	// Open opens the body for one attempt. Reading from it ends with ctx.
	Open func(ctx context.Context) (io.ReadCloser, error)
}

// Body returns the body with the file, which is prepared, and its meta. The boundary occurs in
// neither.
func (f *File) Body(boundary string, meta []byte) Body {
	var head bytes.Buffer
	const part = "--%s\r\nContent-Disposition: form-data; name=\"%s\"%s\r\nContent-Type: %s\r\n\r\n"
	fmt.Fprintf(&head, part+"%s\r\n", boundary, "meta", "", "application/json", meta)
	fmt.Fprintf(&head, part, boundary, f.Part, "; filename=\""+f.Name+"\"", contentType(f.Name))
	tail := "\r\n--" + boundary + "--\r\n"
	return Body{
		ContentType: "multipart/form-data; boundary=" + boundary,
		Size:        int64(head.Len()) + f.Size + int64(len(tail)),
		Open: func(ctx context.Context) (io.ReadCloser, error) {
			source, err := f.openFor(ctx)
			if err != nil {
				return nil, fault.WithoutPath(err)
			}
			return struct {
				io.Reader
				io.Closer
			}{io.MultiReader(bytes.NewReader(head.Bytes()), &sending{source, f.Size}, strings.NewReader(tail)), source}, nil
		},
	}
}

// openFor opens the file for an attempt.
func (f *File) openFor(ctx context.Context) (io.ReadCloser, error) {
	if f.temporary != nil {
		return io.NopCloser(f.temporary.Reader()), nil
	}
	source, err := f.open()
	if err != nil || f.memory {
		return source, err
	}
	return &leaving{ctx: ctx, source: source}, nil
}

// sending reads as much of a file as was found in it when its digest was computed.
type sending struct {
	io.Reader
	left int64
}

func (s *sending) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	n, err := s.Reader.Read(p[:min(int64(len(p)), s.left)])
	switch s.left -= int64(n); {
	case err == io.EOF && s.left > 0:
		return n, errors.New("the file became shorter while it was sent")
	case err != nil && err != io.EOF:
		return n, fmt.Errorf("the file cannot be read: %w", fault.WithoutPath(err))
	}
	return n, nil
}
