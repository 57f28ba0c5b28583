package middleware

import (
	"bytes"
	"context"
	"io"
	"net/http"
)

// SetStream sets a replayable body of req: size bytes of the reader that open opens at the first
// read. The signature covers signed. A stuck read must end with the context of the attempt that
// open receives, or the attempt never ends. The attempt's limit does not apply; TimeLimits.Still
// bounds each stall, and the wait for the response's header.
func (c *Call) SetStream(req *http.Request, size int64, signed []byte, open func(context.Context) (io.ReadCloser, error)) {
	c.streaming = new(streaming)
	req.GetBody = func() (io.ReadCloser, error) { return &lazyBody{open: open, streaming: c.streaming}, nil }
	req.Body, req.ContentLength = &lazyBody{open: open, streaming: c.streaming}, size
	c.body, c.signed = req.Body, signed
}

// lazyBody opens its reader at the first read.
type lazyBody struct {
	open      func(context.Context) (io.ReadCloser, error)
	streaming *streaming
	body      io.ReadCloser
	err       error
}

func (b *lazyBody) Read(p []byte) (int, error) {
	ctx := b.streaming.read()
	if b.body == nil && b.err == nil {
		b.body, b.err = b.open(ctx)
	}
	if b.err != nil {
		return 0, b.err
	}
	return b.body.Read(p)
}

func (b *lazyBody) Close() error {
	if b.body == nil {
		return nil
	}
	return b.body.Close()
}

// SetBody sets a replayable body of req. The signature covers signed, which is the body itself
// except for uploads.
func (c *Call) SetBody(req *http.Request, body, signed []byte) {
	// net/http sends headers and a body of this very type in one write; any type of our own would
	// cost a second one.
	reader := &c.reader
	if c.body != nil { // who sent the body before may still read it
		reader = new(bytes.Reader)
	}
	reader.Reset(body)
	req.Body = io.NopCloser(reader)
	req.ContentLength = int64(len(body))
	c.body, c.signed = req.Body, signed
	req.GetBody = func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(body)), nil
	}
}
