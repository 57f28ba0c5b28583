package download

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/tempfile"
	"github.com/wxpay-go/wxpay/middleware"
)

const (
	// MaxSize is the default bound of content, in bytes.
	MaxSize = 64 << 30
	// BufferSize is the size in bytes of the pieces in which content is copied.
	BufferSize = 64 << 10

	bombRatio = 200      // of what a gzip file expands to; bills stay well below 50
	bombSize  = 64 << 20 // below which the ratio does not matter
	gzipMagic = "\x1f\x8b"
)

// Plan says how content is checked and unpacked.
type Plan struct {
	Want       Digest // of the content, by the word of the platform or of the caller
	Demanded   Digest // by the caller, besides Want
	Algorithms Algorithms
	MaxSize    int64 // bytes, after decompression
	Spent      int64 // bytes of MaxSize that came before
	Progress   func(received, total int64)
	Waiting    func(pause time.Duration)
	Patience   *time.Duration // bounds how long to wait for the platform; nil for no bound
	Raw        bool           // the destination takes the body as it is, and what is unpacked is checked only
	Encrypted  bool           // the body is not gzip, whatever it begins with
}

// Expecting is the plan for content with a digest of its own, if it has one. The digest that the
// caller demands must match as well.
func (p *Plan) Expecting(want Digest) *Plan {
	next := *p
	if want != (Digest{}) {
		next.Want, next.Demanded = want, p.Want
	}
	return &next
}

// Failure is why content is no good.
type Failure struct {
	Err     error
	Written int64 // bytes that are in somebody's hands
	Passing bool  // another try may bring the right content
}

func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap returns the reason.
func (f *Failure) Unwrap() error { return f.Err }

// Unreadable is the failure of content that cannot be read. Another try may bring it, unless the
// caller ended this one.
func Unreadable(err error) *Failure {
	if errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, middleware.ErrResponseTruncated) {
		err = fmt.Errorf("%w: %w", middleware.ErrResponseTruncated, err)
	}
	return &Failure{Err: err, Passing: !errors.Is(err, context.Canceled) && !errors.As(err, new(*tempfile.WriteError))}
}

// Unwritable is the failure of a destination.
func Unwritable(err error) *Failure {
	return &Failure{Err: fmt.Errorf("the destination cannot be written: %w", fault.WithoutPath(err))}
}

// TooLarge is the failure of content that is larger than MaxSize.
func (p *Plan) TooLarge() *Failure {
	return &Failure{Err: fmt.Errorf("%w of %d bytes (MaxSize raises it)", middleware.ErrResponseTooLarge, p.MaxSize)}
}

// Counts are how many bytes were copied.
type Counts struct {
	Size     int64 // after decompression
	Received int64 // over the wire
}

// Copy passes the body of res to dst, expanded and checked, and counts in got.
func (p *Plan) Copy(res *http.Response, dst io.Writer, got *Counts) *Failure {
	sum, err := p.Algorithms.New(p.Want)
	if err != nil {
		return &Failure{Err: err}
	}
	demanded, err := p.Algorithms.New(p.Demanded)
	if err != nil {
		return &Failure{Err: err}
	}
	var body io.Reader = &countingReader{res.Body, &got.Received, res.ContentLength, p.Progress}
	if p.Raw {
		body, dst = io.TeeReader(body, dst), io.Discard
	}
	if !p.Encrypted || strings.EqualFold(res.Header.Get("Content-Encoding"), "gzip") {
		if body, err = Expand(body); err != nil {
			return Unreadable(err)
		}
	}
	if failure := p.Pass(dst, body, got, sum, demanded); failure != nil {
		return failure
	}
	if err := p.Want.Check(sum); err != nil {
		return &Failure{Err: err, Passing: true}
	}
	if err := p.Demanded.Check(demanded); err != nil {
		return &Failure{Err: err} // it is what the platform announced
	}
	return nil
}

// Pass copies plain text to dst and to the sums that are not nil, within the bounds.
func (p *Plan) Pass(dst io.Writer, plain io.Reader, got *Counts, sums ...hash.Hash) *Failure {
	buffer := make([]byte, BufferSize)
	for {
		n, err := plain.Read(buffer)
		if n > 0 {
			got.Size += int64(n)
			switch {
			case got.Size > p.MaxSize-p.Spent:
				return p.TooLarge()
			case got.Size > bombSize && got.Size/bombRatio > got.Received:
				return &Failure{Err: fmt.Errorf("%w: %d compressed bytes expand to more than %d times their size",
					middleware.ErrResponseTooLarge, got.Received, bombRatio)}
			}
			for _, sum := range sums {
				if sum != nil {
					sum.Write(buffer[:n])
				}
			}
			if _, err := dst.Write(buffer[:n]); err != nil {
				return Unwritable(err)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return Unreadable(err)
		}
	}
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

// Expand expands r if it begins as gzip does, and returns it as it is otherwise.
func Expand(r io.Reader) (io.Reader, error) {
	buffered := bufio.NewReaderSize(r, BufferSize)
	if magic, _ := buffered.Peek(len(gzipMagic)); string(magic) != gzipMagic {
		return buffered, nil
	}
	return gzip.NewReader(buffered)
}
