// Package console serves the sandbox as pages in a browser: what came and why it was rejected, a phone that pays, and the
// other side of the platform. It does nothing that the sandbox's own Go API does not do.
package console

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console/auth"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console/explorer"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console/journal"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console/objects"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console/phone"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console/platform"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console/view"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/gocode"
	"github.com/wxpay-go/wxpay/sandbox"
)

// Bounds of the journal of a sandbox with a console: entries, and bytes.
const (
	Entries = 100_000
	Bytes   = 256 << 20
)

// PasswordVariable names the variable with the password of a console that other machines may open.
const PasswordVariable = "WXPAY_CONSOLE_PASSWORD"

// shortest is how long such a password is at least, in bytes.
const shortest = 12

// Options say where a console listens, and for whom.
type Options struct {
	Addr     string // HOST:PORT; port 0 is a free one
	Network  bool   // other machines may open it, with the password
	Password string
	Facts    *catalog.Catalog
}

// Console is a console that is served.
type Console struct {
	// URL is its address, with a token that lets one browser in.
	URL string

	guard  *auth.Guard
	server *http.Server
}

// Listen serves the console of a sandbox.
func Listen(s *sandbox.Sandbox, o Options) (*Console, error) {
	host, _, err := net.SplitHostPort(o.Addr)
	if err != nil {
		return nil, errors.New("the address must be a host and a port, such as 127.0.0.1:8081")
	}
	ip := net.ParseIP(host)
	loopback := host == "localhost" || ip != nil && ip.IsLoopback()
	switch {
	case !loopback && !o.Network:
		return nil, fmt.Errorf("the console shows everything and changes everything, so it listens on loopback only, not on %s, "+
			"unless --console-network is given and %s has a password", host, PasswordVariable)
	case o.Network && len(o.Password) < shortest:
		return nil, fmt.Errorf("--console-network lets other machines in, so %s must have a password of at least %d bytes",
			PasswordVariable, shortest)
	case !o.Network:
		o.Password = ""
	}
	listener, err := net.Listen("tcp", o.Addr)
	if err != nil {
		return nil, err
	}
	bound, ok := listener.Addr().(*net.TCPAddr)
	if !ok || !o.Network && !bound.IP.IsLoopback() { // localhost can name anything
		listener.Close()
		return nil, errors.New("localhost is not on loopback here; give 127.0.0.1")
	}
	port := strconv.Itoa(bound.Port)
	c := &Console{guard: &auth.Guard{
		Names:    []string{"127.0.0.1:" + port, "localhost:" + port, "[::1]:" + port},
		Network:  o.Network,
		Password: o.Password, Cookie: "wxpay_console_" + port, Notice: view.Notice,
	}}
	if host != "" && ip == nil {
		c.guard.Names = append(c.guard.Names, net.JoinHostPort(host, port))
	}
	c.server = &http.Server{Handler: c.guard.Wrap(c.pages(s, o.Facts)), ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10}
	reached := bound.String()
	if bound.IP.IsUnspecified() {
		reached = "127.0.0.1:" + port
	}
	c.URL = c.address("http://" + reached)
	go c.server.Serve(listener) // ends with Close
	return c, nil
}

// address returns an address that lets a browser in.
func (c *Console) address(base string) string {
	base += auth.EnterPath
	if c.guard.Password == "" {
		base += "?token=" + c.guard.Token()
	}
	return base
}

// Close ends the console.
func (c *Console) Close() error { return c.server.Close() }

func (c *Console) pages(s *sandbox.Sandbox, facts *catalog.Catalog) http.Handler {
	mux := http.NewServeMux()
	facts = facts.Described()
	mux.Handle("GET /assets/", view.Assets())
	mux.HandleFunc("POST /settings", view.Settings)
	mux.HandleFunc("POST /browsers", func(w http.ResponseWriter, r *http.Request) {
		view.Write(w, r, view.Frame{Template: "browser", Title: "Another browser", Section: "journal"}, c.address("http://"+r.Host))
	})
	mux.Handle("GET /{$}", http.RedirectHandler("/journal", http.StatusSeeOther))
	for _, family := range []interface{ Register(*http.ServeMux) }{
		&journal.Pages{Sandbox: s, Facts: facts}, &phone.Pages{Sandbox: s},
		&explorer.Pages{Sandbox: s, Facts: facts, Writer: gocode.New(facts.All())},
		&objects.Pages{Sandbox: s}, &platform.Pages{Sandbox: s},
	} {
		family.Register(mux)
	}
	return mux
}
