// Package auth keeps everybody but its owner out of the console: pages of other sites, other machines, and programs that do
// not know its address.
package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// EnterPath is where a browser gets its cookie, for a token or the password.
const EnterPath = "/enter"

// Bounds of what is served at once: requests, of which the streams of the journal are some.
const (
	InFlight = 20
	Streams  = 10
)

// maxBody bounds the body of a request, in bytes.
const maxBody = 8 << 20

// sessions bounds how many browsers are known; the oldest gives way.
const sessions = 50

// penalty is how long a wrong password takes.
const penalty = 500 * time.Millisecond

// Guard lets requests through to the console that come from a page of its own, in a browser that has been let in.
type Guard struct {
	// Names are the hosts by which the console is called, with their ports, and Network permits every IP address besides.
	Names   []string
	Network bool
	// Password is asked for in place of a token; empty for tokens.
	Password string
	// Cookie names the cookie. Cookies do not know ports, so two consoles on one machine need two names.
	Cookie string
	// Notice shows a page that says one thing.
	Notice func(w http.ResponseWriter, r *http.Request, status int, notice Notice)

	mu      sync.Mutex
	tokens  []string  // that nobody has used yet
	known   []session // the oldest first
	slots   int
	streams int
	guesses sync.Mutex // one password at a time
}

// Notice is what a page of the guard says.
type Notice string

// Notices.
const (
	Unknown   Notice = "unknown"   // the browser has no session
	Spent     Notice = "spent"     // the token is not valid, or was used
	Ask       Notice = "ask"       // for the password
	Wrong     Notice = "wrong"     // the password is
	Elsewhere Notice = "elsewhere" // the request comes from another site
	Host      Notice = "host"      // the console has no such name
	Form      Notice = "form"      // the form is not of a page that this browser got
	Busy      Notice = "busy"      // too much is served at once
	Continue  Notice = "continue"  // another site leads here: the page opens itself again
)

type session struct{ id, form string }

// Token returns a token that lets one browser in, once.
func (g *Guard) Token() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	token := rand.Text()
	g.tokens = append(g.tokens[max(0, len(g.tokens)-sessions+1):], token)
	return token
}

// policy permits scripts, styles and forms of the console alone.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// Open are the paths for which nobody has to be let in: they have no secret and change nothing.
func Open(path string) bool { return strings.HasPrefix(path, "/assets/") }

// Wrap guards a handler.
func (g *Guard) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "same-origin") // with none, Origin would be null
		header.Set("X-Frame-Options", "DENY")
		header.Set("Cache-Control", "no-store")
		leave, ok := g.admit(strings.HasSuffix(r.URL.Path, "/live"))
		if !ok {
			header.Set("Retry-After", "1")
			g.Notice(w, r, http.StatusServiceUnavailable, Busy)
			return
		}
		defer leave()
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		if !g.named(r.Host) {
			g.Notice(w, r, http.StatusMisdirectedRequest, Host)
			return
		}
		if Open(r.URL.Path) && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			next.ServeHTTP(w, r)
			return
		}
		if foreign(r) {
			g.Notice(w, r, http.StatusForbidden, Elsewhere)
			return
		}
		if r.URL.Path == EnterPath {
			g.enter(w, r)
			return
		}
		g.serve(w, r, next)
	})
}

// admit takes a place for a request, or for a stream.
func (g *Guard) admit(stream bool) (leave func(), ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.slots >= InFlight || stream && g.streams >= Streams {
		return nil, false
	}
	of := 0
	if stream {
		of = 1
	}
	g.slots++
	g.streams += of
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.slots--
		g.streams -= of
	}, true
}

// named reports whether the console is called by a name of its own: a foreign page can give any name this address.
func (g *Guard) named(host string) bool {
	if slices.Contains(g.Names, host) {
		return true
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return g.Network && net.ParseIP(strings.Trim(host, "[]")) != nil
}

// foreign reports whether a page of another site sends the request. A request that changes something must say that it comes
// from here; one that reads must not say otherwise.
func foreign(r *http.Request) bool {
	origin, site := r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site")
	if origin != "" && origin != "http://"+r.Host {
		return true
	}
	if reads(r) {
		return false
	}
	return origin == "" || site != "" && site != "same-origin"
}

func reads(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// enter lets a browser in.
func (g *Guard) enter(w http.ResponseWriter, r *http.Request) {
	if g.Password != "" {
		switch {
		case r.Method != http.MethodPost:
			g.Notice(w, r, http.StatusOK, Ask)
			return
		case !g.guess(r.Context(), r.PostFormValue("password")):
			g.Notice(w, r, http.StatusForbidden, Wrong)
			return
		}
	} else if !g.spend(r.URL.Query().Get("token")) {
		g.Notice(w, r, http.StatusForbidden, Spent)
		return
	}
	s := session{id: rand.Text(), form: rand.Text()}
	g.mu.Lock()
	g.known = append(g.known[max(0, len(g.known)-sessions+1):], s)
	g.mu.Unlock()
	http.SetCookie(w, &http.Cookie{
		Name: g.Cookie, Value: s.id, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// guess compares a password. Wrong ones wait for each other.
func (g *Guard) guess(ctx context.Context, password string) bool {
	g.guesses.Lock()
	defer g.guesses.Unlock()
	if equal(password, g.Password) {
		return true
	}
	select {
	case <-time.After(penalty):
	case <-ctx.Done():
	}
	return false
}

// spend takes a token off the list.
func (g *Guard) spend(token string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := slices.IndexFunc(g.tokens, func(one string) bool { return equal(one, token) })
	if at < 0 {
		return false
	}
	g.tokens = slices.Delete(g.tokens, at, at+1)
	return true
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

type formKey struct{}

// FormToken returns the token that the forms of a page must send back, as the field csrf or the header X-CSRF.
func FormToken(r *http.Request) string {
	token, _ := r.Context().Value(formKey{}).(string)
	return token
}

// serve serves a browser that has been let in.
func (g *Guard) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	s, ok := g.find(r)
	if !ok {
		// A link of a shop leads here without the strict cookie. The page opens itself once more, as its own site.
		if r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Site") == "cross-site" && r.Header.Get("Sec-Fetch-Mode") == "navigate" {
			w.Header().Set("Refresh", "0")
			g.Notice(w, r, http.StatusOK, Continue)
			return
		}
		g.Notice(w, r, http.StatusUnauthorized, Unknown)
		return
	}
	if !reads(r) {
		sent := r.Header.Get("X-CSRF")
		if sent == "" {
			sent = r.PostFormValue("csrf")
		}
		if !equal(sent, s.form) {
			g.Notice(w, r, http.StatusForbidden, Form)
			return
		}
	}
	next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), formKey{}, s.form)))
}

// find returns the session of a request.
func (g *Guard) find(r *http.Request) (session, bool) {
	cookie, err := r.Cookie(g.Cookie)
	if err != nil {
		return session{}, false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range g.known {
		if equal(s.id, cookie.Value) {
			return s, true
		}
	}
	return session{}, false
}
