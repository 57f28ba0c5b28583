// Package explorer shows every operation of the platform as a form, writes the code that calls it, and calls it.
package explorer

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console/journal"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console/send"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console/view"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/example"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/language"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/zh"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox"
)

// Register adds the pages.
func (p *Pages) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /explorer", p.search)
	mux.HandleFunc("GET /explorer/operation", p.operation)
	mux.HandleFunc("GET /explorer/event", p.event)
	mux.HandleFunc("POST /explorer/preview", p.preview)
	mux.HandleFunc("POST /explorer/send", p.send)
}

func (p *Pages) search(w http.ResponseWriter, r *http.Request) {
	page := results{Words: strings.TrimSpace(r.URL.Query().Get("q")), Tag: r.URL.Query().Get("tag")}
	counts := make(map[string]int)
	for operation := range p.Facts.All() {
		seen := make(map[string]bool)
		for _, name := range operation.Tags {
			name, _, _ = strings.Cut(name, "/")
			if !seen[name] {
				seen[name] = true
				counts[name]++
			}
		}
		if page.Tag != "" && seen[page.Tag] {
			page.Operations = append(page.Operations, operation)
		}
	}
	for name, count := range counts {
		page.Tags = append(page.Tags, tag{name, count})
	}
	slices.SortFunc(page.Tags, func(a, b tag) int { return cmp.Or(b.Count-a.Count, strings.Compare(a.Name, b.Name)) })
	if page.Words != "" {
		page.Operations = p.Facts.Search(page.Words)
	}
	if page.Words != "" || r.URL.Query().Get("events") != "" {
		page.Events = p.eventsOf(page.Words)
		page.MoreEvents = max(0, len(page.Events)-mostEvents)
		page.Events = page.Events[:len(page.Events)-page.MoreEvents]
	}
	page.More = max(0, len(page.Operations)-most)
	page.Operations = page.Operations[:len(page.Operations)-page.More]
	view.Write(w, r, view.Frame{Template: "explorer", Title: "Explorer", Section: "explorer"}, page)
}

// form is the page of one operation.
type form struct {
	*fact.Operation
	Merchant  string
	Merchants []string
	Places    []place
	Upload    bool
	Docs      []string
	Preview   preview
}

// place is a part of the request.
type place struct {
	Name   string // path, query or body
	Inputs []Input
}

// preview is the code of a filled form.
type preview struct {
	Go, Line, Body string
	Problem        string
}

// find returns the operation that a request names. If there is none, it has written the response.
func (p *Pages) find(w http.ResponseWriter, r *http.Request) (*fact.Operation, bool) {
	operation, ok := p.Facts.Lookup(r.FormValue("method"), r.FormValue("path"))
	if !ok {
		view.Write(w, r, view.Frame{
			Template: "explorer", Title: "Explorer", Section: "explorer", Status: http.StatusNotFound,
			Err: errors.New(view.Say(r, "The catalogue has no such operation.")),
		}, results{})
	}
	return operation, ok
}

func (p *Pages) operation(w http.ResponseWriter, r *http.Request) {
	operation, ok := p.find(w, r)
	if !ok {
		return
	}
	s := send.ViewOf(p.Sandbox, r.FormValue("merchant"))
	page := form{Operation: operation, Merchant: s.Merchant().ID, Upload: len(operation.In.Form) > 0}
	page.Merchants = send.Merchants(p.Sandbox)
	for _, id := range operation.Docs {
		page.Docs = append(page.Docs, fact.DocURL(id))
	}
	preset := presetsOf(operation, page.Merchant)
	for _, part := range []struct {
		name   string
		fields []fact.Field
	}{{"path", operation.In.Path}, {"query", operation.In.Query}, {"body", operation.In.JSON}} {
		if len(part.fields) > 0 {
			page.Places = append(page.Places, place{part.name, inputs(part.name, part.fields, true, preset)})
		}
	}
	values := make(url.Values)
	var collect func(list []Input)
	collect = func(list []Input) {
		for _, in := range list {
			values.Set(in.Name, in.Value)
			collect(in.Inputs)
		}
	}
	for _, place := range page.Places {
		collect(place.Inputs)
	}
	page.Preview = p.code(operation, page.Merchant, values, language.Language(view.LanguageOf(r)))
	view.Write(w, r, view.Frame{Template: "operation", Title: "Explorer", Section: "explorer"}, page)
}

