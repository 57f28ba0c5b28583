// Package journal shows the requests that came to the sandbox, as they come.
package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console/send"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console/view"
	"github.com/wxpay-go/wxpay/sandbox"
)

// Pages are the pages of the journal.
type Pages struct {
	Sandbox *sandbox.Sandbox
	Facts   *catalog.Catalog
}

// Register adds the pages.
func (p *Pages) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /journal", p.list)
	mux.HandleFunc("GET /journal/live", p.live)
	mux.HandleFunc("GET /journal/{number}", p.entry)
	mux.HandleFunc("POST /journal/{number}/replay", p.replay)
	mux.HandleFunc("POST /journal/clear", p.clear)
}

// pageSize is how many entries a page has.
const pageSize = 50

// slow is from when on a request counts as slow.
const slow = 200 * time.Millisecond

// filter says which entries a page shows.
type filter struct {
	Merchant, Path string // of the path, a part
	Status         int    // 4 for 4xx
	Refused, Slow  bool
}

func filterOf(q url.Values) filter {
	status, err := strconv.Atoi(q.Get("status"))
	if err != nil {
		status = 0
	}
	return filter{q.Get("merchant"), strings.TrimSpace(q.Get("path")), status, q.Get("refused") != "", q.Get("slow") != ""}
}

// query is the filter in an address, encoded.
func (f filter) query() string {
	q := make(url.Values)
	set := func(name, value string, on bool) {
		if on {
			q.Set(name, value)
		}
	}
	set("merchant", f.Merchant, f.Merchant != "")
	set("path", f.Path, f.Path != "")
	set("status", strconv.Itoa(f.Status), f.Status != 0)
	set("refused", "1", f.Refused)
	set("slow", "1", f.Slow)
	return q.Encode()
}

func (f filter) matches(e *sandbox.Entry) bool {
	return (f.Merchant == "" || f.Merchant == e.Merchant) &&
		(f.Path == "" || strings.Contains(e.Target, f.Path) || e.ID == f.Path) &&
		(f.Status == 0 || f.Status == e.Status || f.Status == e.Status/100) &&
		(!f.Refused || e.Status >= 400) &&
		(!f.Slow || e.Took >= slow)
}

// list is what the page of the journal shows.
type list struct {
	Filter    filter
	Query     string // the filter in an address
	Merchants []string
	Entries   []sandbox.Entry
	Older     string // address of the next page; empty on the last
	After     int64  // number of the newest entry, for the stream
	Newest    string // address of the newest page
	Live      bool   // the page shows the newest
}

func (p *Pages) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	before, err := strconv.ParseInt(q.Get("before"), 10, 64)
	if err != nil || before < 1 {
		before = 0
	}
	page := list{Filter: filterOf(q), Live: before == 0}
	page.Query = page.Filter.query()
	page.Newest = "/journal?" + page.Query
	page.Merchants = send.Merchants(p.Sandbox)
	for e := range p.Sandbox.Journal.Backward(before) {
		page.After = max(page.After, e.Number)
		if !page.Filter.matches(&e) {
			continue
		}
		if len(page.Entries) == pageSize {
			last := page.Entries[pageSize-1].Number
			page.Older = "/journal?before=" + strconv.FormatInt(last, 10) + "&" + page.Query
			break
		}
		page.Entries = append(page.Entries, e)
	}
	view.Write(w, r, view.Frame{Template: "journal", Title: "Journal", Section: "journal"}, page)
}

// pulse is how often a stream without news says that it lives.
const pulse = 15 * time.Second

// most bounds how many rows a stream sends at once; a page has no place for more.
const most = 200

// live streams the rows of new entries.
func (p *Pages) live(w http.ResponseWriter, r *http.Request) {
	f := filterOf(r.URL.Query())
	after, err := strconv.ParseInt(r.Header.Get("Last-Event-ID"), 10, 64)
	if err != nil {
		if after, err = strconv.ParseInt(r.URL.Query().Get("after"), 10, 64); err != nil {
			after = 0
		}
	}
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	if _, err := w.Write([]byte(": here\n\n")); err != nil || out.Flush() != nil {
		return
	}
	for {
		entries, err := p.await(r.Context(), after)
		if r.Context().Err() != nil {
			return
		}
		if err != nil {
			_, err = w.Write([]byte(":\n\n"))
		} else {
			after = entries[len(entries)-1].Number
			err = p.stream(w, r, f, entries)
		}
		if err != nil || out.Flush() != nil {
			return // the browser is gone
		}
	}
}

func (p *Pages) await(ctx context.Context, after int64) ([]sandbox.Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, pulse)
	defer cancel()
	return p.Sandbox.Journal.Await(ctx, after)
}

func (p *Pages) stream(w http.ResponseWriter, r *http.Request, f filter, entries []sandbox.Entry) error {
	for _, e := range entries[max(0, len(entries)-most):] {
		if !f.matches(&e) {
			continue
		}
		row, err := view.Fragment(r, "row", e)
		if err != nil {
			return err
		}
		data, err := json.Marshal(row)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "event: row\nid: %d\ndata: %s\n\n", e.Number, data); err != nil {
			return err
		}
	}
	return nil
}

func (p *Pages) clear(w http.ResponseWriter, r *http.Request) {
	p.Sandbox.Journal.Reset()
	http.Redirect(w, r, "/journal", http.StatusSeeOther)
}

// find returns the entry that a path names. If there is none, it has written the response.
func (p *Pages) find(w http.ResponseWriter, r *http.Request) (sandbox.Entry, bool) {
	number, err := strconv.ParseInt(r.PathValue("number"), 10, 64)
	if err == nil && number > 0 {
		if e, ok := send.Entry(p.Sandbox, number); ok {
			return e, true
		}
	}
	view.Write(w, r, view.Frame{
		Template: "gone", Title: "Journal", Section: "journal", Status: http.StatusNotFound,
		Err: errors.New(view.Say(r, "The journal has no such request, or has it no more.")),
	}, nil)
	return sandbox.Entry{}, false
}

func (p *Pages) entry(w http.ResponseWriter, r *http.Request) {
	if e, ok := p.find(w, r); ok {
		p.show(w, r, e, nil)
	}
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request, e sandbox.Entry, problem error) {
	view.Write(w, r, view.Frame{Template: "entry", Title: "Request", Section: "journal", Err: problem}, DetailOf(p.Facts, e))
}

func (p *Pages) replay(w http.ResponseWriter, r *http.Request) {
	e, ok := p.find(w, r)
	if !ok {
		return
	}
	made, err := send.Again(r.Context(), p.Sandbox, e)
	if err != nil {
		p.show(w, r, e, errors.New(view.Say(r, "It was not sent again.")+" "+view.Problem(r, err)))
		return
	}
	http.Redirect(w, r, "/journal/"+strconv.FormatInt(made.Number, 10), http.StatusSeeOther)
}
