package transparent

import (
	"bufio"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Proxy is an HTTP proxy for programs whose hosts are fixed: it answers for the hosts of the platform itself, and rejects
// every other host. It never connects to anybody. It answers CONNECT with a TLS server of its own, and takes requests with
// a whole URL, as some clients send them to a proxy in place of CONNECT.
type Proxy struct {
	// URL is the address for HTTPS_PROXY.
	URL string

	handler  http.Handler
	settings *tls.Config
	outer    *http.Server // speaks with clients as a proxy
	inner    *http.Server // speaks with them inside their tunnels
	tunnels  *tunnels
}

// Limits of the servers; the platform keeps an idle connection for as long.
const (
	headerTimeout  = 30 * time.Second
	idleTimeout    = 8 * time.Second
	maxHeaderBytes = 64 << 10
)

// Listen serves a proxy on addr. Requests to the platform go to handler, over TLS with these settings.
func Listen(addr string, handler http.Handler, settings *tls.Config) (*Proxy, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	p := &Proxy{
		URL: "http://" + listener.Addr().String(), handler: handler, settings: settings,
		tunnels: &tunnels{address: listener.Addr(), opened: make(chan net.Conn), closed: make(chan struct{})},
	}
	server := func(handler http.Handler) *http.Server {
		return &http.Server{
			Handler: handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
			ErrorLog: quiet,
		}
	}
	p.outer, p.inner = server(p), server(handler)
	p.inner.TLSConfig = settings
	p.inner.Protocols = protocols(settings)
	go p.outer.Serve(listener)             // ends with Close
	go p.inner.ServeTLS(p.tunnels, "", "") // likewise
	return p, nil
}

// Close ends the proxy with all connections.
func (p *Proxy) Close() {
	p.outer.Close()
	p.tunnels.Close()
	p.inner.Close()
}

// ServeHTTP answers a client of the proxy.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodConnect && p.serves(r.Host):
		p.tunnel(w)
	case r.Method != http.MethodConnect && r.URL.Scheme == "https" && IsPlatform(r.URL.Hostname()):
		_, rest, _ := strings.Cut(r.RequestURI, "://")
		_, target, _ := strings.Cut(rest, "/")
		direct := r.Clone(r.Context())
		direct.RequestURI, direct.URL.Scheme, direct.URL.Host = "/"+target, "", "" // as the platform itself would get it
		direct.TLS = new(tls.ConnectionState)                                      // so that links in the response are of https
		for _, name := range []string{"Proxy-Connection", "Proxy-Authorization"} {
			direct.Header.Del(name)
		}
		p.handler.ServeHTTP(w, direct)
	default:
		host := r.Host
		if len(host) > 255 {
			host = host[:255]
		}
		http.Error(w, "the proxy of wxpay sandbox answers for the hosts of WeChat Pay alone, and forwards nothing: "+host,
			http.StatusForbidden)
	}
}

// serves reports whether CONNECT may name this host, with its port.
func (p *Proxy) serves(address string) bool {
	host, port, err := net.SplitHostPort(address)
	return err == nil && port == "443" && IsPlatform(host)
}

// tunnel makes the connection of a client one of the inner server.
func (p *Proxy) tunnel(w http.ResponseWriter) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "CONNECT needs HTTP/1.1", http.StatusHTTPVersionNotSupported)
		return
	}
	_ = conn.SetDeadline(time.Time{})
	if _, err := conn.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n")); err != nil {
		conn.Close()
		return
	}
	select {
	case p.tunnels.opened <- &early{conn, buffered.Reader}:
	case <-p.tunnels.closed:
		conn.Close()
	}
}

// early is a connection of which a part may have been read already.
type early struct {
	net.Conn
	read *bufio.Reader
}

func (e *early) Read(p []byte) (int, error) { return e.read.Read(p) }

// tunnels is a listener whose connections are tunnels.
type tunnels struct {
	address net.Addr
	opened  chan net.Conn
	once    sync.Once
	closed  chan struct{}
}

func (t *tunnels) Accept() (net.Conn, error) {
	select {
	case conn := <-t.opened:
		return conn, nil
	case <-t.closed:
		return nil, net.ErrClosed
	}
}

func (t *tunnels) Close() error {
	t.once.Do(func() { close(t.closed) })
	return nil
}

func (t *tunnels) Addr() net.Addr { return t.address }

// protocols are those that the settings of TLS offer.
func protocols(settings *tls.Config) *http.Protocols {
	list := new(http.Protocols)
	list.SetHTTP1(true)
	list.SetHTTP2(slices.Contains(settings.NextProtos, "h2"))
	return list
}

// quiet drops what net/http would log about clients that do not trust the authority; they tell it themselves.
var quiet = log.New(io.Discard, "", 0)

// Variables are those with which common clients go through the proxy and trust the authority: curl, Go, PHP, Python and
// Node.js. Nothing but this machine is exempt from the proxy, so that no request of theirs leaves it.
func (p *Proxy) Variables(a *Authority) []string {
	const local = "localhost,127.0.0.1,::1"
	list := append(a.Variables(), "NO_PROXY="+local, "no_proxy="+local, "NODE_USE_ENV_PROXY=1")
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		list = append(list, name+"="+p.URL)
	}
	return list
}

// Variables are those with which common clients trust the authority, most of them in place of all others.
func (a *Authority) Variables() (list []string) {
	for _, name := range []string{"SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"} {
		list = append(list, name+"="+a.File)
	}
	return list
}
