package transport

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"
)

// gate is a connection that passes on exactly the requested response. Further bytes, or bytes
// without a request, end the connection unseen. Else net/http would write their beginning to the
// global logger of package log, body and signature included, and has no switch for that. The next
// request gets a new connection.
//
// It is above TLS, so it is absent behind a proxy, where net/http makes the TLS itself.
type gate struct {
	net.Conn
	tls *tls.ConnectionState // nil for plain HTTP

	mu      sync.Mutex
	used    bool // something was written
	open    bool // not HTTP as this knows it: everything passes
	awaited bool // a request was written whose answer is not complete
	shut    bool // something came that nobody asked for
	answer  framing
}

var errShut = errors.New("the connection brought what nobody asked for, and was closed")

func (g *gate) Read(p []byte) (int, error) {
	if g.surplus() {
		return 0, io.EOF
	}
	n, err := g.Conn.Read(p)
	if n == 0 {
		return n, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.open:
		return n, err
	case !g.awaited:
		g.shut = true
		_ = g.Conn.Close()
		return 0, io.EOF // as if the other side had closed it
	}
	taken := g.answer.take(p[:n])
	switch g.answer.at {
	case unframed:
		g.open = true
		return n, err
	case complete:
		g.awaited = false
		if taken < n {
			g.shut, err = true, nil
		}
	}
	return taken, err
}

// surplus closes a connection with bytes after the response, and reports them.
func (g *gate) surplus() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		_ = g.Conn.Close()
	}
	return g.shut
}

// Write starts to expect a response when it writes the beginning of a request. It writes nothing on
// a closed connection, so that net/http uses another one.
func (g *gate) Write(p []byte) (int, error) {
	g.mu.Lock()
	request := beginsRequest(p)
	switch {
	case g.shut:
		g.mu.Unlock()
		return 0, errShut
	case g.open, g.awaited:
	case bytes.HasPrefix(p, []byte("CONNECT ")) || !request && !g.used: // a proxy's connection, on which something else begins
		g.open = true
	case request:
		g.awaited, g.answer = true, framing{bodiless: bytes.HasPrefix(p, []byte("HEAD "))}
	}
	g.used = true
	g.mu.Unlock()
	return g.Conn.Write(p)
}

// beginsRequest reports whether p begins with a method and a blank.
func beginsRequest(p []byte) bool {
	for i, c := range p[:min(len(p), 32)] {
		switch {
		case c == ' ':
			return i > 0
		case c < ' ' || c > '~' || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0:
			return false
		}
	}
	return false
}

// dialer makes the connections of a Transport.
type dialer struct {
	net.Dialer
	config    *tls.Config
	handshake time.Duration
}

func (d *dialer) plain(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &gate{Conn: conn}, nil
}

var errHandshake = errors.New("the TLS handshake took too long")

// secure makes the TLS that net/http makes by itself for its own connections.
func (d *dialer) secure(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	config := d.config.Clone()
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(address)
	}
	trace := httptrace.ContextClientTrace(ctx)
	if trace != nil && trace.TLSHandshakeStart != nil {
		trace.TLSHandshakeStart()
	}
	bounded, stop := context.WithTimeoutCause(ctx, d.handshake, errHandshake)
	defer stop()
	secured := tls.Client(conn, config)
	if err = secured.HandshakeContext(bounded); err != nil && ctx.Err() == nil && bounded.Err() != nil {
		err = errHandshake
	}
	state := secured.ConnectionState()
	if trace != nil && trace.TLSHandshakeDone != nil {
		trace.TLSHandshakeDone(state, err)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &gate{Conn: secured, tls: &state}, nil
}
