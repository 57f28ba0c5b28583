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

// DownloadResult describes a finished download.
type DownloadResult struct {
	// Size counts the bytes written, after decompression.
	Size int64
	// Received counts the bytes that came over the wire.
	Received int64
	// Header is the header of the response, or of the last of several responses.
	Header http.Header
	// RequestID identifies the call for the platform's support; empty when the response has none.
	RequestID string
	// Verified reports that the platform vouches for the content, by its signature or by a digest
	// from a signed response, or that the caller does, by [Digest]. For an empty bill it reports
	// that the response was signed. It is false for content with neither, such as the images of
	// complaints: only TLS vouches for that.
	Verified bool
	// DigestOf names the bytes that the digest covers: "plain" as a rule. For encrypted bills,
	// where the platform does not say, it is "plain", "gzip" (before expanding) or "download"
	// (before decrypting). It is empty without a digest.
	DigestOf string
	// Empty reports that there is no bill, because nothing happened on that day.
	Empty bool
}

// Format prints the size, the request id and Verified under every verb.
func (d DownloadResult) Format(s fmt.State, verb rune) { redact.Format(s, verb, d.text()) }

// MarshalText gives encodings what Format prints.
func (d DownloadResult) MarshalText() ([]byte, error) { return []byte(d.text()), nil }

func (d *DownloadResult) text() string {
	return fmt.Sprintf("wxpay.DownloadResult{%d bytes, request id %s, verified %t}", d.Size, redact.OneLine(d.RequestID), d.Verified)
}

// Reasons for a failed download; compare with errors.Is.
var (
	// ErrDigest means that the content differs from the announced digest.
	ErrDigest = middleware.ErrDigest
	// ErrTruncated means that the content ended early, on the wire or inside its compression.
	ErrTruncated = middleware.ErrResponseTruncated
	// ErrTooLarge means that the content is larger than [MaxSize], or that a small file expands to
	// an absurd size.
	ErrTooLarge = middleware.ErrResponseTooLarge
)

// DownloadError is the cause of a download that started and then failed, inside a [*CallError] of
// stage StageDownload. Downloads are reads, so retrying is safe.
type DownloadError struct {
	// Written counts the bytes that went to a plain writer before the failure was found. Do not use
	// them. It is 0 for a file from [ToFile], which is removed, and for content that is verified
	// before any of it is written.
	Written int64
	// Err is the reason.
	Err error
}

func (e *DownloadError) Error() string {
	if e.Written == 0 {
		return e.Err.Error()
	}
	return fmt.Sprintf("%v; %d bytes went to the writer before the failure was found and must not be used", e.Err, e.Written)
}

// Unwrap returns the reason.
func (e *DownloadError) Unwrap() error { return e.Err }

// Format prints the error's text under every verb.
func (e DownloadError) Format(s fmt.State, verb rune) { redact.Format(s, verb, e.Error()) }

// MarshalText gives encodings the error's text.
func (e DownloadError) MarshalText() ([]byte, error) { return []byte(e.Error()), nil }

// DownloadOption configures a download. Gzip content is always expanded.
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

// Digest checks the content against a digest, in the form of hash_type and hash_value in the
// platform's responses: SHA1 or SHA256 (for others see [DigestAlgorithm]), and hex digits. It
// covers the plain text, even if the download is compressed. [Chain.Bill], [Chain.BillTo] and
// [Chain.Receipt] always check the digest in the response; this one must match too, for the whole
// of a bill.
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

// MaxSize bounds the content, after decompression, in bytes; for a bill, all of its parts together.
// The default is 64 GiB. A file that expands to more than 200 times its size, and more than 64 MiB,
// is always an error.
func MaxSize(bytes int64) DownloadOption {
	return func(p *downloadPlan) error {
		p.MaxSize = bytes
		return checkCount("MaxSize", bytes)
	}
}

// Progress calls report during a download with the bytes received over the wire so far and the
// total, -1 if the total is unknown. One goroutine at a time calls it, between two reads. It
// restarts at 0 when the download does.
func Progress(report func(received, total int64)) DownloadOption {
	return func(p *downloadPlan) error {
		p.Progress = report
		return nil
	}
}

// WaitAtMost bounds the time that [Chain.Bill], [Chain.BillTo] and [Chain.Receipt] wait until the
// platform has made the file. They ask a last time when it is over; then the error is
// [ErrNotReady]. 0 asks once. By default only the context bounds the wait; it bounds the download
// too.
func WaitAtMost(limit time.Duration) DownloadOption {
	return func(p *downloadPlan) error {
		if p.Patience = &limit; limit < 0 {
			return fmt.Errorf("WaitAtMost is %s, it must not be negative", limit)
		}
		return nil
	}
}

// Waiting calls report each time that [Chain.Bill], [Chain.BillTo] or [Chain.Receipt] has learned that
// the platform is still making the file: they ask again after pause.
func Waiting(report func(pause time.Duration)) DownloadOption {
	return func(p *downloadPlan) error {
		p.Plan.Waiting = report
		return nil
	}
}

// Target is a file as the destination of a download; see [ToFile].
type Target struct {
	path    string
	replace bool
}

// ToFile makes a file the destination of [Client.Fetch], [Chain.Download], [Chain.BillTo] and
// [Chain.Receipt]. The content is written under a temporary name in the same folder and gets the
// name path once it has been verified; a failed download leaves nothing behind. Only the file's
// owner can read it.
//
// An existing file is an error (fs.ErrExist) before anything is sent, and is never changed; see
// [Target.Replace].
//
// A new file is not synced to the disk: after a power failure, download again.
func ToFile(path string) Target { return Target{path: path} }

// Replace atomically overwrites an existing file once the download has been verified and synced to
// the disk, so that one of the two exists even after a power failure. It replaces a symbolic link
// itself, and not the file behind it; anything else but a file is an error.
func (t Target) Replace() Target {
	t.replace = true
	return t
}

// Write always fails: only a download knows when the file is complete.
func (t Target) Write([]byte) (int, error) {
	return 0, errors.New("a file from wxpay.ToFile is written by downloads only")
}

func newDestination(w io.Writer) (download.Destination, error) {
	switch w := w.(type) {
	case nil:
		return nil, errors.New("the destination is nil: pass a writer, or ToFile")
	case Target:
		if w.path == "" {
			return nil, errors.New("ToFile needs a path")
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
