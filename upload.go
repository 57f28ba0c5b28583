package wxpay

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// File is what [Chain.Upload] sends: make one with [FileAt], [FileFrom] or [FileReader]. It is an immutable value; its methods
// return a changed copy.
type File struct {
	name    string
	size    int64 // -1 until prepared
	open    func() (io.ReadCloser, error)
	memory  bool // reading takes no time
	pipe    io.Reader
	meta    JSON
	part    string
	members [2]string // what the meta calls name and digest
	hash    func() hash.Hash
	err     error
}

// Format prints the size, if it is known, under every verb.
func (f File) Format(s fmt.State, verb rune) { redact.Format(s, verb, f.text()) }

// MarshalText gives encodings what Format prints.
func (f File) MarshalText() ([]byte, error) { return []byte(f.text()), nil }

func (f *File) text() string {
	if f.size < 0 {
		return "wxpay.File{}"
	}
	return fmt.Sprintf("wxpay.File{%d bytes}", f.size)
}

// FileAt is the file at path, which is read when it is sent.
func FileAt(path string) File {
	return File{name: filepath.Base(path), size: -1, open: func() (io.ReadCloser, error) { return os.Open(path) }}
}

// FileFrom is size bytes of r under a file name. r is read once for the digest and once for each attempt.
func FileFrom(name string, r io.ReaderAt, size int64) File {
	f := File{name: name, size: size}
	if r == nil || size < 0 {
		f.err = errors.New("FileFrom needs a reader and its size in bytes")
		return f
	}
	f.open = func() (io.ReadCloser, error) {
		return io.NopCloser(io.NewSectionReader(userReader{at: r}, 0, size)), nil
	}
	if memory, ok := r.(*bytes.Reader); ok && memory.Size() == size {
		// What is in memory need not be copied for its digest. Copies of the reader share its bytes and not its place.
		whole := *memory
		_, f.err = whole.Seek(0, io.SeekStart)
		f.memory = true
		f.open = func() (io.ReadCloser, error) {
			again := whole
			return io.NopCloser(&again), nil
		}
	}
	return f
}

// FileReader is what r holds, under a file name: at most 64 MiB. It can be read only once, so it is kept in a temporary file while
// it is sent.
func FileReader(name string, r io.Reader) File {
	f := File{name: name, size: -1, pipe: userReader{r: r}}
	if r == nil {
		f.err = errors.New("FileReader needs a reader")
	}
	return f
}

// Meta sets a further member of the signed meta, such as item_id. Members that the catalogue marks as encrypted are
// encrypted.
func (f File) Meta(name string, value any) File {
	f.meta = maps.Clone(f.meta)
	if f.meta == nil {
		f.meta = JSON{}
	}
	f.meta[name] = value
	return f
}

// Part sets the name of the file's part. The default is what the catalogue says, else "file".
func (f File) Part(name string) File {
	f.part = name
	return f
}

// Fields sets what the meta calls the file's name and its digest; an empty one is left out. The default is what the
// catalogue says, else "filename" and "sha256".
func (f File) Fields(name, digest string) File {
	f.members = [2]string{name, digest}
	return f
}

// Hash sets the digest's algorithm, for the few uploads that want SM3. The default is SHA-256. The digest is lower-case hex.
func (f File) Hash(algorithm func() hash.Hash) File {
	f.hash = algorithm
	return f
}

// maxUpload bounds what a pipe may bring. The largest documented upload has 7.5 MB.
const maxUpload = 64 << 20

// Upload sends a file as multipart/form-data with POST. Only the part meta is signed: a JSON text with the file's name and
// digest and what [File.Meta] added. Names of parts and members come from the catalogue where it knows the operation.
//
// The file streams: it is read once for its digest and once for each attempt, and never held in memory. Its suffix and size
// are checked before anything is sent, where limits are documented. It may take as long as it must, but ends when it stands
// still; see [WithTimeout]. Names go out as raw UTF-8; one with quotes or line
// breaks is refused. When ctx ends Upload returns, also from reading a file or pipe that is stuck: the pending read is left
// to end by itself, so a reader must not be used again, nor its memory, before it has. An upload that only costs a new id is repeated as safely as a read.
func (c Chain) Upload(ctx context.Context, file File) (*Response, error) {
	u := &upload{file: file}
	f, err := c.prepare(ctx, http.MethodPost, u)
	if err != nil {
		u.close()
		return nil, err
	}
	defer u.close()
	return f.send(ctx)
}

