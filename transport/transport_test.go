package transport_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wxpay-go/wxpay/transport"
)

func get(t *testing.T, ctx context.Context, rt http.RoundTripper, address string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	require.NoError(t, err)
	return rt.RoundTrip(req)
}

// listen answers each connection with serve and returns the address.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				serve(c)
			}()
		}
	}()
	return l.Addr().String()
}

// UnsentError is a promise about money: it may only be there when no connection was had.
func TestUnsent(t *testing.T) {
	const nobody = "127.0.0.1:1" // a port that is free might be another test's a moment later
	silent := listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	hangsUp := listen(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 4096)) })
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	tests := []struct {
		name, address string
		ctx           context.Context
		config        transport.Config
		unsent        bool
		is            error
	}{
		{"nobody listens", "http://" + nobody, context.Background(), transport.Config{}, true, nil},
		{"handshake never answered", "https://" + silent, context.Background(), transport.Config{HandshakeTimeout: 20 * time.Millisecond}, true, nil},
		{"hangs up in the handshake", "https://" + hangsUp, context.Background(), transport.Config{}, true, nil},
		{"cancelled before", "http://" + silent, cancelled, transport.Config{}, true, context.Canceled},
		{"the proxy cannot be chosen", "http://" + silent, context.Background(),
			transport.Config{Proxy: func(*http.Request) (*url.URL, error) { return nil, errors.New("no proxy") }}, true, nil},
		{"hangs up after the request", "http://" + hangsUp, context.Background(), transport.Config{}, false, nil},
		{"no header in time", "http://" + silent, context.Background(), transport.Config{HeaderTimeout: 20 * time.Millisecond}, false, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rt := transport.New(tt.config)
			defer rt.CloseIdleConnections()
			_, err := get(t, tt.ctx, rt, tt.address)
			require.Error(t, err)
			var unsent *transport.UnsentError
			assert.Equal(t, tt.unsent, errors.As(err, &unsent), err)
			if tt.is != nil {
				assert.ErrorIs(t, err, tt.is)
			}
		})
	}
}

// A reader that fails with what this package says of connections, such as one over HTTP, says nothing about this one.
func TestBodyThatFails(t *testing.T) {
	address := listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	rt := transport.New(transport.Config{})
	defer rt.CloseIdleConnections()
	own := errors.New("the disk is gone")
	for _, fails := range []error{&transport.UnsentError{Err: own}, &transport.SentError{Host: "elsewhere", Err: own},
		fmt.Errorf("reading: %w", &transport.UnsentError{Err: own})} {
		body := io.MultiReader(strings.NewReader("some"), iotest.ErrReader(fails))
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address, body)
		require.NoError(t, err)
		req.ContentLength = 100
		_, err = rt.RoundTrip(req)
		require.ErrorIs(t, err, own)
		assert.NotErrorAs(t, err, new(*transport.UnsentError))
		var sent *transport.SentError
		require.ErrorAs(t, err, &sent)
		assert.Equal(t, address, sent.Host)
		assert.NotErrorAs(t, sent.Err, &sent)
	}
}

func TestCancelledOnTheWay(t *testing.T) {
	arrived := make(chan struct{})
	address := listen(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4096))
		close(arrived)
		_, _ = io.Copy(io.Discard, c)
	})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-arrived
		cancel()
	}()
	rt := transport.New(transport.Config{})
	defer rt.CloseIdleConnections()
	_, err := get(t, ctx, rt, "http://"+address)
	require.ErrorIs(t, err, context.Canceled)
	var unsent *transport.UnsentError
	assert.False(t, errors.As(err, &unsent), "the request had a connection")
}

func TestWhatArrivesIsWhatWasSent(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Empty(t, r.Header.Get("Accept-Encoding"))
		assert.Equal(t, 1, r.ProtoMajor)
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "\x1f\x8bnot really")
		case "/header":
			w.Header().Set("X", strings.Repeat("x", 100<<10))
		default:
			t.Errorf("unexpected request of %s", r.URL.Path)
		}
	}))
	defer server.Close()
	rt := transport.New(transport.Config{})
	defer rt.CloseIdleConnections()
	ctx := context.Background()

	res, err := get(t, ctx, rt, server.URL+"/redirect")
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	assert.Equal(t, http.StatusFound, res.StatusCode)

	res, err = get(t, ctx, rt, server.URL+"/gzip")
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	assert.Equal(t, "\x1f\x8bnot really", string(body))

	_, err = get(t, ctx, rt, server.URL+"/header")
	require.Error(t, err)
	var unsent *transport.UnsentError
	assert.False(t, errors.As(err, &unsent))
}

// Unused connections are closed on this side, before the platform closes them under a request.
func TestIdleConnectionsAreClosed(t *testing.T) {
	closed := make(chan struct{}, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			closed <- struct{}{}
		}
	}
	server.Start()
	defer server.Close()
	res, err := get(t, context.Background(), transport.New(transport.Config{IdleTimeout: time.Millisecond}), server.URL)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	<-closed // for ever, if nobody closes it
}

// net/http would repeat a write with such a header by itself when the connection breaks before the
// response, after the write has arrived.
func TestWritesAreSentOnce(t *testing.T) {
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		arrived := make(chan string, 10)
		address := listen(t, func(c net.Conn) {
			r := bufio.NewReader(c)
			for {
				req, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				body, _ := io.ReadAll(req.Body)
				if req.Method == http.MethodPost {
					arrived <- req.Header.Get(name) + " " + string(body)
					return // it was carried out, and the connection breaks
				}
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			}
		})
		rt := transport.New(transport.Config{})
		res, err := get(t, t.Context(), rt, "http://"+address)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address, strings.NewReader("{}"))
		require.NoError(t, err)
		req.Header.Set(name, "k1")
		_, err = rt.RoundTrip(req)
		var sent *transport.SentError
		require.ErrorAs(t, err, &sent)
		assert.Equal(t, "k1", req.Header.Get(name), "the caller's request is left alone")
		var all []string
		for len(arrived) > 0 {
			all = append(all, <-arrived)
		}
		assert.Equal(t, []string{"k1 {}"}, all)
	}
}
