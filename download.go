package wxpay

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/wxcode"
)

// DownloadResult tells what a download brought.
type DownloadResult struct {
	// Size is how many bytes were written, after decompression.
	Size int64
	// Received is how many bytes came over the wire.
	Received int64
	// Header is the header of the answer, of the last one where there were several.
	Header http.Header
	// RequestID is what the platform's support asks for; empty when the answer has none.
	RequestID string
	// Verified says that the platform vouches for the content: by its signature, or by a digest out of a signed answer (or
	// the caller does, by [Digest]). Of an empty bill it says that the word of it was signed.
	// It is false for what has neither, such as the images of complaints: TLS alone vouches for that.
	Verified bool
	// DigestOf is what the digest turned out to cover: "plain" (the rule), and for encrypted bills, where the platform does
	// not say, "plain", "gzip" (before expanding) or "download" (before decrypting). Empty without a digest.
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

// DownloadError is the cause, inside a [*CallError] of stage StageDownload, of a download that began and came to no good
// end. It was a read, so it can be repeated.
type DownloadError struct {
	// Written is how many bytes went to a plain writer before the trouble showed. They must not be used. It is 0 for a
	// file from [ToFile], of which nothing is left, and for what is verified before it is handed out.
	Written int64
	// Err is the reason.
	Err error

	passing bool // another try may bring the right content
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

// DownloadOption says how a download is checked and unpacked.
type DownloadOption func(*download) error

// Digest demands the content's digest, as hash_type and hash_value of the platform's answers give it: SHA1 or SHA256 (for
// others see [DigestAlgorithm]), and hex digits. It is over the plain text, also when the download is compressed. [Chain.Bill],
// [Chain.BillTo] and [Chain.Receipt] know the digest that the answer names and check it without being told; one that is given
// has to hold besides, for the whole of a bill.
func Digest(algorithm, value string) DownloadOption {
	return func(d *download) error {
		if algorithm == "" || value == "" {
			return errors.New("Digest needs an algorithm, such as SHA1, and a value in hex")
		}
		d.want = digest{algorithm, value}
		return nil
	}
}

// DigestAlgorithm teaches a download one more digest algorithm. Some receipts have SM3:
//
//	wxpay.DigestAlgorithm("SM3", sm.NewSM3) // contrib/sm
func DigestAlgorithm(name string, algorithm func() hash.Hash) DownloadOption {
	return func(d *download) error {
		if name == "" || algorithm == nil {
			return errors.New("DigestAlgorithm needs a name and a hash")
		}
		if d.algorithms == nil {
			d.algorithms = map[string]func() hash.Hash{}
		}
		d.algorithms[plainName(name)] = algorithm
		return nil
	}
}

// Gunzip expands a download that is gzip, and passes any other on as it is. Bills are expanded without asking, and so is
// what says Content-Encoding: gzip.
func Gunzip() DownloadOption {
	return func(d *download) error {
		d.gunzip = true
		return nil
	}
}

// MaxSize bounds the content, after decompression, in bytes; of a bill, all of its parts together. The default is 64 GiB. Whatever it is, a file that expands to
// more than 200 times its size (and more than 64 MiB) is refused.
func MaxSize(bytes int64) DownloadOption {
	return func(d *download) error {
		d.most = bytes
		return checkCount("MaxSize", bytes)
	}
}

// Progress has report called while a download goes on, with the bytes that came over the wire so far and their total, -1
// where nobody knows it. It is called by one goroutine at a time, between two reads, and begins again at 0 when the
// download does.
func Progress(report func(received, total int64)) DownloadOption {
	return func(d *download) error {
		d.progress = report
		return nil
	}
}

// WaitAtMost bounds how long [Chain.Bill], [Chain.BillTo] and [Chain.Receipt] wait for the platform to make what they
// ask for; when it is over they ask a last time, and then the error is [ErrNotReady]. 0 asks once. By default only the context bounds it, which bounds the download
// too.
func WaitAtMost(limit time.Duration) DownloadOption {
	return func(d *download) error {
		if d.bounded, d.patience = true, limit; limit < 0 {
			return fmt.Errorf("WaitAtMost is %s, it must not be negative", limit)
		}
		return nil
	}
}

const (
	maxDownload  = 64 << 30
	bombRatio    = 200      // of what a gzip file expands to; bills stay well below 50
	bombSize     = 64 << 20 // below which the ratio does not matter
	copyBuffer   = 64 << 10
	restartPause = 200 * time.Millisecond // before the second try, and twice as long before each further one
	gzipMagic    = "\x1f\x8b"
)

// download is how one download is checked and unpacked.
type download struct {
	want       digest
	demanded   digest // by the caller, besides want
	algorithms map[string]func() hash.Hash
	gunzip     bool
	most       int64
	spent      int64 // of most, by what came before
	progress   func(received, total int64)
	bounded    bool // patience bounds the waiting
	patience   time.Duration
	raw        bool // the destination takes the body as it is, and what is unpacked is checked only
}

// digest is one that the content must have; the zero value demands nothing.
type digest struct{ algorithm, value string }

func newDownload(options []DownloadOption) (*download, error) {
	d := &download{most: maxDownload}
	for _, option := range options {
		if option == nil {
			return nil, errors.New("an option is nil")
		}
		if err := option(d); err != nil {
			return nil, err
		}
	}
	_, err := d.hash(d.want)
	return d, err
}

// expecting is d for content with a digest of its own, if it has one: what the caller demands has to hold too.
func (d *download) expecting(want digest) *download {
	next := *d
	if want != (digest{}) {
		next.want, next.demanded = want, d.want
	}
	return &next
}

// hash returns the hash of a digest, nil for none.
func (d *download) hash(want digest) (hash.Hash, error) {
	if want == (digest{}) {
		return nil, nil
	}
	var sum hash.Hash
	switch name := plainName(want.algorithm); {
	case d.algorithms[name] != nil:
		sum = d.algorithms[name]()
	case name == "SHA1":
		sum = sha1.New()
	case name == "SHA256":
		sum = sha256.New()
	default:
		return nil, fmt.Errorf("the digest algorithm %s is not known here: bring it with DigestAlgorithm (SM3 is in contrib/sm)", redact.Quote(want.algorithm))
	}
	if raw, err := hex.DecodeString(want.value); err != nil || len(raw) != sum.Size() {
		return nil, fmt.Errorf("the %s digest is not %d hex digits", redact.Quote(want.algorithm), 2*sum.Size())
	}
	return sum, nil
}

// check compares.
func (want digest) check(sum hash.Hash) error {
	if sum == nil {
		return nil
	}
	if got := hex.EncodeToString(sum.Sum(nil)); !strings.EqualFold(got, want.value) {
		return fmt.Errorf("%w: its %s is %s instead of %s", ErrDigest, want.algorithm, got, strings.ToLower(want.value))
	}
	return nil
}

// plainName makes SHA-1, sha1 and SHA1 the same.
func plainName(algorithm string) string {
	return strings.ToUpper(strings.ReplaceAll(algorithm, "-", ""))
}

// Download reads what a GET of this chain answers and writes it to w: files and images, whose answers carry no signature;
// overseas statements, which are signed through a digest in the header; and any other answer, verified as usual. It holds
// no more than a buffer in memory, whatever the size. For a download_url as an answer gives it use [Client.Fetch], and
// [Chain.Bill] for the whole of a bill.
//
// w is [ToFile], or any writer. A plain writer gets the bytes while they arrive, and what is wrong with them may show only
// at the end: then the error, a [*CallError] with a [*DownloadError] inside, tells how many are out. (A statement's signature
// is verified before the first byte, its content by the last.)
//
// A download that breaks off is begun again, as often as [WithAttempts] allows, while no byte has gone to a plain writer;
// the platform cannot resume. It may take as long as it must, but ends when it stands still; see [WithTimeout].
func (c Chain) Download(ctx context.Context, w io.Writer, options ...DownloadOption) (*DownloadResult, error) {
	f, err := c.prepare(ctx, http.MethodGet, nil)
	if err != nil {
		return nil, err
	}
	f.Stream = true
	return f.download(ctx, w, options)
}

// download is the whole of a download to w.
func (f *flight) download(ctx context.Context, w io.Writer, options []DownloadOption) (*DownloadResult, error) {
	d, err := newDownload(options)
	if err != nil {
		return nil, f.error(StageBuild, NotSent, err)
	}
	dst, err := newDestination(w)
	if err != nil {
		return nil, f.error(StageBuild, NotSent, err)
	}
	defer dst.abandon()
	got, err := f.fetch(ctx, dst, d)
	if err == nil {
		err = f.commit(dst)
	}
	if err != nil {
		return nil, err
	}
	return got, nil
}

// commit makes a destination final.
func (f *flight) commit(dst destination) error {
	if err := dst.commit(); err != nil {
		return f.error(StageDownload, Unknown, &DownloadError{Err: unwritable(err)})
	}
	return nil
}

// destination is where content goes.
type destination interface {
	io.Writer
	released() int64 // bytes that are in somebody's hands
	rewind() bool    // takes everything back, and reports whether that was possible
	finish() error   // all has arrived: is it right, as far as the destination knows?
	commit() error
	abandon() // does nothing after commit
}

func newDestination(w io.Writer) (destination, error) {
	switch w := w.(type) {
	case nil:
		return nil, errors.New("the destination is nil: give a writer, or ToFile")
	case Target:
		return w.begin()
	}
	return &plainWriter{w: w}, nil
}

// plainWriter is a destination that cannot take back.
type plainWriter struct {
	w   io.Writer
	out int64
}

func (p *plainWriter) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	p.out += int64(n)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return n, fault.Outside(err)
}

func (p *plainWriter) released() int64 { return p.out }
func (p *plainWriter) rewind() bool    { return p.out == 0 }
func (p *plainWriter) finish() error   { return nil }
func (p *plainWriter) commit() error   { return nil }
func (p *plainWriter) abandon()        {}

// fetch brings the content of f to dst, beginning again where that is possible.
func (f *flight) fetch(ctx context.Context, dst destination, d *download) (*DownloadResult, error) {
	f.Vouched = f.Vouched || f.linked && d.want != (digest{})
	for n := 1; ; n++ {
		got, err := f.receive(ctx, dst, d)
		var broken *DownloadError
		if err == nil || !errors.As(err, &broken) || !broken.passing || n >= f.client.attempts || !dst.rewind() || !wait(ctx, restartPause<<(n-1)) {
			return got, err
		}
	}
}

// receive is one try of fetch.
func (f *flight) receive(ctx context.Context, dst destination, d *download) (*DownloadResult, error) {
	res, end, err := f.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	got := &DownloadResult{Header: res.Header, RequestID: first(res.Header, apiv3.HeaderRequestID), Verified: f.Verified || d.want != digest{}}
	failure := d.copy(res, dst, got)
	if failure == nil {
		if err := dst.finish(); err != nil {
			failure = &DownloadError{Err: err, passing: true}
		}
	}
	if failure != nil {
		failure.Written = dst.released()
		return nil, f.error(StageDownload, Unknown, failure)
	}
	return got, nil
}

// begin sends f and returns the answer when its header is there. end has to be called when the body is done with.
func (f *flight) begin(ctx context.Context) (res *http.Response, end func(), err error) {
	f.Deadline = time.Now().Add(f.Limits.Total)
	ctx, cancel := context.WithCancelCause(ctx)
	// The attempts keep the deadline by themselves; this is for whoever waits besides them.
	timer := time.AfterFunc(f.Limits.Total, func() { cancel(f.Limits.TotalErr) })
	defer func() {
		timer.Stop()
		if err != nil {
			cancel(nil)
		}
	}()
	if ctx.Err() != nil {
		return nil, nil, f.error(StageSend, f.Outcome(), fault.Cause(ctx))
	}
	if err := f.client.keys.Ready(ctx); err != nil {
		return nil, nil, f.error(StageKeys, f.Outcome(), err)
	}
	res, err = f.head(ctx)
	if err != nil && f.renew(ctx, err) {
		res, err = f.head(ctx)
	}
	if err != nil {
		return nil, nil, err
	}
	return res, func() { _ = res.Body.Close(); cancel(nil) }, nil
}

// head sends f and reads an answer that is not a success.
func (f *flight) head(ctx context.Context) (*http.Response, error) {
	res, err := f.client.pipeline.RoundTrip(f.request(ctx))
	if f.linked && errors.Is(err, apiv3.ErrUnsigned) {
		err = fmt.Errorf("%w; this path is not one whose answers are known to be unsigned: pass the Digest that came with the link", err)
	}
	if err != nil {
		return nil, f.sendFailed(err)
	}
	if res.StatusCode == http.StatusOK {
		return res, nil
	}
	if res.StatusCode > 200 && res.StatusCode < 300 {
		_ = res.Body.Close()
		return nil, f.error(StageDownload, Unknown, &DownloadError{Err: fmt.Errorf("the answer has status %d, which is no file", res.StatusCode)})
	}
	raw, text, err := middleware.ReadBody(res)
	if err != nil {
		return nil, f.error(StageSend, f.Outcome(), err)
	}
	return nil, f.refusal(newAPIError(f, newResponse(f, res, raw, text), f.client.clock()))
}

// refusal explains what refusals of links mean.
func (f *flight) refusal(e *APIError) *APIError {
	switch {
	case !f.linked || e.Hint != "":
	case e.Status == http.StatusBadRequest && e.Code == wxcode.InvalidRequest:
		e.Hint = "a download link lives for half a minute: ask for a new one and download at once"
	case e.Status == http.StatusForbidden && e.Code == wxcode.NoAuth:
		e.Hint = "the link belongs to another merchant: download with the client that got it"
	}
	return e
}

// copy passes the body of res to dst, unpacked and checked, and counts in got. Its error has yet to learn what is out.
func (d *download) copy(res *http.Response, dst io.Writer, got *DownloadResult) *DownloadError {
	sum, err := d.hash(d.want)
	if err != nil {
		return &DownloadError{Err: err}
	}
	demanded, err := d.hash(d.demanded)
	if err != nil {
		return &DownloadError{Err: err}
	}
	body := d.counted(res, &got.Received)
	if d.raw {
		body, dst = io.TeeReader(body, dst), io.Discard
	}
	if d.gunzip || strings.EqualFold(res.Header.Get("Content-Encoding"), "gzip") {
		if body, err = gunzip(body); err != nil {
			return unreadable(err)
		}
	}
	if failure := d.pass(dst, body, got, sum, demanded); failure != nil {
		return failure
	}
	if err := d.want.check(sum); err != nil {
		return &DownloadError{Err: err, passing: true}
	}
	if err := d.demanded.check(demanded); err != nil {
		return &DownloadError{Err: err} // it is what the platform announced
	}
	if sum != nil {
		got.DigestOf = "plain"
	}
	return nil
}

// pass copies plain text to dst and to the sums that are not nil, within the limits.
func (d *download) pass(dst io.Writer, plain io.Reader, got *DownloadResult, sums ...hash.Hash) *DownloadError {
	buffer := make([]byte, copyBuffer)
	for {
		n, err := plain.Read(buffer)
		if n > 0 {
			got.Size += int64(n)
			switch {
			case got.Size > d.most-d.spent:
				return &DownloadError{Err: d.tooLarge()}
			case got.Size > bombSize && got.Size/bombRatio > got.Received:
				return &DownloadError{Err: fmt.Errorf("%w: %d compressed bytes expand to more than %d times their size", ErrTooLarge, got.Received, bombRatio)}
			}
			for _, sum := range sums {
				if sum != nil {
					sum.Write(buffer[:n])
				}
			}
			if _, err := dst.Write(buffer[:n]); err != nil {
				return &DownloadError{Err: unwritable(err)}
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return unreadable(err)
		}
	}
}

func (d *download) tooLarge() error {
	return fmt.Errorf("%w of %d bytes (MaxSize raises it)", ErrTooLarge, d.most)
}

// counted counts what is read from the body of res.
func (d *download) counted(res *http.Response, received *int64) io.Reader {
	*received = 0
	return &countingReader{res.Body, received, res.ContentLength, d.progress}
}

type countingReader struct {
	io.Reader
	count  *int64
	total  int64
	report func(received, total int64)
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	*r.count += int64(n)
	if r.report != nil {
		r.report(*r.count, r.total)
	}
	return n, err
}

// gunzip expands r if it begins as gzip does, and returns it as it is otherwise.
func gunzip(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReaderSize(r, copyBuffer)
	if magic, _ := buffered.Peek(len(gzipMagic)); string(magic) != gzipMagic {
		return buffered, nil
	}
	return gzip.NewReader(buffered)
}

// unreadable is the error of content that cannot be read. Another try may bring it, unless the caller ended this one.
func unreadable(err error) *DownloadError {
	if errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, ErrTruncated) {
		err = fmt.Errorf("%w: %w", ErrTruncated, err)
	}
	return &DownloadError{Err: err, passing: !errors.Is(err, context.Canceled) && !errors.As(err, new(*spillError))}
}

func unwritable(err error) error {
	return fmt.Errorf("the destination cannot be written: %w", pathless(err))
}
