// Package inprocess calls an http.Handler without sockets, as net/http's transport and server would
// together.
package inprocess

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Transport calls a handler in process.
type Transport struct {
	Handler http.Handler
	Clock   func() time.Time // of the header Date
}

// RoundTrip implements http.RoundTripper.
func (t Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	body := &sentBody{body: request.Body, length: request.ContentLength}
	arrived, err := arrive(request)
	if err == nil && request.Context().Err() != nil {
		err = context.Cause(request.Context())
	}
	if err != nil {
		body.Close()
		return nil, err
	}
	if body.body != nil && body.body != http.NoBody {
		if body.length == 0 {
			body.length = -1 // as net/http reads it: there is a body, and its length is not known
		}
		arrived.Body, arrived.ContentLength = body, body.length
	}
	ctx, cancel := context.WithCancel(context.Background()) // the server's side, which knows nothing of the client's
	arrived = arrived.WithContext(ctx)
	done := make(chan *Recorder, 1)
	go func() {
		defer cancel()
		w := NewRecorder()
		if arrived.URL == nil {
			w.badRequest()
		} else {
			t.Handler.ServeHTTP(w, arrived)
			w.WriteHeader(http.StatusOK) // unless it did itself
		}
		body.Close()
		done <- w
	}()
	select {
	case w := <-done:
		if body.failed != nil {
			return nil, body.failed
		}
		if w.failed != nil {
			return nil, w.failed
		}
		w.header.Set("Date", t.Clock().UTC().Format(http.TimeFormat))
		return w.response(request), nil
	case <-request.Context().Done():
		cancel()
		body.Close() // releases a handler that waits for it
		return nil, context.Cause(request.Context())
	}
}

// arrive returns the request as a server sees it, without its body. The URL is nil if a server
// could not read the target. The error is one that net/http's transport would return before
// sending.
func arrive(request *http.Request) (*http.Request, error) {
	switch {
	case request.URL == nil:
		return nil, errors.New("sandbox: the request has no URL")
	case request.URL.Scheme != "http" && request.URL.Scheme != "https":
		return nil, fmt.Errorf("sandbox: unsupported scheme %q", request.URL.Scheme)
	case request.URL.Host == "":
		return nil, errors.New("sandbox: the URL of the request has no host")
	case !say.IsToken(request.Method):
		return nil, errors.New("sandbox: the request's method is malformed")
	}
	target := request.URL.RequestURI()
	if strings.ContainsFunc(target, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, errors.New("sandbox: the request target has a control character")
	}
	arrived := &http.Request{
		Method: request.Method, RequestURI: target, Host: request.Host, Header: make(http.Header, len(request.Header)+2),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Close: request.Close,
		Body: http.NoBody, RemoteAddr: "127.0.0.1:0",
	}
	if arrived.Method == "" {
		arrived.Method = http.MethodGet
	}
	if request.URL.Scheme == "https" {
		arrived.TLS = &tls.ConnectionState{} // there is none, but the client believes so
	}
	if arrived.Host == "" {
		arrived.Host = request.URL.Host
	}
	for name, values := range request.Header {
		if name == "" || !say.IsToken(name) {
			return nil, fmt.Errorf("sandbox: the header name %q is malformed", name)
		}
		for _, value := range values {
			if strings.ContainsFunc(value, func(r rune) bool { return (r < ' ' && r != '\t') || r == 0x7f }) {
				return nil, fmt.Errorf("sandbox: the value of the header %s has a control character", name)
			}
			arrived.Header.Add(name, textproto.TrimString(value))
		}
	}
	// net/http does not take from the map the headers that it writes itself.
	for _, name := range [...]string{"Host", "Transfer-Encoding", "Trailer", "Content-Length"} {
		delete(arrived.Header, name)
	}
	if request.Close {
		arrived.Header.Set("Connection", "close")
	}
	switch {
	case request.Body != nil && request.Body != http.NoBody:
		if request.ContentLength > 0 {
			arrived.Header.Set("Content-Length", strconv.FormatInt(request.ContentLength, 10))
		}
	case arrived.Method == http.MethodPost || arrived.Method == http.MethodPut || arrived.Method == http.MethodPatch:
		arrived.Header.Set("Content-Length", "0")
	}
	switch agent, ok := request.Header["User-Agent"]; {
	case !ok:
		arrived.Header.Set("User-Agent", "Go-http-client/1.1") // net/http's own
	case len(agent) == 0 || agent[0] == "":
		delete(arrived.Header, "User-Agent")
	default:
		arrived.Header["User-Agent"] = arrived.Header["User-Agent"][:1]
	}
	if !strings.Contains(target, " ") {
		arrived.URL, _ = url.ParseRequestURI(target)
	}
	return arrived, nil
}