// presetsOf are values that fit this sandbox better than the documented samples.
func presetsOf(operation *fact.Operation, merchant string) presets {
	fresh := "T" + time.Now().Format("20060102150405") + strings.ToUpper(rand.Text()[:4])
	return func(field *fact.Field) (string, bool) {
		switch {
		case strings.HasSuffix(field.Name, "mchid") && !strings.HasPrefix(field.Name, "sub_") && !slices.Contains(operation.NotCaller, field.Name):
			return merchant, true
		case field.Name == strings.Trim(operation.Number.Field, "{}"):
			return fresh, true
		case field.Name == "notify_url":
			return "http://127.0.0.1:8080/notify", true
		case field.Cipher == fact.RSA:
			return "张三", true
		case field.Format == "rfc3339":
			return time.Now().Add(time.Hour).In(fact.Beijing).Format(time.RFC3339), true
		}
		return "", false
	}
}

// request is a filled form.
type request struct {
	path, query []fact.Field
	body        json.RawMessage
	filled      *fact.Operation // with the values as samples
}

func requestOf(operation *fact.Operation, values url.Values) (request, error) {
	var q request
	var err error
	filled := *operation
	if _, q.path, err = body("path", operation.In.Path, values); err != nil {
		return q, err
	}
	if _, q.query, err = body("query", operation.In.Query, values); err != nil {
		return q, err
	}
	if q.body, filled.In.JSON, err = body("body", operation.In.JSON, values); err != nil {
		return q, err
	}
	filled.In.Path, filled.In.Query, filled.Joined = q.path, q.query, false
	q.filled = &filled
	return q, nil
}

func pairs(fields []fact.Field, values url.Values, place string) []send.Pair {
	var list []send.Pair
	for _, field := range fields {
		list = append(list, send.Pair{Name: field.Name, Value: values.Get(place + "/" + field.Name)})
	}
	return list
}

// code writes the code of a filled form.
func (p *Pages) code(operation *fact.Operation, merchant string, values url.Values, l language.Language) preview {
	q, err := requestOf(operation, values)
	if err != nil {
		return preview{Problem: err.Error()}
	}
	call := send.Call{
		Method: operation.Method, Template: operation.Path, Merchant: merchant, Body: string(q.body),
		Path: pairs(q.path, values, "path"), Query: pairs(q.query, values, "query"),
	}
	return preview{Go: p.Writer.Call(example.Filled(q.filled), l), Line: call.Line(), Body: view.JSON(q.body)}
}

