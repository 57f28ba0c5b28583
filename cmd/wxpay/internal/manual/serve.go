package manual

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/answer"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/page"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/fact"
)

// serve shows the manual in a browser until it is interrupted: the built site in a folder, or without one the pages of the program.
func serve(ctx context.Context, sh *shell.Shell, manual *page.Manual, addr, site string) error {
	var handler http.Handler
	if site != "" {
		if info, err := os.Stat(path.Join(site, "index.html")); err != nil || info.IsDir() {
			return shell.Usage("--site %s: it has no index.html: node docs-site/build.mjs builds the site into docs-site/dist", site)
		}
		root, err := os.OpenRoot(site)
		if err != nil {
			return shell.Usage("--site: %w", err)
		}
		defer root.Close()
		handler = Static(root.FS())
	} else {
		facts := sh.Facts().Described()
		sandbox, err := answer.New(slices.Collect(facts.All()))
		if err != nil {
			return &shell.ExitError{Code: shell.ExitNotSent, Err: err}
		}
		defer sandbox.Close()
		handler = Handler(manual, facts, sandbox)
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return shell.Usage("--serve: %w", err)
	}
	ctx, stop := shell.Interruptible(ctx)
	defer stop()
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	ended := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer ended()
	sh.Note("The manual is at http://%s/ until it is interrupted.", listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Handler shows the pages of operations and notifications, with a search. It needs no network and no file. The sandbox is
// asked for its responses; a nil one is not.
func Handler(manual *page.Manual, facts *catalog.Catalog, sandbox *answer.Platform) http.Handler {
	h := &pages{
		manual: manual, facts: facts, sandbox: sandbox,
		operations: make(map[string]*fact.Operation), events: make(map[string]*fact.Event),
	}
	for operation := range facts.All() {
		h.operations[page.Address(operation)] = operation
	}
	for event := range facts.Events() {
		h.events[page.EventAddress(event)] = event
	}
	return h
}

type pages struct {
	manual     *page.Manual
	facts      *catalog.Catalog
	operations map[string]*fact.Operation // by address
	events     map[string]*fact.Event

	mu      sync.Mutex // the sandbox is for one goroutine
	sandbox *answer.Platform
}

// ServeHTTP shows one page.
func (h *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
	var out bytes.Buffer
	var err error
	address := strings.TrimSuffix(r.URL.Path, ".html")
	operation, event := h.operations[address], h.events[address]
	switch query := strings.TrimSpace(r.URL.Query().Get("q")); {
	case operation != nil:
		err = h.operation(r.Context(), &out, operation)
	case event != nil:
		err = h.event(&out, event)
	case r.URL.Path != "/":
		http.NotFound(w, r)
		return
	case query != "":
		err = h.manual.ListHTML(&out, query, h.facts.Search(query), h.search(query))
	default:
		err = h.manual.ListHTML(&out, "", slices.Collect(h.facts.All()), slices.Collect(h.facts.Events()))
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(out.Bytes())
}

func (h *pages) operation(ctx context.Context, out io.Writer, operation *fact.Operation) error {
	shown := h.manual.Page(operation)
	if h.sandbox != nil {
		h.mu.Lock()
		got, err := h.sandbox.Of(ctx, operation)
		h.mu.Unlock()
		if err != nil {
			return err
		}
		shown.Sandbox = &got
	}
	return shown.HTML(out)
}

func (h *pages) event(out io.Writer, event *fact.Event) error {
	var resource any
	if h.sandbox != nil {
		h.mu.Lock()
		sample, err := h.sandbox.Resource(event)
		h.mu.Unlock()
		if err != nil {
			return err
		}
		resource = sample
	}
	shown, err := h.manual.Notification(event, resource)
	if err != nil {
		return err
	}
	return shown.HTML(out)
}

// search returns the notifications whose type and name contain every word.
func (h *pages) search(query string) (found []*fact.Event) {
	words := strings.Fields(strings.ToUpper(query))
	for event := range h.facts.Events() {
		text := strings.ToUpper(event.Type + " " + event.Name)
		if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) }) {
			found = append(found, event)
		}
	}
	return found
}

// Static serves a built site. An address without a suffix that it knows is that of a page.
func Static(files fs.FS) http.Handler {
	server := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.Trim(path.Clean(r.URL.Path), "/")
		if info, err := fs.Stat(files, name+".html"); name != "" && err == nil && !info.IsDir() {
			http.ServeFileFS(w, r, files, name+".html")
			return
		}
		server.ServeHTTP(w, r)
	})
}
