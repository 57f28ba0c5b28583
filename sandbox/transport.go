package sandbox

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
)

// Transport returns a round tripper that calls the sandbox in process, without sockets, whatever host a request names.
// It treats requests as net/http's own transport and server would: the request target is the text that would stand on
// the request line, a malformed request is refused, the body is always closed, and a request whose context ends is
// given up. It works in a testing/synctest bubble. It is safe for concurrent use.
func (s *Sandbox) Transport() http.RoundTripper { return roundTripper{s, s.wire} }

// roundTripper calls a handler in process.
type roundTripper struct {
	handler http.Handler
	clock   func() time.Time // of the header Date
}

// RoundTrip implements http.RoundTripper.
func (t roundTripper) RoundTrip(request *http.Request) (*http.Response, error) {
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
	done := make(chan *recorder, 1)
	go func() {
		defer cancel()
		w := &recorder{header: make(http.Header, 16)}
		if arrived.URL == nil {
			w.badRequest()
		} else {
			t.handler.ServeHTTP(w, arrived)
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
		w.header.Set("Date", t.clock().UTC().Format(http.TimeFormat))
		return w.response(request), nil
	case <-request.Context().Done():
		cancel()
		body.Close() // releases a handler that waits for it
		return nil, context.Cause(request.Context())
	}
}

// arrive returns the request as a server sees it, without its body. The URL is nil if a server could not read the
// target. The error is one that net/http's transport would return before sending.
func arrive(request *http.Request) (*http.Request, error) {
	switch {
	case request.URL == nil:
		return nil, errors.New("sandbox: the request has no URL")
	case request.URL.Scheme != "http" && request.URL.Scheme != "https":
		return nil, fmt.Errorf("sandbox: unsupported scheme %q", request.URL.Scheme)
	case request.URL.Host == "":
		return nil, errors.New("sandbox: the URL of the request has no host")
	case strings.ContainsFunc(request.Method, func(r rune) bool { return !isToken(r) }):
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
		if name == "" || strings.ContainsFunc(name, func(r rune) bool { return !isToken(r) }) {
			return nil, fmt.Errorf("sandbox: the header name %q is malformed", name)
		}
		for _, value := range values {
			if strings.ContainsFunc(value, func(r rune) bool { return (r < ' ' && r != '\t') || r == 0x7f }) {
				return nil, fmt.Errorf("sandbox: the value of the header %s has a control character", name)
			}
			arrived.Header.Add(name, textproto.TrimString(value))
		}
	}
	// What net/http writes itself it does not take from the map.
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

// isToken reports whether r may stand in a method or a header name (RFC 9110, section 5.6.2).
func isToken(r rune) bool {
	return strings.ContainsRune("!#$%&'*+-.^_`|~"+alphanumeric, r)
}

// sentBody is the body of a request on its way: it is closed once, and must be as long as the request says.
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

// recorder keeps what a handler writes.
type recorder struct {
	header http.Header
	status int // 0 until it is written
	body   bytes.Buffer

	stream io.Reader // in place of body, read when the client reads; nil for none
	size   int64     // of stream; -1 if not known
	paced  *slowBody // stream, if that comes in pieces
	failed error     // a fault: there is no answer, and this is why
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status, w.header = status, w.header.Clone() // later changes of the handler's map have no effect
	}
}

func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// badRequest is net/http's answer to a request line that it cannot read.
func (w *recorder) badRequest() {
	w.header.Set("Content-Type", "text/plain; charset=utf-8")
	w.header.Set("Connection", "close")
	w.WriteHeader(http.StatusBadRequest)
	io.WriteString(w, "400 Bad Request")
}

// response returns what a client would have received.
func (w *recorder) response(request *http.Request) *http.Response {
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
	case w.paced != nil:
		w.paced.ctx = request.Context()
		r.Body = w.paced
	case w.stream != nil:
		r.Body = &streamBody{ctx: request.Context(), body: body}
	default:
		r.Body = io.NopCloser(body)
	}
	return r
}

// streamBody is the body of an answer that is made while it is read.
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
