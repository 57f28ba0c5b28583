// Package transport is the last hop: a connection pool tuned for one gateway, with its timeouts and
// limits.
//
// It knows nothing of signatures, JSON or money: it follows the contract of http.RoundTripper. A
// client makes one by default. Give the client another RoundTripper (WithTransport) for another
// route, with [New] as its last hop if the route ends in this process.
//
// An unrequested response ends its connection unread; net/http alone would write its beginning to
// the global logger, and still does so behind a proxy.
//
// It is safe for concurrent use, follows no redirect, never decompresses, and speaks HTTP/1.1 as
// the platform does. Its figures come from observed responses (Keep-Alive: timeout=8, HTTP/1.1
// only, TLS 1.2), checked in September 2026.
//
// Guide: docs/security.md tells what the connection is trusted with.
package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/wxpay-go/wxpay/internal/fault"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/visible"
)

// Config configures a Transport. The zero value of each field means its default.
type Config struct {
	// DialTimeout bounds the TCP connection. Default 5 s.
	DialTimeout time.Duration
	// HandshakeTimeout bounds the TLS handshake. Default 5 s.
	HandshakeTimeout time.Duration
	// HeaderTimeout bounds the wait for a response's header after the request is written. Default
	// 0: only the caller's deadline.
	HeaderTimeout time.Duration
	// IdleTimeout bounds the life of an unused connection. Default 7 s: the platform closes its
	// side after 8 s, and a connection reused later dies under the request.
	IdleTimeout time.Duration
	// IdleConns bounds the unused connections to a host. Default 256. Below the number of
	// concurrent calls, every burst pays for new handshakes.
	IdleConns int
	// MaxHeader bounds a response's header in bytes. Default 64 KiB.
	MaxHeader int64
	// Proxy chooses the proxy of a request. Default http.ProxyFromEnvironment.
	Proxy func(*http.Request) (*url.URL, error)
	// TLS is the client side of TLS. Default: the system's roots, TLS 1.2 or newer.
	TLS *tls.Config
	// Hosts serve the same resources, each as in a URL. A request to one of them goes to the next
	// if it gets no connection. Default: none, a request goes only to its own host. If one contains
	// a blank, an invisible or a non-ASCII character, every request fails.
	Hosts []string
}

// Transport is an http.RoundTripper over a pool of connections.
type Transport struct {
	pool    *http.Transport
	hosts   []string
	mistake error // in the configuration
}

var _ http.RoundTripper = (*Transport)(nil)

// New returns a transport. It opens no connection and starts no goroutine.
func New(c Config) *Transport {
	set(&c.DialTimeout, 5*time.Second)
	set(&c.HandshakeTimeout, 5*time.Second)
	set(&c.IdleTimeout, 7*time.Second)
	set(&c.IdleConns, 256)
	set(&c.MaxHeader, 64<<10)
	if c.Proxy == nil {
		c.Proxy = http.ProxyFromEnvironment
	}
	if c.TLS == nil {
		c.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	c.TLS = c.TLS.Clone()
	c.TLS.NextProtos = []string{"http/1.1"} // also behind a proxy
	var mistake error
	for _, host := range c.Hosts {
		if err := visible.Word(host); err != nil {
			mistake = fmt.Errorf("of the host %s, %w", redact.Quote(host), err)
		}
	}
	dial := &dialer{Dialer: net.Dialer{Timeout: c.DialTimeout, KeepAlive: 30 * time.Second}, config: c.TLS, handshake: c.HandshakeTimeout}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &Transport{mistake: mistake, hosts: slices.Clone(c.Hosts), pool: &http.Transport{
		DialContext:            dial.plain,
		DialTLSContext:         dial.secure,
		TLSHandshakeTimeout:    c.HandshakeTimeout, // behind a proxy
		ResponseHeaderTimeout:  c.HeaderTimeout,
		IdleConnTimeout:        c.IdleTimeout,
		MaxIdleConnsPerHost:    c.IdleConns,
		MaxResponseHeaderBytes: c.MaxHeader,
		Proxy:                  c.Proxy,
		TLSClientConfig:        c.TLS,
		Protocols:              protocols,
		DisableCompression:     true, // signatures cover the bytes on the wire
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, res *http.Response) error {
			if res.StatusCode != http.StatusOK {
				return &proxyError{res.StatusCode}
			}
			return nil
		},
	}}
}

func set[T int | int64 | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}

// UnsentError means that the request had no connection, so no byte of it was sent. A client trusts
// it from this package and from the round tripper of WithTransport, but from no middleware, limiter
// or reader.
type UnsentError struct {
	// Host is the host of the request, as in its URL; empty if it is not known.
	Host string
	// Proxy is the address of the proxy to it, host and port; empty for none.
	Proxy string
	Err   error
}

func (e *UnsentError) Error() string {
	if e.Host == "" {
		return "no connection: " + e.Err.Error()
	}
	return "no connection to " + way(e.Host, e.Proxy) + ": " + e.Err.Error() + hint(e.Err)
}

// Unwrap returns the cause. It comes from outside (a proxy's function, the context's cause), so
// errors.Is and errors.As find nothing of this module in it.
func (e *UnsentError) Unwrap() error { return fault.Outside(e.Err) }

// Unsent marks the promise for packages that do not import this one.
func (e *UnsentError) Unsent() bool { return true }

