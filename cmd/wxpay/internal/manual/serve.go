package manual

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/page"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/shell"
	"github.com/wxpay-go/wxpay/fact"
)

// serve shows the manual in a browser until it is interrupted: the built site in a folder, or without one the pages of the program.
func serve(ctx context.Context, sh *shell.Shell, manual *page.Manual, addr, site string) error {
	handler := Handler(manual, sh.Facts().Described())
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

// Handler shows the pages of operations, with a search. It needs no network and no file.
func Handler(manual *page.Manual, facts *catalog.Catalog) http.Handler {
	operations := make(map[string]*fact.Operation)
	for operation := range facts.All() {
		operations[page.Address(operation)] = operation
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'")
		var out bytes.Buffer
		var err error
		operation := operations[strings.TrimSuffix(r.URL.Path, ".html")]
		switch query := strings.TrimSpace(r.URL.Query().Get("q")); {
		case operation != nil:
			shown := manual.Page(operation)
			err = shown.HTML(&out)
		case r.URL.Path != "/":
			http.NotFound(w, r)
			return
		case query != "":
			err = manual.ListHTML(&out, query, facts.Search(query))
		default:
			err = manual.ListHTML(&out, "", slices.Collect(facts.All()))
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(out.Bytes())
	})
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