// UploadAsync is [Chain.Upload] in the background. The file is read for its digest before UploadAsync returns, and again
// when the call runs: it must stay as it is until then.
func (c Chain) UploadAsync(ctx context.Context, file File) *Future {
	u := &upload{file: file}
	f, err := c.prepare(ctx, http.MethodPost, u)
	if err != nil {
		u.close()
		return failed(err)
	}
	future := c.client.queue.submit(ctx, f)
	if !future.whenEnded(u.close) {
		u.close()
	}
	return future
}

// upload is a File on its way.
type upload struct {
	file     File
	boundary string
	spill    *spill // of a pipe
}

// ready finds out how the operation wants the file, reads it for its digest, and returns the meta to sign.
func (u *upload) ready(ctx context.Context, f *flight, template string) (JSON, error) {
	file := &u.file
	if file.err != nil {
		return nil, file.err
	}
	if file.open == nil && file.pipe == nil {
		return nil, errors.New("the file is empty of everything: make one with FileAt, FileFrom or FileReader")
	}
	if err := checkFileName(file.name); err != nil {
		return nil, err
	}
	if err := u.choose(f.Operation); err != nil {
		return nil, err
	}
	var most int64
	if rule := fact.UploadAt(template); rule != nil {
		f.Idempotent, most = true, rule.MaxSize
		suffix := strings.ToLower(strings.TrimPrefix(filepath.Ext(file.name), "."))
		if rule.Suffixes != "" && !slices.Contains(strings.Fields(rule.Suffixes), suffix) {
			return nil, fmt.Errorf("the file's suffix is %s, the operation takes %s", redact.Quote(suffix), strings.ReplaceAll(rule.Suffixes, " ", ", "))
		}
	}
	digest, err := u.digest(ctx, most)
	if err != nil {
		return nil, err
	}
	meta := maps.Clone(file.meta)
	if meta == nil {
		meta = JSON{}
	}
	for member, value := range map[string]string{file.members[0]: file.name, file.members[1]: digest} {
		if _, set := meta[member]; member != "" && !set {
			meta[member] = value
		}
	}
	u.boundary = "wxpay-" + f.client.nonce()
	return meta, nil
}

// choose fills in what the caller left to the catalogue.
func (u *upload) choose(operation *fact.Operation) error {
	file, form := &u.file, operation.UploadForm()
	if form.Algorithm != "" && file.hash == nil {
		return fmt.Errorf("this upload wants an SM3 digest: give its algorithm with Hash, and say so with Meta(%q, …)", form.Algorithm)
	}
	if file.part == "" {
		file.part = form.Part
	}
	if file.members == [2]string{} {
		file.members = [2]string{form.Name, form.Digest}
	}
	if file.hash == nil {
		file.hash = sha256.New
	}
	if strings.ContainsAny(file.part, "\"\r\n\\") {
		return errors.New("the name of the file's part has a quote or a line break")
	}
	return nil
}

// chunks is room for the pieces in which files are read.
var chunks = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

// userReader is a reader of the user's. It is read on goroutines of ours and of net/http's, where a panic would end the process.
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

// endedError is the end of a context while a call was being made ready.
type endedError struct{ error }

func (e endedError) Unwrap() error { return e.error }

// digest reads the file once, until ctx ends. most bounds its size in bytes; 0 is no documented bound.
func (u *upload) digest(ctx context.Context, most int64) (string, error) {
	if ctx.Err() != nil {
		return "", endedError{fault.Cause(ctx)}
	}
	var got fileRead
	if ctx.Done() == nil || u.file.memory {
		got = u.file.read(ctx)
	} else {
		// A read that is stuck cannot be ended. It is left behind, and what it holds goes when it returns.
		done := make(chan fileRead)
		go func(file File) {
			got := fileRead{err: errExited}
			defer func() { // also when a reader of the user's ends the goroutine
				select {
				case done <- got:
				case <-ctx.Done():
					got.close()
				}
			}()
			got = file.read(ctx)
		}(u.file)
		select {
		case got = <-done:
		case <-ctx.Done():
			return "", endedError{fault.Cause(ctx)}
		}
	}
	u.spill = got.spill
	switch {
	case ctx.Err() != nil:
		return "", endedError{fault.Cause(ctx)}
	case got.err != nil:
		return "", got.err
	case u.file.size >= 0 && got.size != u.file.size:
		return "", fmt.Errorf("the file has %d bytes instead of %d", got.size, u.file.size)
	case got.size == 0:
		return "", errors.New("the file has no bytes")
	case most > 0 && got.size > most:
		return "", fmt.Errorf("the file has %d bytes, the operation takes at most %d", got.size, most)
	}
	if got.spill != nil {
		u.file.open = func() (io.ReadCloser, error) { return io.NopCloser(got.spill.reader()), nil }
	}
	u.file.size = got.size
	return hex.EncodeToString(got.sum.Sum(nil)), nil
}