// sentBody is the body of a request on its way: it is closed once, and must be as long as the
// request says.
type sentBody struct {
	body   io.ReadCloser // nil for none
	length int64         // -1 if not known
	read   int64
	failed error // what net/http's transport would have reported to the client; read after the handler has ended
	once   sync.Once
}

func (b *sentBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	b.read += int64(n)
	switch {
	case b.length >= 0 && (b.read > b.length || (err == io.EOF && b.read < b.length)):
		b.failed = fmt.Errorf("sandbox: ContentLength is %d, and the body has another length", b.length)
	case err != nil && err != io.EOF:
		b.failed = err
	}
	if b.failed != nil {
		return n, b.failed
	}
	return n, err
}

func (b *sentBody) Close() error {
	b.once.Do(func() {
		if b.body != nil {
			b.body.Close()
		}
	})
	return nil
}

// Recorder keeps what a handler writes.
type Recorder struct {
	header http.Header
	status int // 0 until it is written
	body   bytes.Buffer

	stream io.Reader // in place of body, read when the client reads; nil for none
	size   int64     // of stream; -1 if not known
	failed error     // a fault: there is no response, and this is why
}

// NewRecorder returns an empty recorder.
func NewRecorder() *Recorder { return &Recorder{header: make(http.Header, 16)} }

// Header implements http.ResponseWriter.
func (w *Recorder) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *Recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status, w.header = status, w.header.Clone() // later changes of the handler's map have no effect
	}
}

// Write implements http.ResponseWriter.
func (w *Recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// Fail is in place of a response: the error that the client gets.
func (w *Recorder) Fail(err error) { w.failed = err }

// Stream sets a body that is read when the client reads it. A size of -1 is not known. If the body
// has the method ReadFor, that is told the context of the reader.
func (w *Recorder) Stream(body io.Reader, size int64) { w.stream, w.size = body, size }

// badRequest is net/http's answer to a request line that it cannot read.
func (w *Recorder) badRequest() {
	w.header.Set("Content-Type", "text/plain; charset=utf-8")
	w.header.Set("Connection", "close")
	w.WriteHeader(http.StatusBadRequest)
	io.WriteString(w, "400 Bad Request")
}

// response returns what a client would have received.
func (w *Recorder) response(request *http.Request) *http.Response {
	body, size := w.stream, w.size
	if body == nil {
		body, size = bytes.NewReader(w.body.Bytes()), int64(w.body.Len())
	}
	r := &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, ContentLength: size, Request: request, Body: http.NoBody,
	}
	if size < 0 {
		r.TransferEncoding = []string{"chunked"}
	} else if w.status != http.StatusNoContent {
		r.Header.Set("Content-Length", strconv.FormatInt(size, 10))
	}
	switch {
	case size == 0 || request.Method == http.MethodHead:
	case w.stream != nil:
		if paced, ok := body.(interface {
			ReadFor(context.Context) io.ReadCloser
		}); ok {
			r.Body = paced.ReadFor(request.Context())
			break
		}
		r.Body = &streamBody{ctx: request.Context(), body: body}
	default:
		r.Body = io.NopCloser(body)
	}
	return r
}

// streamBody is the body of a response that is made while it is read.
type streamBody struct {
	ctx    context.Context // of the client's request
	body   io.Reader
	closed bool
}

func (b *streamBody) Read(p []byte) (int, error) {
	switch {
	case b.closed:
		return 0, http.ErrBodyReadAfterClose
	case b.ctx.Err() != nil:
		return 0, context.Cause(b.ctx)
	}
	return b.body.Read(p)
}

func (b *streamBody) Close() error {
	b.closed = true
	return nil
}

// guarded ends the connection when the handler panics, as net/http's server does.
type guarded struct{ http.Handler }

// Guard returns the handler with panics turned into errors of the client.
func Guard(handler http.Handler) http.Handler { return guarded{handler} }

func (g guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if v := recover(); v != nil {
			w.(*Recorder).Fail(fmt.Errorf("the receiver panicked: %v", v))
		}
	}()
	g.Handler.ServeHTTP(w, r)
}
