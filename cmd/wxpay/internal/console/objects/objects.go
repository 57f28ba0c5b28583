package objects

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console/send"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console/view"
	"github.com/wxpay-go/wxpay/sandbox"
)

// Register adds the pages.
func (p *Pages) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /objects", p.list)
	mux.HandleFunc("GET /objects/one", p.show)
	mux.HandleFunc("POST /objects/settle", p.settle)
	p.registerDeliveries(mux)
}

// kinds are those of the ledger.
var kinds = []sandbox.EffectKind{
	sandbox.OrderEffect, sandbox.PaymentEffect, sandbox.ReversalEffect, sandbox.RefundEffect, sandbox.TransferEffect, sandbox.ShareEffect,
	sandbox.ReturnEffect, sandbox.FeedEffect, sandbox.ServiceEffect, sandbox.CouponEffect,
}

// finals are the states that the platform can settle a thing in.
var finals = map[sandbox.EffectKind][]string{
	sandbox.RefundEffect:   {"SUCCESS", "CLOSED", "ABNORMAL"},
	sandbox.TransferEffect: {"SUCCESS", "FAIL", "CANCELLED"},
	sandbox.ShareEffect:    {"SUCCESS", "CLOSED"},
	sandbox.ReturnEffect:   {"SUCCESS", "FAILED"},
}

// list is the page of all objects.
type list struct {
	Merchant, Kind, Search string
	Merchants              []string
	Kinds                  []sandbox.EffectKind
	Rows                   []object
	Older                  string // address; empty on the last page
}

// object is one thing.
type object struct {
	sandbox.Effect
	Key string // its number, as the sandbox's methods take it
}

func objectOf(e sandbox.Effect) object { return object{e, send.Key(e)} }

func (p *Pages) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s := send.ViewOf(p.Sandbox, q.Get("merchant"))
	page := list{Merchant: s.Merchant().ID, Merchants: send.Merchants(p.Sandbox), Kind: q.Get("kind"), Search: strings.TrimSpace(q.Get("q")), Kinds: kinds}
	var wanted []sandbox.EffectKind
	if page.Kind != "" {
		wanted = append(wanted, sandbox.EffectKind(page.Kind))
	}
	effects := s.Ledger.Effects(wanted...)
	end := len(effects)
	if before, err := strconv.Atoi(q.Get("before")); err == nil && before >= 0 && before < end {
		end = before
	}
	for i := end - 1; i >= 0; i-- {
		o := objectOf(effects[i])
		if page.Search != "" && !strings.Contains(o.Key, page.Search) {
			continue
		}
		if len(page.Rows) == pageSize {
			next := url.Values{"merchant": {page.Merchant}, "kind": {page.Kind}, "q": {page.Search}, "before": {strconv.Itoa(i + 1)}}
			page.Older = "/objects?" + next.Encode()
			break
		}
		page.Rows = append(page.Rows, o)
	}
	view.Write(w, r, view.Frame{Template: "objects", Title: "Objects", Section: "objects"}, page)
}

// one is the page of one object.
type one struct {
	object
	Merchant string
	Finals   []string
	Payable  bool
	Params   []byte
	History  []event
	Cut      bool // the journal or the log was longer than what was searched
}

// event is one thing in the history of an object.
type event struct {
	Time  time.Time
	What  string // effect, request or notification
	Text  string
	State string
	Link  string
	Bad   bool
}

// searched bounds how many requests are searched for an object.
const searched = 5000

func (p *Pages) find(r *http.Request) (one, *sandbox.Sandbox, bool) {
	s := send.ViewOf(p.Sandbox, r.FormValue("merchant"))
	kind, key := sandbox.EffectKind(r.FormValue("kind")), r.FormValue("number")
	effects := s.Ledger.Effects()
	for _, e := range slices.Backward(effects) {
		o := objectOf(e)
		if o.Kind != kind || o.Key != key {
			continue
		}
		page := one{object: o, Merchant: s.Merchant().ID, Finals: finals[kind], Params: []byte(e.Params)}
		page.Payable = kind == sandbox.OrderEffect && (e.State == "NOTPAY" || e.State == "USERPAYING")
		p.history(&page, s, effects)
		return page, s, true
	}
	return one{}, s, false
}

// history collects what mentions the number of an object: effects, requests and notifications.
func (p *Pages) history(page *one, s *sandbox.Sandbox, effects []sandbox.Effect) {
	number := page.Number
	for _, e := range effects {
		o := objectOf(e)
		if e.Number == number || mentions(e.Params, number) {
			page.History = append(page.History, event{
				Time: e.Time, What: "effect", Text: string(e.Kind) + " " + o.Key + " " + view.Yuan(e.Amount), State: e.State,
				Link: "/objects/one?" + url.Values{"merchant": {page.Merchant}, "kind": {string(e.Kind)}, "number": {o.Key}}.Encode(),
			})
		}
	}
	count := 0
	for e := range p.Sandbox.Journal.Backward(0) {
		if count++; count > searched {
			page.Cut = true
			break
		}
		if strings.Contains(e.Target, number) || mentions(string(e.Body), number) {
			page.History = append(page.History, event{
				Time: e.Time, What: "request", Text: e.Method + " " + e.Target, State: strconv.Itoa(e.Status), Bad: e.Status >= 400,
				Link: "/journal/" + strconv.FormatInt(e.Number, 10),
			})
		}
	}
	for _, d := range s.Deliveries.All() {
		if d.Merchant != page.Merchant {
			continue
		}
		plain, err := open(s, d)
		if err == nil && mentions(string(plain), number) {
			first := d.Next
			if len(d.Attempts) > 0 {
				first = d.Attempts[0].Time
			}
			page.History = append(page.History, event{
				Time: first, What: "notification", Text: d.Event, State: string(d.State), Bad: d.State == sandbox.GivenUp || d.State == sandbox.Unsent,
				Link: "/deliveries/" + d.ID,
			})
		}
	}
	slices.SortStableFunc(page.History, func(a, b event) int { return a.Time.Compare(b.Time) })
}

// mentions reports whether a JSON text has a number as one of its values.
func mentions(text, number string) bool {
	quoted, err := json.Marshal(number)
	return err == nil && strings.Contains(text, string(quoted))
}

func (p *Pages) show(w http.ResponseWriter, r *http.Request) { p.write(w, r, "", nil) }

func (p *Pages) write(w http.ResponseWriter, r *http.Request, done string, problem error) {
	page, _, ok := p.find(r)
	frame := view.Frame{Template: "object", Title: "Object", Section: "objects", Done: done, Err: problem}
	if !ok {
		frame.Template, frame.Status = "gone-object", http.StatusNotFound
		frame.Err = errors.New(view.Say(r, "The merchant has made no such thing."))
	}
	view.Write(w, r, frame, page)
}

func (p *Pages) settle(w http.ResponseWriter, r *http.Request) {
	s := send.ViewOf(p.Sandbox, r.PostFormValue("merchant"))
	kind := sandbox.EffectKind(r.PostFormValue("kind"))
	err := errors.New("nothing settles such a thing")
	if finals[kind] != nil {
		err = s.Ledger.Settle(kind, r.PostFormValue("number"), r.PostFormValue("state"))
	}
	done := ""
	if err == nil {
		done = view.Say(r, "Settled:") + " " + cmp.Or(r.PostFormValue("state"), "SUCCESS")
	}
	p.write(w, r, done, err)
}