func (p *Pages) preview(w http.ResponseWriter, r *http.Request) {
	operation, ok := p.find(w, r)
	if !ok {
		return
	}
	text, err := view.Fragment(r, "preview", p.code(operation, r.PostFormValue("merchant"), r.PostForm, language.Language(view.LanguageOf(r))))
	if err != nil {
		http.Error(w, "the samples cannot be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, text) // the browser may be gone
}

// sent is what became of a call.
type sent struct {
	journal.Detail
	Found    bool // the journal has it: it was sent
	Outcome  string
	Good     bool
	Error    string
	Findings []finding
	Back     string
}

// finding is a difference from the documentation.
type finding struct{ Pointer, Text string }

// patience bounds a call; faults may hold it for ever.
const patience = 30 * time.Second

func (p *Pages) send(w http.ResponseWriter, r *http.Request) {
	operation, ok := p.find(w, r)
	if !ok {
		return
	}
	page := sent{Back: "/explorer/operation?" + url.Values{"method": {operation.Method}, "path": {operation.Path}}.Encode()}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	q, err := requestOf(operation, r.PostForm)
	var recorder recorder
	if err == nil {
		err = p.call(ctx, operation, q, r, &recorder, &page)
	}
	if authorization := recorder.last; authorization != "" {
		var e sandbox.Entry
		e, page.Found = send.Find(p.Sandbox, func(e sandbox.Entry) bool { return e.Header.Get("Authorization") == authorization })
		page.Detail = journal.DetailOf(p.Facts, e)
	}
	if view.LanguageOf(r) == view.Chinese {
		for i := range page.Findings {
			page.Findings[i].Text = zh.Finding(page.Findings[i].Text)
		}
	}
	page.Good = err == nil
	frame := view.Frame{Template: "sent", Title: "Sent", Section: "explorer"}
	if err != nil {
		page.Outcome, page.Error = outcomeOf(r, err), strings.TrimPrefix(err.Error(), "wxpay: ")
	}
	view.Write(w, r, frame, page)
}

// outcomeOf names what is known about the operation after an error.
func outcomeOf(r *http.Request, err error) string {
	var rejection *wxpay.APIError
	var failed *wxpay.CallError
	var untrusted *wxpay.VerifyError
	switch {
	case errors.As(err, &rejection):
		return named(r, rejection.Outcome)
	case errors.As(err, &failed):
		return named(r, failed.Outcome)
	case errors.As(err, &untrusted):
		return named(r, wxpay.Unknown)
	}
	return named(r, wxpay.NotSent)
}

func named(r *http.Request, outcome wxpay.Outcome) string {
	switch outcome {
	case wxpay.NotSent:
		return view.Say(r, "not sent")
	case wxpay.Rejected:
		return view.Say(r, "rejected")
	case wxpay.Confirmed:
		return view.Say(r, "confirmed")
	}
	return view.Say(r, "outcome unknown")
}

// call makes the call through a real client.
func (p *Pages) call(ctx context.Context, operation *fact.Operation, q request, r *http.Request, recorder *recorder, page *sent) error {
	values := r.PostForm
	s := send.ViewOf(p.Sandbox, values.Get("merchant"))
	recorder.next = s.Transport()
	options := []wxpay.Option{
		wxpay.WithTransport(recorder), wxpay.WithCatalog(p.Facts), wxpay.WithLogger(slog.New(&findings{list: &page.Findings})),
	}
	var client *wxpay.Client
	var err error
	if operation.Scheme == fact.BrandScheme {
		var b sandbox.Brand
		if b, err = s.Brand(); err != nil {
			return err
		}
		client, err = wxpay.New(wxpay.Merchant{ID: b.ID, PrivateKey: b.PrivateKey, Certificate: b.Certificate},
			append(options, wxpay.WithScheme(apiv3.Brand()), wxpay.WithPublicKey(b.PublicKeyID, b.PublicKey))...)
	} else {
		client, err = wxpay.FromLookupEnv(s.LookupEnv, options...)
	}
	if err != nil {
		return err
	}
	defer client.Close()
	chain := client.Chain(strings.TrimPrefix(operation.Path, "/"))
	for _, pair := range pairs(q.path, values, "path") {
		chain = chain.Var(pair.Name, pair.Value)
	}
	for _, pair := range pairs(q.query, values, "query") {
		chain = chain.Query(pair.Name, pair.Value)
	}
	if operation.Response == fact.StreamResponse {
		_, err = chain.Download(ctx, io.Discard)
		page.Outcome = named(r, wxpay.Confirmed)
		return err
	}
	var data any
	if q.body != nil {
		data = q.body
	} else if operation.Method != http.MethodGet && operation.Method != http.MethodDelete && len(operation.In.JSON) > 0 {
		data = json.RawMessage("{}")
	}
	response, err := chain.Do(ctx, operation.Method, data)
	if err == nil {
		page.Outcome = named(r, wxpay.Confirmed) + " " + strconv.Itoa(response.Status)
	}
	return err
}

// recorder remembers the signature of the last request.
type recorder struct {
	next http.RoundTripper
	last string
}

// RoundTrip sends a request on.
func (t *recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	t.last = r.Header.Get("Authorization")
	return t.next.RoundTrip(r)
}

// findings collects the differences from the documentation that a client logs.
type findings struct {
	list *[]finding
}

// Enabled reports that everything is of interest.
func (f *findings) Enabled(context.Context, slog.Level) bool { return true }

// WithAttrs and WithGroup change nothing: a finding has its attributes in its record.
func (f *findings) WithAttrs([]slog.Attr) slog.Handler { return f }
func (f *findings) WithGroup(string) slog.Handler      { return f }

// Handle takes a finding.
func (f *findings) Handle(_ context.Context, record slog.Record) error {
	var one finding
	record.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "pointer":
			one.Pointer = a.Value.String()
		case "finding":
			one.Text = a.Value.String()
		}
		return true
	})
	if one.Text != "" {
		*f.list = append(*f.list, one)
	}
	return nil
}
