package trouble

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/fault"
)

// slowPieces is the number of pieces of a slow body.
const slowPieces = 10

// unknownHalf stands for half of a body whose length is not known and beyond twice as much.
const unknownHalf = 32 << 10

// damaged returns the body as the kind changes it, its length, and where half of it is. A length of
// -1 is not known.
func damaged(k fault.Kind, body io.Reader, size int64) (io.Reader, int64, int64) {
	switch k {
	case fault.Truncate, fault.SlowBody, fault.FlipByte, fault.ShortFile:
	default:
		return body, size, 0
	}
	if size < 0 { // a short one is read to its end, for a fault that comes behind the end would be none
		var head bytes.Buffer
		if n, _ := io.CopyN(&head, body, 2*unknownHalf); n < 2*unknownHalf {
			body, size = &head, n
		} else {
			body = io.MultiReader(&head, body)
		}
	}
	half := int64(unknownHalf)
	if size >= 0 {
		half = size / 2
	}
	switch k {
	case fault.FlipByte:
		body = &flipBody{body: body, at: half}
	case fault.ShortFile:
		body, size = io.LimitReader(body, half), half
	}
	return body, size, half
}

// slowBody is a body that comes in pieces.
type slowBody struct {
	ctx    context.Context // of the one who reads
	body   io.Reader
	size   int64 // of a piece
	left   int64 // of the piece that has come
	rest   int64 // of the whole; negative if not known
	every  time.Duration
	once   sync.Once
	closed chan struct{}
}

func (b *slowBody) Read(p []byte) (int, error) {
	if b.rest == 0 {
		return 0, io.EOF
	}
	if b.left == 0 {
		timer := time.NewTimer(b.every)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-b.ctx.Done():
			return 0, context.Cause(b.ctx)
		case <-b.closed:
			return 0, http.ErrBodyReadAfterClose
		}
		b.left = b.size
	}
	n, err := b.body.Read(p[:min(b.left, int64(len(p)))])
	b.left, b.rest = b.left-int64(n), b.rest-int64(n)
	return n, err
}

// ReadFor is for a reader of its own, who may give up.
func (b *slowBody) ReadFor(ctx context.Context) io.ReadCloser {
	b.ctx = ctx
	return b
}

func (b *slowBody) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

// cutBody ends before the length that the response announced.
type cutBody struct{ rest io.Reader }

func (b *cutBody) Read(p []byte) (int, error) {
	n, err := b.rest.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// flipBody has one byte that is not as it was.
type flipBody struct {
	body io.Reader
	at   int64 // bytes until that one; negative behind it
}

func (b *flipBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if b.at >= 0 && b.at < int64(n) {
		p[b.at] ^= 1
	}
	b.at -= int64(n)
	return n, err
}
