package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Transport returns a round tripper that calls the sandbox in process, without sockets, whatever host a request names.
// It treats requests as net/http's own transport and server would: the request target is the text that would stand on
// the request line, the body is closed always, a request whose context ends is given up. It works in a testing/synctest
// bubble. It is safe for concurrent use.
func (s *Sandbox) Transport() http.RoundTripper { return roundTripper{s} }

type roundTripper struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (t roundTripper) RoundTrip(request *http.Request) (*http.Response, error) {
	arrived, err := arrive(request)
	if err != nil {
		closeBody(request)
		return nil, err
	}
	ctx := request.Context()
	if ctx.Err() != nil {
		closeBody(request)
		return nil, context.Cause(ctx)
	}
	ctx, cancel := context.WithCancel(ctx) // a server's context ends with its handler
	arrived = arrived.WithContext(ctx)
	done := make(chan *recorder, 1)
	go func() {
		defer cancel()
		w := &recorder{header: make(http.Header, 16)}
		defer func() {
			if p := recover(); p != nil {
				if p != http.ErrAbortHandler {
					panic(p)
				}
				w = nil
			}
			closeBody(request)
			done <- w
		}()
		if target := arrived.RequestURI; strings.ContainsAny(target, " \t") || arrived.URL == nil {
			w.badRequest()
			return
		}
		t.handler.ServeHTTP(w, arrived)
	}()
	select {
	case w := <-done:
		if w == nil {
			return nil, io.ErrUnexpectedEOF // the handler cut the connection
		}
		return w.response(request), nil
	case <-request.Context().Done():
		closeBody(request) // releases a handler that waits for it
		return nil, context.Cause(request.Context())
	}
}

// arrive returns the request as a server would see it. Its URL is nil if the server could not read the target.
func arrive(request *http.Request) (*http.Request, error) {
	switch {
	case request.URL == nil:
		return nil, errors.New("sandbox: the request has no URL")
	case request.URL.Scheme != "http" && request.URL.Scheme != "https":
		return nil, fmt.Errorf("sandbox: unsupported scheme %q", request.URL.Scheme)
	case request.URL.Host == "":
		return nil, errors.New("sandbox: the URL of the request has no host")
	}
	target := request.URL.RequestURI()
	if strings.ContainsFunc(target, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, errors.New("sandbox: the request target has a control character")
	}
	arrived := &http.Request{
		Method: request.Method, RequestURI: target, Host: request.Host, Header: request.Header.Clone(),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Close: request.Close,
		Body: http.NoBody, RemoteAddr: "127.0.0.1:0",
	}
	if arrived.Method == "" {
		arrived.Method = http.MethodGet
	}
	if arrived.Host == "" {
		arrived.Host = request.URL.Host
	}
	if arrived.Header == nil {
		arrived.Header = make(http.Header)
	}
	if request.Body != nil && request.Body != http.NoBody {
		arrived.Body, arrived.ContentLength = request.Body, request.ContentLength
		if arrived.ContentLength == 0 {
			arrived.ContentLength = -1 // a body of unknown length
		}
	}
	switch agent, ok := arrived.Header["User-Agent"]; {
	case !ok:
		arrived.Header["User-Agent"] = []string{"Go-http-client/1.1"} // net/http's own
	case len(agent) == 0 || agent[0] == "":
		delete(arrived.Header, "User-Agent")
	}
	arrived.URL, _ = url.ParseRequestURI(target)
	return arrived, nil
}

func closeBody(request *http.Request) {
	if request.Body != nil {
		request.Body.Close()
	}
}

// recorder keeps what a handler writes.
type recorder struct {
	header http.Header
	sent   http.Header // header as it was when the status was written
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.sent == nil {
		w.status, w.sent = status, w.header.Clone()
	}
}

func (w *recorder) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.status == http.StatusNoContent || w.status == http.StatusNotModified {
		return 0, http.ErrBodyNotAllowed
	}
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
	w.WriteHeader(http.StatusOK)
	r := &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, ContentLength: int64(w.body.Len()), Request: request, Body: http.NoBody,
	}
	if w.status != http.StatusNoContent && w.status != http.StatusNotModified {
		r.Header["Content-Length"] = []string{strconv.Itoa(w.body.Len())}
	}
	if w.body.Len() > 0 && request.Method != http.MethodHead {
		r.Body = io.NopCloser(bytes.NewReader(w.body.Bytes()))
	}
	return r
}
