package objects

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console/send"
	"github.com/wxpay-go/wxpay/cmd/wxpay/internal/console/view"
	"github.com/wxpay-go/wxpay/sandbox"
)

func (p *Pages) registerDeliveries(mux *http.ServeMux) {
	mux.HandleFunc("GET /deliveries", p.deliveries)
	mux.HandleFunc("GET /deliveries/{id}", p.delivery)
	mux.HandleFunc("POST /deliveries/{id}/resend", p.resend)
	mux.HandleFunc("GET /events", p.events)
	mux.HandleFunc("POST /events", p.deliver)
}

// open decrypts the resource of a notification, with the merchant's key or the brand's.
func open(s *sandbox.Sandbox, d sandbox.Delivery) ([]byte, error) {
	var envelope struct {
		Resource struct {
			Ciphertext string `json:"ciphertext"`
			Nonce      string `json:"nonce"`
			Additional string `json:"associated_data"`
		} `json:"resource"`
	}
	if err := json.Unmarshal(d.Body, &envelope); err != nil {
		return nil, errors.New("the body is no envelope")
	}
	sealed, err := base64.StdEncoding.DecodeString(envelope.Resource.Ciphertext)
	if err != nil {
		return nil, errors.New("the ciphertext is no base64")
	}
	keys := []string{send.ViewOf(s, d.Merchant).Merchant().APIv3Key}
	if strings.HasPrefix(d.Event, "BRAND_") {
		if b, err := s.Brand(); err == nil {
			keys = append(keys, b.Key)
		}
	}
	for _, key := range keys {
		plain, err := apiv3.OpenAESGCM([]byte(key), []byte(envelope.Resource.Nonce), []byte(envelope.Resource.Additional), sealed)
		if err == nil {
			return plain, nil
		}
	}
	return nil, errors.New("no key of the sandbox opens it")
}

// log is the page of all notifications.
type log struct {
	Rows  []sandbox.Delivery
	Older string
}

func (p *Pages) deliveries(w http.ResponseWriter, r *http.Request) {
	all := p.Sandbox.Deliveries.All()
	end := len(all)
	if before := r.URL.Query().Get("before"); before != "" {
		if at := slices.IndexFunc(all, func(d sandbox.Delivery) bool { return d.ID == before }); at >= 0 {
			end = at
		}
	}
	start := max(0, end-pageSize)
	page := log{Rows: slices.Clone(all[start:end])}
	slices.Reverse(page.Rows)
	if start > 0 {
		page.Older = "/deliveries?" + url.Values{"before": {all[start].ID}}.Encode()
	}
	view.Write(w, r, view.Frame{Template: "deliveries", Title: "Notifications", Section: "objects"}, page)
}

// notification is the page of one notification.
type notification struct {
	sandbox.Delivery
	Plain    []byte
	Sealed   string // why it cannot be opened
	Attempts []attempt
}

// attempt is one attempt, with its headers in lines.
type attempt struct {
	sandbox.Attempt
	Sent, Answered string
}

func lines(header http.Header) string {
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(header)) {
		for _, value := range header[name] {
			out.WriteString(name + ": " + value + "\n")
		}
	}
	return out.String()
}

func (p *Pages) delivery(w http.ResponseWriter, r *http.Request) { p.writeDelivery(w, r, "", nil) }

func (p *Pages) writeDelivery(w http.ResponseWriter, r *http.Request, done string, problem error) {
	id := r.PathValue("id")
	all := p.Sandbox.Deliveries.All()
	at := slices.IndexFunc(all, func(d sandbox.Delivery) bool { return d.ID == id })
	frame := view.Frame{Template: "delivery", Title: "Notification", Section: "objects", Done: done, Err: problem}
	if at < 0 {
		frame.Template, frame.Status = "gone-object", http.StatusNotFound
		frame.Err = errors.New(view.Say(r, "The log has no such notification, or has it no more."))
		view.Write(w, r, frame, nil)
		return
	}
	page := notification{Delivery: all[at]}
	plain, err := open(p.Sandbox, page.Delivery)
	if page.Plain = plain; err != nil {
		page.Sealed = err.Error()
	}
	for _, a := range page.Delivery.Attempts {
		page.Attempts = append(page.Attempts, attempt{a, lines(a.Header), lines(a.ResponseHeader)})
	}
	view.Write(w, r, frame, page)
}

func (p *Pages) resend(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	before, err := p.Sandbox.Deliveries.Await(r.Context(), id, 0)
	if err == nil {
		err = p.Sandbox.Deliveries.Redeliver(id)
	}
	if err == nil {
		_, err = p.Sandbox.Deliveries.Await(r.Context(), id, len(before.Attempts)+1)
	}
	done := ""
	if err == nil {
		done = view.Say(r, "It was sent once more; the last attempt tells the answer.")
	}
	p.writeDelivery(w, r, done, err)
}

// draft is the page that sends a notification of any event.
type draft struct {
	Events    []string
	Event     string
	URL       string
	Resource  string
	Merchant  string
	Merchants []string
}

func (p *Pages) events(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	p.draft(w, r, draft{Event: q.Get("event"), URL: "http://127.0.0.1:8080/notify", Merchant: q.Get("merchant")}, nil)
}

func (p *Pages) draft(w http.ResponseWriter, r *http.Request, page draft, problem error) {
	s := send.ViewOf(p.Sandbox, page.Merchant)
	page.Merchant, page.Merchants = s.Merchant().ID, send.Merchants(p.Sandbox)
	for event := range catalog.V3().Events() {
		page.Events = append(page.Events, event.Type)
	}
	if page.Event == "" {
		page.Event = "TRANSACTION.SUCCESS"
	}
	if page.Resource == "" && problem == nil {
		var sample map[string]any
		if sample, problem = s.Deliveries.Sample(page.Event); problem == nil {
			text, err := json.MarshalIndent(sample, "", "  ")
			page.Resource, problem = string(text), err
		}
	}
	frame := view.Frame{Template: "events", Title: "Notify", Section: "objects", Err: problem}
	view.Write(w, r, frame, page)
}

func (p *Pages) deliver(w http.ResponseWriter, r *http.Request) {
	page := draft{
		Event: r.PostFormValue("event"), URL: strings.TrimSpace(r.PostFormValue("url")), Resource: r.PostFormValue("resource"),
		Merchant: r.PostFormValue("merchant"),
	}
	if !json.Valid([]byte(page.Resource)) {
		p.draft(w, r, page, errors.New("the resource is not JSON"))
		return
	}
	s := send.ViewOf(p.Sandbox, page.Merchant)
	id, err := s.Deliveries.Deliver(page.URL, page.Event, json.RawMessage(page.Resource))
	if err != nil {
		p.draft(w, r, page, err)
		return
	}
	if _, err := s.Deliveries.Await(r.Context(), id, 1); err != nil {
		return // the browser is gone, or the sandbox
	}
	http.Redirect(w, r, "/deliveries/"+id, http.StatusSeeOther)
}