// SentError means that the exchange failed on a connection: the request may have arrived, whole or
// in part.
type SentError struct {
	// Host is the host of the connection, as in the request's URL.
	Host string
	// Proxy is the address of the proxy to it, host and port; empty for none.
	Proxy string
	Err   error
}

func (e *SentError) Error() string {
	if e.Host == "" || errors.Is(e.Err, context.Canceled) || errors.Is(e.Err, context.DeadlineExceeded) {
		return e.Err.Error()
	}
	return "the exchange with " + way(e.Host, e.Proxy) + " broke off: " + e.Err.Error()
}

// way names a host and the proxy to it.
func way(host, proxy string) string {
	if proxy == "" {
		return redact.Printable(host)
	}
	return redact.Printable(host) + " through the proxy " + redact.Printable(proxy)
}

// hint says what to do about the cause of a missing connection; empty if that is not known.
func hint(err error) string {
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var name *net.DNSError
	switch {
	case errors.As(err, &authority):
		return " (install the root certificates of this machine, in most systems the package ca-certificates, " +
			"and that of a proxy that inspects TLS)"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return " (check this machine's clock)"
	case errors.As(err, &name) && name.IsNotFound:
		return " (check the name, the name server of this machine and, behind a proxy, HTTPS_PROXY)"
	}
	return ""
}

// proxyError is a response of a proxy that makes no connection.
type proxyError struct{ status int }

func (e *proxyError) Error() string {
	text := fmt.Sprintf("the proxy answered %d %s", e.status, http.StatusText(e.status))
	if e.status == http.StatusProxyAuthRequired {
		text += " (give its user and password: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT)"
	}
	return text
}

// Unwrap returns the cause. It comes from outside (the reader of the body, the context's cause), so
// errors.Is and errors.As find nothing of this module in it.
func (e *SentError) Unwrap() error { return fault.Outside(e.Err) }

// ServedBy returns the host for packages that do not import this one.
func (e *SentError) ServedBy() string { return e.Host }

// RoundTrip sends req. A failure before the connection (name not found, refused, handshake failed,
// cancelled while dialling) is an *UnsentError. Any other error is a *SentError, and the request
// may have arrived. A request to one of Config.Hosts goes to the next of them if it gets no
// connection; the response's Request names the host.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if t.mistake != nil {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, &UnsentError{Err: t.mistake}
	}
	res, err := t.send(req)
	if len(t.hosts) == 0 || err == nil {
		return res, err
	}
	first := slices.Index(t.hosts, req.URL.Host)
	for i := 1; first >= 0 && i < len(t.hosts); i++ {
		var unsent *UnsentError
		if !errors.As(err, &unsent) || req.Context().Err() != nil {
			break
		}
		next := *req
		address := *req.URL
		address.Host = t.hosts[(first+i)%len(t.hosts)]
		next.URL, next.Host = &address, address.Host
		if req.Body != nil && req.Body != http.NoBody {
			if req.GetBody == nil {
				break
			}
			body, bodyErr := req.GetBody()
			if bodyErr != nil {
				break
			}
			next.Body = body
		}
		res, err = t.send(&next)
	}
	return res, err
}

func (t *Transport) send(req *http.Request) (*http.Response, error) {
	var had struct {
		asked      string // address of the host, or of the proxy to it
		connection atomic.Bool
		gate       atomic.Pointer[gate]
	}
	ctx := httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GetConn: func(address string) { had.asked = address },
		GotConn: func(info httptrace.GotConnInfo) {
			had.connection.Store(true)
			if g, ok := info.Conn.(*gate); ok {
				had.gate.Store(g)
			}
		},
	})
	res, err := t.pool.RoundTrip(sentOnce(req.WithContext(ctx)))
	if err != nil && !had.connection.Load() {
		return nil, &UnsentError{req.URL.Host, proxyAt(had.asked, req.URL), causeOf(ctx, err)}
	}
	if err != nil {
		return nil, &SentError{req.URL.Host, proxyAt(had.asked, req.URL), causeOf(ctx, err)}
	}
	if g := had.gate.Load(); g != nil && res.TLS == nil {
		res.TLS = g.tls
	}
	return res, nil
}

// proxyAt returns the address that was asked for a connection if it is not that of u itself.
func proxyAt(asked string, u *url.URL) string {
	if host, _, err := net.SplitHostPort(asked); err != nil || strings.EqualFold(host, u.Hostname()) && (u.Port() == "" || strings.HasSuffix(asked, ":"+u.Port())) {
		return ""
	}
	return asked
}

// repeatHeaders make net/http send a request again when its connection breaks before the response,
// although the request may have arrived (see http.Transport). net/http must not decide that.
var repeatHeaders = [...]string{"Idempotency-Key", "X-Idempotency-Key"}

// sentOnce returns the request with these header names in lower case, which mean the same to the
// other side and which net/http does not recognise. net/http repeats reads anyway.
func sentOnce(req *http.Request) *http.Request {
	copied := false
	for _, name := range repeatHeaders {
		if values, ok := req.Header[name]; ok {
			if !copied {
				req.Header, copied = req.Header.Clone(), true
			}
			delete(req.Header, name)
			req.Header[strings.ToLower(name)] = values
		}
	}
	return req
}

// causeOf prefers the context's cause to the error of net/http.
func causeOf(ctx context.Context, err error) error {
	if cause := fault.Cause(ctx); cause != nil {
		return cause
	}
	return fault.Outside(err)
}

// CloseIdleConnections closes the unused connections.
func (t *Transport) CloseIdleConnections() { t.pool.CloseIdleConnections() }
