package sandbox

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/visible"
	"github.com/wxpay-go/wxpay/sandbox/internal/keyring"
)

// idleTimeout is how long the gateway keeps an idle connection open; it announces it as Keep-Alive:
// timeout=8.
const idleTimeout = 8 * time.Second

// headerTimeout bounds reading the headers of a request, so that a stuck client does not hold a
// connection for ever.
const headerTimeout = 30 * time.Second

// maxHeaderBytes bounds the headers of a request, which the journal keeps.
const maxHeaderBytes = 64 << 10

// TB is what [Start] needs of a test; *testing.T, *testing.B and *testing.F fit. It is declared
// here so that programs which embed the sandbox do not link package testing.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
}

// Server is a sandbox that listens on loopback.
type Server struct {
	*Sandbox
	// URL is the base URL, such as http://127.0.0.1:41234, without a trailing slash. If the server
	// listens on all addresses, it has the first name of [WithNetwork], or else 127.0.0.1.
	URL string

	server *http.Server
	served chan struct{}  // closed when the accept loop has ended
	open   sync.WaitGroup // connections
}

// Start makes a sandbox, listens on a free loopback port, and stops when the test ends. An error
// ends the test.
func Start(t TB, options ...Option) *Server {
	t.Helper()
	s, err := New(options...)
	if err != nil {
		t.Fatalf("%v", err)
	}
	server, err := s.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { server.Close(); s.Close() })
	return server
}

// Listen serves the sandbox on addr, a loopback address with a port (0 for a free one), such as
// "127.0.0.1:0" or "localhost:8080". Other addresses are errors, because the sandbox gives its
// private keys away, unless [WithNetwork] permits them. Besides the platform's paths it serves
// [Sandbox.Control]. End it with Close.
func (s *Sandbox) Listen(addr string) (*Server, error) {
	if err := visible.Word(addr); err != nil {
		return nil, fmt.Errorf("sandbox: of the address %s, %w", redact.Quote(addr), err)
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("sandbox: the address must be a loopback host and a port, such as 127.0.0.1:8080: %w", err)
	}
	if ip := net.ParseIP(host); !s.shared.set.network && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, notLoopback(addr)
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	if bound, ok := listener.Addr().(*net.TCPAddr); !s.shared.set.network && (!ok || !bound.IP.IsLoopback()) { // localhost can name anything
		listener.Close()
		return nil, notLoopback(addr)
	}
	return s.serve(listener), nil
}

// serve answers on the connections of listener until Close.
func (s *Sandbox) serve(listener net.Listener) *Server {
	scheme, settings := "http", s.shared.set.tls
	if settings != nil {
		scheme = "https"
	}
	server := &Server{Sandbox: s, URL: scheme + "://" + s.reachable(listener.Addr()), served: make(chan struct{})}
	server.server = &http.Server{
		Handler: http.HandlerFunc(s.serveAll), IdleTimeout: idleTimeout, ReadHeaderTimeout: headerTimeout, MaxHeaderBytes: maxHeaderBytes,
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				server.open.Add(1)
			case http.StateClosed, http.StateHijacked:
				server.open.Done()
			}
		},
	}
	if settings != nil {
		server.server.TLSConfig, server.server.Protocols = settings, new(http.Protocols)
		server.server.Protocols.SetHTTP1(true)
		server.server.Protocols.SetHTTP2(slices.Contains(settings.NextProtos, "h2"))
	}
	go func() {
		defer close(server.served)
		if settings == nil {
			server.server.Serve(listener) // ends with Close, which reports
			return
		}
		server.server.ServeTLS(listener, "", "") // likewise
	}()
	return server
}

// reachable returns a bound address as others call it: all addresses of a machine together have no
// name that a client could call.
func (s *Sandbox) reachable(bound net.Addr) string {
	address, ok := bound.(*net.TCPAddr)
	if !ok || !address.IP.IsUnspecified() {
		return bound.String()
	}
	host := "127.0.0.1"
	if names := s.shared.set.names; len(names) > 0 {
		host = names[0]
	}
	return net.JoinHostPort(host, strconv.Itoa(address.Port))
}

// serveAll serves the platform's paths, and control beside them.
func (s *Sandbox) serveAll(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, ControlPath) {
		s.shared.console.ServeHTTP(w, r)
		return
	}
	s.ServeHTTP(w, r)
}

func notLoopback(addr string) error {
	return fmt.Errorf("sandbox: refusing to listen on %q: its private keys are no secret, so it serves loopback addresses only; use 127.0.0.1:PORT", addr)
}

// Close stops listening, closes every connection, and waits until all of them have ended. A second
// call does nothing.
func (s *Server) Close() error {
	err := s.server.Close()
	<-s.served
	s.open.Wait()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("sandbox: %w", err)
	}
	return nil
}

// Env returns the variables of [Sandbox.Env], WXPAY_BASE_URL, and WXPAY_INSECURE_HTTP if that is not on
// loopback.
func (s *Server) Env() []string { return env(s.variables()) }

// LookupEnv looks one of the variables of [Server.Env] up, in the manner of os.LookupEnv.
func (s *Server) LookupEnv(key string) (string, bool) { return lookupEnv(s.variables(), key) }

func (s *Server) variables() []keyring.Variable {
	list := append(s.merchant.Keys.Variables(), keyring.Variable{Name: "WXPAY_BASE_URL", Value: s.URL})
	address, plain := strings.CutPrefix(s.URL, "http://")
	host, _, _ := net.SplitHostPort(address)
	if ip := net.ParseIP(host); plain && (ip == nil || !ip.IsLoopback()) { // a client of another machine
		list = append(list, keyring.Variable{Name: "WXPAY_INSECURE_HTTP", Value: host})
	}
	return list
}
