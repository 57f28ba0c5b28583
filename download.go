package wxpay

import (
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/http"
	"time"

	"github.com/wxpay-go/wxpay/internal/atomicfile"
	"github.com/wxpay-go/wxpay/internal/download"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/middleware"
)

// DownloadResult tells what a download brought.
type DownloadResult struct {
	// Size is how many bytes were written, after decompression.
	Size int64
	// Received is how many bytes came over the wire.
	Received int64
	// Header is the header of the response, of the last one where there were several.
	Header http.Header
	// RequestID identifies the call for the platform's support; empty when the response has none.
	RequestID string
	// Verified says that the platform vouches for the content: by its signature, or by a digest from a signed response (or
	// the caller does, by [Digest]). For an empty bill it says that the response was signed.
	// It is false for content with neither, such as the images of complaints: TLS alone vouches for that.
	Verified bool
	// DigestOf tells which bytes the digest covers: "plain" (the rule), and for encrypted bills, where the platform does not
	// say, "plain", "gzip" (before expanding) or "download" (before decrypting). Empty without a digest.
	DigestOf string
	// Empty says that there is no bill, because nothing happened on that day.
	Empty bool
}

// Format prints sizes and what vouches for the content under every verb.
func (d DownloadResult) Format(s fmt.State, verb rune) { redact.Format(s, verb, d.text()) }

// MarshalText gives encodings what Format prints.
func (d DownloadResult) MarshalText() ([]byte, error) { return []byte(d.text()), nil }

func (d *DownloadResult) text() string {
	return fmt.Sprintf("wxpay.DownloadResult{%d bytes, request id %s, verified %t}", d.Size, redact.OneLine(d.RequestID), d.Verified)
}

// Reasons why a download is no good; compare with errors.Is.
var (
	// ErrDigest means that the content is not the one that the platform announced.
	ErrDigest = middleware.ErrDigest
	// ErrTruncated means that the content ended early, on the wire or inside its compression.
	ErrTruncated = middleware.ErrResponseTruncated
	// ErrTooLarge means that the content is larger than [MaxSize], or that a small file expands to an absurd size.
	ErrTooLarge = middleware.ErrResponseTooLarge
)

// DownloadError is the cause, inside a [*CallError] of stage StageDownload, of a download that started and then failed.
// Downloads are reads, so retrying is safe.
type DownloadError struct {
	// Written is how many bytes went to a plain writer before the failure showed. They must not be used. It is 0 for a file
	// from [ToFile], which is removed, and for content that is verified before it is handed out.
	Written int64
	// Err is the reason.
	Err error
}

func (e *DownloadError) Error() string {
	if e.Written == 0 {
		return e.Err.Error()
	}
	return fmt.Sprintf("%v; %d bytes went to the writer before that was known and must not be used", e.Err, e.Written)
}

// Unwrap returns the reason.
func (e *DownloadError) Unwrap() error { return e.Err }

// Format prints the error's text under every verb.
func (e DownloadError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText gives encodings the error's text.
func (e DownloadError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// DownloadOption says how a download is checked. Content that is gzip is always expanded.
type DownloadOption func(*downloadPlan) error

type downloadPlan struct{ download.Plan }

func newDownloadPlan(options []DownloadOption) (*download.Plan, error) {
	p := &downloadPlan{download.Plan{MaxSize: download.MaxSize}}
	for _, option := range options {
		if option == nil {
			return nil, errors.New("an option is nil")
		}
		if err := option(p); err != nil {
			return nil, err
		}
	}
	_, err := p.Algorithms.New(p.Want)
	return &p.Plan, err
}

// Digest checks the content against a digest, as hash_type and hash_value of the platform's responses give it: SHA1 or SHA256
// (for others see [DigestAlgorithm]), and hex digits. It covers the plain text, also when the download is compressed.
// [Chain.Bill], [Chain.BillTo] and [Chain.Receipt] check the digest of the response anyway; this one must match as well, for the
// whole of a bill.
func Digest(algorithm, value string) DownloadOption {
	return func(p *downloadPlan) error {
		if algorithm == "" || value == "" {
			return errors.New("Digest needs an algorithm, such as SHA1, and a value in hex")
		}
		p.Want = download.Digest{Algorithm: algorithm, Value: value}
		return nil
	}
}

// DigestAlgorithm adds a digest algorithm. Some receipts have SM3:
//
//	wxpay.DigestAlgorithm("SM3", sm.NewSM3) // contrib/sm
func DigestAlgorithm(name string, algorithm func() hash.Hash) DownloadOption {
	return func(p *downloadPlan) error {
		if name == "" || algorithm == nil {
			return errors.New("DigestAlgorithm needs a name and a hash")
		}
		p.Algorithms = p.Algorithms.With(name, algorithm)
		return nil
	}
}

// MaxSize bounds the content, after decompression, in bytes; for a bill, all of its parts together. The default is 64 GiB.
// A file that expands to more than 200 times its size, and more than 64 MiB, is always an error.
func MaxSize(bytes int64) DownloadOption {
	return func(p *downloadPlan) error {
		p.MaxSize = bytes
		return checkCount("MaxSize", bytes)
	}
}

// Progress calls report during a download, with the bytes that came over the wire so far and their total, -1 if that is not
// known. One goroutine at a time calls it, between two reads. It starts again at 0 when the download does.
func Progress(report func(received, total int64)) DownloadOption {
	return func(p *downloadPlan) error {
		p.Progress = report
		return nil
	}
}

// WaitAtMost bounds how long [Chain.Bill], [Chain.BillTo] and [Chain.Receipt] wait until the platform has made the file. They
// ask a last time when it is over; then the error is [ErrNotReady]. 0 asks once. By default only the context bounds the wait,
// which bounds the download too.
func WaitAtMost(limit time.Duration) DownloadOption {
	return func(p *downloadPlan) error {
		if p.Patience = &limit; limit < 0 {
			return fmt.Errorf("WaitAtMost is %s, it must not be negative", limit)
		}
		return nil
	}
}

// Target is a file that a download becomes; see [ToFile].
type Target struct {
	path    string
	replace bool
}

// ToFile makes a file the destination of [Client.Fetch], [Chain.Download], [Chain.BillTo] and [Chain.Receipt]. The content is
// written under a temporary name in the same folder and gets the name path once it has been verified: if anything goes wrong,
// nothing is left behind. Only the file's owner can read it.
//
// A file that exists already is an error (fs.ErrExist) before anything is sent, and is never touched; see [Target.Replace].
//
// A new file is not synced to the disk: after a power failure, download again.
func ToFile(path string) Target { return Target{path: path} }

// Replace atomically overwrites an existing file once the download has been verified and synced to the disk, so that one of the
// two is there even after a power failure. A symbolic link to a file is replaced itself, not the file; anything else but a file
// is an error.
func (t Target) Replace() Target {
	t.replace = true
	return t
}

// Write always fails: only a download knows when the file is right.
func (t Target) Write([]byte) (int, error) {
	return 0, errors.New("a file from wxpay.ToFile is written by downloads only")
}

func newDestination(w io.Writer) (download.Destination, error) {
	switch w := w.(type) {
	case nil:
		return nil, errors.New("the destination is nil: give a writer, or ToFile")
	case Target:
		if w.path == "" {
			return nil, errors.New("ToFile was given no path")
		}
		file, err := atomicfile.Create(w.path, w.replace)
		switch {
		case errors.Is(err, fs.ErrExist):
			return nil, fmt.Errorf("%w (Replace overwrites it)", err)
		case err != nil:
			return nil, err
		}
		return download.ToFile(file), nil
	}
	return download.ToWriter(w), nil
}