// fileRead is what reading a file brought.
type fileRead struct {
	sum   hash.Hash
	size  int64
	spill *spill // of a pipe
	err   error
}

func (r fileRead) close() {
	if r.spill != nil {
		_ = r.spill.Close()
	}
}

// read reads the file for its digest, and keeps a pipe in a temporary file.
func (f File) read(ctx context.Context) (got fileRead) {
	got.sum = f.hash()
	chunk := chunks.Get().(*[]byte)
	defer chunks.Put(chunk)
	if f.pipe != nil {
		if got.spill, got.err = newSpill(); got.err != nil {
			return got
		}
		source := &untilEnded{ctx, io.LimitReader(f.pipe, maxUpload+1)}
		got.size, got.err = io.CopyBuffer(io.MultiWriter(got.sum, got.spill), source, *chunk)
		switch {
		case errors.As(got.err, new(*spillError)):
		case got.err != nil:
			got.err = fmt.Errorf("the pipe cannot be read: %w", pathless(got.err))
		case got.size > maxUpload:
			got.err = fmt.Errorf("the pipe has more than %d bytes", maxUpload)
		}
		return got
	}
	source, err := f.open()
	if err != nil {
		got.err = fmt.Errorf("the file cannot be opened: %w", pathless(err))
		return got
	}
	defer source.Close()
	var r io.Reader = source
	if !f.memory {
		r = &untilEnded{ctx, source}
	}
	if got.size, err = io.CopyBuffer(got.sum, r, *chunk); err != nil {
		got.err = fmt.Errorf("the file cannot be read: %w", pathless(err))
	}
	return got
}

func (u *upload) close() {
	if u.spill != nil {
		_ = u.spill.Close()
	}
}

// attach makes the multipart body of req, with meta as it is signed.
func (u *upload) attach(f *flight, req *http.Request, meta []byte) {
	var head bytes.Buffer
	fmt.Fprintf(&head, "--%s\r\nContent-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n%s\r\n", u.boundary, meta)
	fmt.Fprintf(&head, "--%s\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"%s\"\r\nContent-Type: %s\r\n\r\n",
		u.boundary, u.file.part, u.file.name, contentType(u.file.name))
	tail := "\r\n--" + u.boundary + "--\r\n"
	size := int64(head.Len()) + u.file.size + int64(len(tail))
	f.SetStream(req, size, meta, func(ctx context.Context) (io.ReadCloser, error) {
		source, err := u.file.open()
		if err != nil {
			return nil, pathless(err)
		}
		if !u.file.memory && u.spill == nil {
			source = &leaving{ctx: ctx, source: source}
		}
		return struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(head.Bytes()), &sending{source, u.file.size}, strings.NewReader(tail)), source}, nil
	})
	req.Header["Content-Type"] = []string{"multipart/form-data; boundary=" + u.boundary}
}

// leaving reads until ctx ends. A read that is stuck by then is left behind, and closes what it reads when it returns.
type leaving struct {
	ctx    context.Context
	source io.ReadCloser
	chunk  [32 << 10]byte // not the caller's, who may use that again
	read   chan leftRead  // of the read that is under way, nil if none is
}

type leftRead struct {
	n   int
	err error
}

func (l *leaving) Read(p []byte) (int, error) {
	if l.read == nil {
		read := make(chan leftRead, 1)
		l.read = read
		go func(chunk []byte) {
			got := leftRead{err: errExited}
			defer func() { read <- got }() // also when a reader of the user's ends the goroutine
			got.n, got.err = l.source.Read(chunk)
		}(l.chunk[:min(len(p), len(l.chunk))])
	}
	select {
	case got := <-l.read:
		l.read = nil
		return copy(p, l.chunk[:got.n]), got.err
	case <-l.ctx.Done():
		return 0, fault.Cause(l.ctx)
	}
}

func (l *leaving) Close() error {
	if l.read == nil {
		return l.source.Close()
	}
	go func() {
		<-l.read
		_ = l.source.Close()
	}()
	return nil
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
		return n, fmt.Errorf("the file cannot be read: %w", pathless(err))
	}
	return n, nil
}

func checkFileName(name string) error {
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

// pathless takes the path out of an error: it may name a person.
func pathless(err error) error {
	var one *os.PathError
	var two *os.LinkError
	switch {
	case errors.As(err, &one):
		return fault.Outside(one.Err) // a reader of the user's may have made it
	case errors.As(err, &two):
		return fault.Outside(two.Err)
	}
	return err
}

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
