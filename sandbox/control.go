package sandbox

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/visible"
)

// ControlPath is where a [Server] serves what [Sandbox.Control] does.
const ControlPath = "/_sandbox/"

// control is one order of the control API, which is one method of the Go API.
type control struct {
	method, path string // below ControlPath
	does         string // the method of the Go API: its type, without a star, and its name
	run          any    // func(*Sandbox, …) (…, error); a context may stand first
	// in names the parameters in their order, as members of the JSON body, or of the query of a GET. One with a ? may be absent. A
	// single * is the whole body.
	in string
	// out names the result. Without a name the answer is the result itself, or {} if there is none.
	out string
}

// controls are all orders. A test holds it against the methods of the Go API.
var controls = []control{
	{"POST", "pay", "Sandbox.Pay", (*Sandbox).Pay, "out_trade_no", "transaction_id"},
	{"POST", "pay/as", "Sandbox.PayAs", (*Sandbox).PayAs, "out_trade_no openid", "transaction_id"},
	{"POST", "pay/fail", "Sandbox.FailPayment", (*Sandbox).FailPayment, "out_trade_no", ""},
	{"POST", "paid-orders", "Sandbox.AddPaidOrder", (*Sandbox).AddPaidOrder, "out_trade_no total", "transaction_id"},
	{"POST", "settle", "Sandbox.Settle", (*Sandbox).Settle, "kind number state", ""},
	{"POST", "fates", "Sandbox.SetEnding", (*Sandbox).setFates, "rules", ""},
	{"GET", "ledger", "Sandbox.Ledger", (*Sandbox).Ledger, "kind?", "effects"},

	{"POST", "member-cards", "Sandbox.OpenMemberCard", (*Sandbox).OpenMemberCard, "card_id openid phone", "user_card_code"},
	{"POST", "member-cards/delete", "Sandbox.DeleteMemberCard", (*Sandbox).DeleteMemberCard, "card_id openid", ""},
	{"GET", "member-cards", "Sandbox.MemberCards", (*Sandbox).MemberCards, "", "member_cards"},
	{"GET", "member-feeds", "Sandbox.MemberFeeds", (*Sandbox).MemberFeeds, "", "member_feeds"},
	{"POST", "member-feeds/repeated", "Sandbox.OnRepeatedFeed", (*Sandbox).OnRepeatedFeed, "way", ""},
	{"POST", "points/ask", "Sandbox.AskForPoints", (*Sandbox).AskForPoints, "card_id openid", ""},
	{"POST", "points/exchange", "Sandbox.ExchangePoints", (*Sandbox).ExchangePoints, "card_id openid exchange_coupon_template_id stock_id deduct_points", "record_id"},
	{"GET", "points/exchanges", "Sandbox.PointExchanges", (*Sandbox).PointExchanges, "", "exchanges"},
	{"POST", "complaints", "Sandbox.Complain", (*Sandbox).Complain, "*", "complaint_id"},
	{"POST", "complaints/continue", "Sandbox.ContinueComplaint", (*Sandbox).ContinueComplaint, "complaint_id detail", ""},
	{"GET", "complaints", "Sandbox.Complaints", (*Sandbox).Complaints, "", "complaints"},
	{"POST", "service-orders/confirm", "Sandbox.ConfirmServiceOrder", (*Sandbox).ConfirmServiceOrder, "out_order_no", ""},
	{"POST", "service-orders/pay", "Sandbox.PayServiceOrder", (*Sandbox).PayServiceOrder, "out_order_no", "transaction_id"},

	{"POST", "shares/notify-url", "Sandbox.NotifySharesAt", (*Sandbox).NotifySharesAt, "url", ""},
	{"POST", "shares/balance", "Sandbox.SetBalance", (*Sandbox).SetBalance, "mchid fen", ""},

	{"GET", "rules", "Sandbox.Enforced", (*Sandbox).Enforced, "", "rules"},
	{"POST", "rules/enforce", "Sandbox.Enforce", (*Sandbox).Enforce, "rules", ""},
	{"POST", "rules/relax", "Sandbox.Relax", (*Sandbox).Relax, "rules", ""},

	{"GET", "clock", "Clock.Now", (*Sandbox).tellTime, "", ""},
	{"POST", "clock/jump", "Clock.Jump", func(s *Sandbox, by time.Duration) (clockView, error) { return s.moved(s.Clock().Jump(by)) }, "by", ""},
	{"POST", "clock/freeze", "Clock.Freeze", func(s *Sandbox) (clockView, error) { return s.moved(s.Clock().Freeze()) }, "", ""},
	{"POST", "clock/unfreeze", "Clock.Unfreeze", func(s *Sandbox) (clockView, error) { return s.moved(s.Clock().Unfreeze()) }, "", ""},

	{"POST", "faults", "Sandbox.Inject", (*Sandbox).injectLines, "rules", ""},
	{"GET", "faults", "Sandbox.Faults", (*Sandbox).Faults, "", "rules"},
	{"DELETE", "faults", "Sandbox.ClearFaults", (*Sandbox).ClearFaults, "", ""},
	{"GET", "faults/counts", "Sandbox.FaultCounts", (*Sandbox).FaultCounts, "", "counts"},

	{"GET", "merchants", "Sandbox.Merchants", (*Sandbox).Merchants, "", "merchants"},
	{"POST", "merchants", "Sandbox.AddMerchant", (*Sandbox).AddMerchant, "mchid", ""},
	{"GET", "merchant", "Sandbox.Merchant", (*Sandbox).self, "", ""},
	{"POST", "appids", "Sandbox.BindAppID", (*Sandbox).BindAppID, "appid", ""},
	{"GET", "sub-merchants", "Sandbox.SubMerchants", (*Sandbox).SubMerchants, "", "sub_merchants"},
	{"POST", "sub-merchants", "Sandbox.AddSubMerchant", (*Sandbox).AddSubMerchant, "sub_mchid", ""},
	{"GET", "brand", "Sandbox.Brand", (*Sandbox).Brand, "", ""},

	{"POST", "keys/mode", "Sandbox.SetKeyMode", (*Sandbox).SetKeyMode, "mode", ""},
	{"POST", "keys/public-key-share", "Sandbox.SetPublicKeyShare", (*Sandbox).SetPublicKeyShare, "percent", ""},
	{"GET", "keys/certificates", "Sandbox.Certificates", (*Sandbox).Certificates, "", "certificates"},
	{"POST", "keys/certificates", "Sandbox.AddCertificate", (*Sandbox).AddCertificate, "validity", ""},
	{"POST", "keys/certificates/shift", "Sandbox.SignWith", (*Sandbox).SignWith, "serial percent", ""},
	{"POST", "keys/certificates/expire", "Sandbox.ExpireCertificate", (*Sandbox).ExpireCertificate, "serial", ""},
	{"POST", "keys/certificates/remove", "Sandbox.RemoveCertificate", (*Sandbox).RemoveCertificate, "serial", ""},
	{"GET", "keys/root", "Sandbox.Root", (*Sandbox).Root, "", ""},
	{"POST", "keys/merchant-certificates", "Sandbox.AddMerchantCertificate", (*Sandbox).AddMerchantCertificate, "", ""},
	{"POST", "keys/merchant-certificates/revoke", "Sandbox.RevokeMerchantCertificate", (*Sandbox).RevokeMerchantCertificate, "serial", ""},

	{"GET", "deliveries", "Sandbox.Deliveries", (*Sandbox).Deliveries, "", "deliveries"},
	{"POST", "deliveries", "Sandbox.Deliver", (*Sandbox).deliverFaulty, "url event resource? faults?", "id"},
	{"POST", "deliveries/resend", "Sandbox.Redeliver", (*Sandbox).Redeliver, "id", ""},
	{"GET", "deliveries/await", "Sandbox.Await", func(ctx context.Context, s *Sandbox, id string, attempts int) (Delivery, error) {
		return s.Await(ctx, id, attempts)
	}, "id attempts", ""},
	{"POST", "deliveries/plans", "Sandbox.PlanDeliveries", (*Sandbox).setPlans, "rules", ""},
	{"GET", "sample", "Sandbox.Sample", (*Sandbox).Sample, "event", "resource"},
	{"POST", "notify", "Sandbox.Notify", (*Sandbox).notifyFaulty, "event resource? faults?", ""},

	{"GET", "journal", "Sandbox.Find", (*Sandbox).Find, "*", "entries"},
	{"GET", "journal/explain", "Sandbox.Explain", (*Sandbox).Explain, "id?", "explanation"},
	{"DELETE", "journal", "Sandbox.ResetJournal", (*Sandbox).ResetJournal, "", ""},
	{"POST", "journal/expect", "Sandbox.Expect", (*Sandbox).Expect, "match times", ""},

	{"GET", "snapshot", "Sandbox.Snapshot", func(s *Sandbox) (json.RawMessage, error) { return s.Snapshot() }, "", ""},
	{"POST", "restore", "Sandbox.Restore", func(s *Sandbox, snapshot json.RawMessage) error { return s.Restore(snapshot) }, "*", ""},
	{"POST", "reset", "Sandbox.Reset", (*Sandbox).Reset, "", ""},
}

// Control returns a handler that does what the methods of the sandbox do, for programs in other languages and for the command
// line: JSON in, JSON out, an error as {"message": …} with status 400 (409 where an expectation is not met). Paths begin with
// [ControlPath]; docs/sandbox.md lists them, and an unknown one is answered with the list. A query parameter merchant=NUMBER says
// whose view is meant where there are several, by default the first merchant's. A [Server] serves it beside the platform's paths.
//
// It is for programs on this machine and no one else. It refuses peers that are not on loopback and names for this machine that are
// not of it (which a foreign page could have brought about), both unless [WithNetwork] permits them, and whatever a page in a browser
// sends.
func (s *Sandbox) Control() http.Handler { return http.HandlerFunc(s.serveControl) }

// WithNetwork permits [Sandbox.Listen] on addresses that are not loopback, and control from other machines, which must call this
// one by an IP address or by one of these names. Whoever reaches it can take the sandbox's keys and change everything in it, so it
// is for closed networks, such as that of a test's containers.
func WithNetwork(names ...string) Option {
	return func(s *settings) error {
		for _, name := range names {
			if err := visible.Word(name); err != nil {
				return fmt.Errorf("sandbox: WithNetwork: of the name %s, %w", redact.Quote(name), err)
			}
		}
		s.network, s.names = true, append(s.names, names...)
		return nil
	}
}

// controlBody bounds the body of an order; a snapshot can be large.
const controlBody = 256 << 20

// errExpectation is an expectation that is not met.
var errExpectation = errors.New("not as expected")

func (s *Sandbox) serveControl(w http.ResponseWriter, r *http.Request) {
	status, answer := http.StatusOK, any(nil)
	if reason := s.forbids(r); reason != "" {
		status, answer = http.StatusForbidden, problemOf(errors.New(reason))
	} else if c, err := controlOf(r); err != nil {
		status, answer = http.StatusNotFound, problemOf(err)
	} else {
		var err error
		switch answer, err = s.carryOut(c, r); {
		case errors.Is(err, errExpectation):
			status, answer = http.StatusConflict, problemOf(err)
		case err != nil:
			status, answer = http.StatusBadRequest, problemOf(err)
		}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(append(marshal(answer), '\n'))
}

// problem is the answer to an order that is not carried out.
type problem struct {
	Message string `json:"message"`
}

func problemOf(err error) problem {
	return problem{strings.TrimPrefix(err.Error(), "sandbox: ")}
}

// forbids reports why a request may not control the sandbox.
func (g *gateway) forbids(r *http.Request) string {
	for _, name := range [...]string{"Origin", "Referer"} {
		if r.Header.Get(name) != "" {
			return "a request with the header " + name + " comes from a page in a browser, and pages do not control the sandbox"
		}
	}
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && (site != "none" || r.Method != http.MethodGet) {
		return "the header Sec-Fetch-Site says that a page in a browser sends this, and pages do not control the sandbox"
	}
	peer, _, _ := net.SplitHostPort(r.RemoteAddr)
	if ip := net.ParseIP(peer); !g.network && (ip == nil || !ip.IsLoopback()) {
		return "the sandbox is controlled from its own machine only; see WithNetwork"
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	switch {
	case host == "localhost", ip != nil && (g.network || ip.IsLoopback()), slices.Contains(g.names, host):
		return ""
	}
	return "the header Host names another machine; call the sandbox by 127.0.0.1, or see WithNetwork"
}

// controlOf returns the order that a request means.
func controlOf(r *http.Request) (c control, err error) {
	path, below := strings.CutPrefix(r.URL.Path, ControlPath)
	var others []string
	for _, c := range controls {
		if below && c.path == path {
			if c.method == r.Method {
				return c, nil
			}
			others = append(others, c.method)
		}
	}
	if others != nil {
		return c, fmt.Errorf("%s is for %s", r.URL.Path, strings.Join(others, " and "))
	}
	var list strings.Builder
	for _, c := range controls {
		fmt.Fprintf(&list, "\n%s %s%s %s", c.method, ControlPath, c.path, c.in)
	}
	return c, errors.New("there is no such order; there are" + list.String())
}

// carryOut carries an order out.
func (s *Sandbox) carryOut(c control, r *http.Request) (any, error) {
	query := r.URL.Query()
	if id := query.Get("merchant"); id != "" {
		view := s.tenants.find(id)
		if view == nil {
			return nil, fmt.Errorf("the sandbox has no merchant %q; it has %s", id, strings.Join(s.tenants.ids(), ", "))
		}
		s = view
		query.Del("merchant")
	}
	var members map[string]json.RawMessage
	var body []byte
	if r.Method == http.MethodGet {
		members = make(map[string]json.RawMessage)
		for name, values := range query {
			members[name] = marshal(values)
		}
	} else {
		if len(query) > 0 {
			return nil, errors.New("parameters other than merchant belong into the JSON body")
		}
		var err error
		if body, err = io.ReadAll(http.MaxBytesReader(nil, r.Body, controlBody)); err != nil {
			return nil, errors.New("the body did not arrive whole, or is too large")
		}
		media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if len(body) > 0 && media != "application/json" {
			return nil, errors.New("the body must be JSON, and Content-Type application/json")
		}
		if c.in != "*" && len(body) > 0 {
			if err := json.Unmarshal(body, &members); err != nil {
				return nil, errors.New("the body is not a JSON object")
			}
		}
	}
	run := reflect.ValueOf(c.run)
	var arguments []reflect.Value
	at := 0
	if run.Type().In(0) == reflect.TypeFor[context.Context]() {
		arguments, at = append(arguments, reflect.ValueOf(r.Context())), 1
	}
	arguments = append(arguments, reflect.ValueOf(s))
	at++
	names := strings.Fields(c.in)
	for i, name := range names {
		kind := run.Type().In(at + i)
		name, optional := strings.CutSuffix(name, "?")
		var text json.RawMessage
		switch {
		case name == "*" && r.Method == http.MethodGet:
			text = objectOf(members, kind)
			members = nil
		case name == "*":
			text = body
		default:
			text = members[name]
			delete(members, name)
			if r.Method == http.MethodGet && text != nil {
				text = fromQuery(text, kind)
			}
			if text == nil && !optional {
				return nil, fmt.Errorf("%s is missing; the order takes %s", name, c.in)
			}
		}
		value, err := readArgument(kind, text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", strings.Replace(name, "*", "the body", 1), err)
		}
		arguments = append(arguments, value)
	}
	for name := range members {
		return nil, fmt.Errorf("there is no parameter %q; the order takes %s", name, cmp.Or(c.in, "none"))
	}
	call := run.Call
	if run.Type().IsVariadic() {
		call = run.CallSlice
	}
	results := call(arguments)
	if n := len(results); n > 0 {
		if err, ok := results[n-1].Interface().(error); ok && err != nil {
			return nil, err
		}
		if run.Type().Out(n-1) == reflect.TypeFor[error]() {
			results = results[:n-1]
		}
	}
	switch {
	case len(results) == 0:
		return struct{}{}, nil
	case c.out == "":
		return shown(results[0].Interface()), nil
	}
	return map[string]any{c.out: shown(results[0].Interface())}, nil
}

// readArgument reads a parameter. A duration is a text, such as 24h.
func readArgument(kind reflect.Type, text json.RawMessage) (reflect.Value, error) {
	value := reflect.New(kind)
	if len(text) == 0 {
		return value.Elem(), nil
	}
	if kind == reflect.TypeFor[json.RawMessage]() {
		value.Elem().SetBytes(text)
		return value.Elem(), nil
	}
	if kind == reflect.TypeFor[time.Duration]() {
		var d duration
		if err := json.Unmarshal(text, &d); err != nil {
			return value, err
		}
		value.Elem().SetInt(int64(d))
		return value.Elem(), nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	if err := decoder.Decode(value.Interface()); err != nil {
		return value, errors.New(strings.TrimPrefix(err.Error(), "json: "))
	}
	return value.Elem(), nil
}

// duration is one in JSON.
type duration time.Duration

func (d *duration) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) != nil {
		return errors.New(`a duration is a text such as "300ms", "15s" or "24h"`)
	}
	parsed, err := time.ParseDuration(text)
	if err != nil {
		return errors.New(`a duration is a text such as "300ms", "15s" or "24h"`)
	}
	*d = duration(parsed)
	return nil
}

func (d duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// fromQuery makes JSON of the values of a query parameter, for a parameter of that kind.
func fromQuery(values json.RawMessage, kind reflect.Type) json.RawMessage {
	if kind.Kind() == reflect.Slice {
		return values
	}
	var texts []string
	if json.Unmarshal(values, &texts) != nil || len(texts) == 0 {
		return nil
	}
	if last := texts[len(texts)-1]; kind.Kind() != reflect.String {
		if _, err := strconv.ParseInt(last, 10, 64); err == nil || last == "true" || last == "false" {
			return json.RawMessage(last)
		}
	}
	return marshal(texts[len(texts)-1])
}

// objectOf makes a JSON object of a query, for a struct of that kind.
func objectOf(members map[string]json.RawMessage, kind reflect.Type) json.RawMessage {
	object := make(map[string]json.RawMessage, len(members))
	for name, values := range members {
		member := reflect.TypeFor[string]()
		for i := range kind.NumField() {
			if tag, _, _ := strings.Cut(kind.Field(i).Tag.Get("json"), ","); tag == name {
				member = kind.Field(i).Type
			}
		}
		object[name] = fromQuery(values, member)
	}
	return marshal(object)
}

// shown is a result as the control API tells it.
func shown(result any) any {
	switch v := result.(type) {
	case *x509.Certificate:
		return certificateView{apiv3.Serial(v), v.NotBefore, v.NotAfter, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: v.Raw}))}
	case []*x509.Certificate:
		return shownAll(v)
	case *Sandbox:
		return v.self()
	case []*Sandbox:
		return shownAll(v)
	case Merchant:
		return merchantView{ID: v.ID, Serial: v.Serial, PrivateKey: pemText("PRIVATE KEY", v.PrivateKey, x509.MarshalPKCS8PrivateKey), APIv3Key: v.APIv3Key}
	case Brand:
		return brandView{
			v.ID, v.Serial, pemText("PRIVATE KEY", v.PrivateKey, x509.MarshalPKCS8PrivateKey), v.Key, v.PublicKeyID,
			pemText("PUBLIC KEY", v.PublicKey, x509.MarshalPKIXPublicKey),
		}
	case []Fault:
		lines := make([]string, len(v))
		for i, f := range v {
			lines[i] = f.String()
		}
		return lines
	case []Entry:
		return shownAll(v)
	case Entry:
		return entryView{
			v.ID, v.Time, v.Merchant, v.Method, v.Target, v.Header, textOf(v.Body), v.Status, v.ResponseHeader, textOf(v.ResponseBody), v.Verified,
			v.Reason, v.Explanation, v.Fault,
		}
	case []Delivery:
		return shownAll(v)
	case Delivery:
		d := deliveryView{v.ID, v.Merchant, v.Event, v.URL, textOf(v.Body), v.State, v.Reason, v.Next, make([]attemptView, len(v.Attempts))}
		for i, a := range v.Attempts {
			d.Attempts[i] = attemptView{a.Time, duration(a.Took), a.Header, a.Status, a.ResponseHeader, textOf(a.Answer), a.Error}
		}
		return d
	}
	if v := reflect.ValueOf(result); v.Kind() == reflect.Slice && v.IsNil() {
		return []any{}
	}
	return result
}

func shownAll[T any](list []T) []any {
	all := make([]any, len(list))
	for i, one := range list {
		all[i] = shown(one)
	}
	return all
}

// textOf is a body as text; what is no UTF-8 is told as such, and is in the Go API.
func textOf(body []byte) string {
	if !utf8.Valid(body) {
		return fmt.Sprintf("(%d bytes that are no text)", len(body))
	}
	return string(body)
}

type certificateView struct {
	Serial    string    `json:"serial"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	PEM       string    `json:"pem"`
}

type merchantView struct {
	ID          string            `json:"mchid"`
	Serial      string            `json:"serial"`
	PrivateKey  string            `json:"private_key"` // PEM
	APIv3Key    string            `json:"apiv3_key"`
	PublicKeyID string            `json:"public_key_id,omitempty"`
	PublicKey   string            `json:"public_key,omitempty"` // PEM
	Env         map[string]string `json:"env,omitempty"`
}

type brandView struct {
	ID          string `json:"brand_id"`
	Serial      string `json:"serial"`
	PrivateKey  string `json:"private_key"`
	Key         string `json:"apiv3_key"`
	PublicKeyID string `json:"public_key_id"`
	PublicKey   string `json:"public_key"`
}

type entryView struct {
	ID             string      `json:"id"`
	Time           time.Time   `json:"time"`
	Merchant       string      `json:"merchant,omitempty"`
	Method         string      `json:"method"`
	Target         string      `json:"target"`
	Header         http.Header `json:"header"`
	Body           string      `json:"body"`
	Status         int         `json:"status"`
	ResponseHeader http.Header `json:"answer_header"`
	ResponseBody   string      `json:"answer_body"`
	Verified       bool        `json:"verified"`
	Reason         string      `json:"reason,omitempty"`
	Explanation    string      `json:"explanation,omitempty"`
	Fault          FaultKind   `json:"fault,omitempty"`
}

type deliveryView struct {
	ID       string        `json:"id"`
	Merchant string        `json:"merchant"`
	Event    string        `json:"event"`
	URL      string        `json:"url"`
	Body     string        `json:"body"`
	State    DeliveryState `json:"state"`
	Reason   string        `json:"reason,omitempty"`
	Next     time.Time     `json:"next,omitzero"`
	Attempts []attemptView `json:"attempts"`
}

type attemptView struct {
	Time           time.Time   `json:"time"`
	Took           duration    `json:"took"`
	Header         http.Header `json:"header"`
	Status         int         `json:"status"`
	ResponseHeader http.Header `json:"answer_header,omitempty"`
	Answer         string      `json:"answer,omitempty"`
	Error          string      `json:"error,omitempty"`
}

type clockView struct {
	Now    time.Time `json:"now"`
	Wire   time.Time `json:"wire"`
	Frozen bool      `json:"frozen"`
}

func (s *Sandbox) tellTime() clockView {
	return clockView{s.Clock().Now(), s.wire(), s.Clock().Frozen()}
}

func (s *Sandbox) moved(err error) (clockView, error) { return s.tellTime(), err }

// self is the merchant with everything that a client needs.
func (s *Sandbox) self() merchantView {
	v := shown(s.merchant).(merchantView)
	v.Env = make(map[string]string)
	for _, variable := range s.variables() {
		v.Env[variable.name] = variable.value
	}
	v.PublicKeyID, v.PublicKey = v.Env["WXPAY_PUBLIC_KEY_ID"], v.Env["WXPAY_PUBLIC_KEY"]
	return v
}

// fateRule is [Sandbox.SetEnding] without a function.
type fateRule struct {
	Kind   EffectKind `json:"kind"`
	Number string     `json:"number"` // empty for all
	State  string     `json:"state"`
	After  *duration  `json:"after"` // absent for never by itself
}

// setFates has the first rule that matches decide; what no rule matches ends as it does by default.
func (s *Sandbox) setFates(rules []fateRule) error {
	for _, rule := range rules {
		states := finalStates[rule.Kind]
		if states == nil {
			return fmt.Errorf("a rule is for the kind %q, which has no fate", rule.Kind)
		}
		if rule.State != "" && !slices.Contains(states, rule.State) {
			return fmt.Errorf("a %s ends in %s, not in %q", rule.Kind, strings.Join(states, ", "), rule.State)
		}
	}
	if len(rules) == 0 {
		s.SetEnding(nil)
		return nil
	}
	s.SetEnding(func(kind EffectKind, number string) Ending {
		for _, rule := range rules {
			if rule.Kind == kind && (rule.Number == "" || rule.Number == number) {
				fate := Ending{State: rule.State, After: -1}
				if rule.After != nil {
					fate.After = time.Duration(*rule.After)
				}
				return fate
			}
		}
		return defaultFate(kind)
	})
	return nil
}

// planRule is [Sandbox.PlanDeliveries] without a function.
type planRule struct {
	Event  string      `json:"event"` // event_type; empty for all
	URL    string      `json:"url"`   // empty for all
	After  duration    `json:"after"`
	Copies int         `json:"copies"`
	Faults []FaultKind `json:"faults"`
	Waits  []duration  `json:"waits"` // null or absent keeps the documented ones
}

// setPlans has the first rule that matches decide; what no rule matches is delivered as documented.
func (s *Sandbox) setPlans(rules []planRule) error {
	for _, rule := range rules {
		if err := checkNotificationFaults(rule.Faults); err != nil {
			return err
		}
		if rule.After < 0 || rule.Copies < 0 || slices.ContainsFunc(rule.Waits, func(d duration) bool { return d < 0 }) {
			return errors.New("a plan has a negative number")
		}
	}
	if len(rules) == 0 {
		s.PlanDeliveries(nil)
		return nil
	}
	s.PlanDeliveries(func(event, url string) Plan {
		for _, rule := range rules {
			if (rule.Event == "" || rule.Event == event) && (rule.URL == "" || rule.URL == url) {
				plan := Plan{After: time.Duration(rule.After), Copies: rule.Copies, Faults: rule.Faults}
				if rule.Waits != nil {
					plan.Waits = make([]time.Duration, len(rule.Waits))
					for i, wait := range rule.Waits {
						plan.Waits[i] = time.Duration(wait)
					}
				}
				return plan
			}
		}
		return Plan{}
	})
	return nil
}

func (s *Sandbox) injectLines(lines []string) error {
	rules := make([]Fault, len(lines))
	for i, line := range lines {
		var err error
		if rules[i], err = ParseFault(line); err != nil {
			return err
		}
	}
	return s.Inject(rules...)
}

// controlResource is nil, which stands for a sample, if there is no resource.
func controlResource(resource json.RawMessage) any {
	if resource == nil {
		return nil
	}
	return resource
}

func (s *Sandbox) deliverFaulty(url, event string, resource json.RawMessage, faults []FaultKind) (string, error) {
	return s.Deliver(url, event, controlResource(resource), faults...)
}

// notificationView is a notification that was built and not sent.
type notificationView struct {
	Header http.Header `json:"header"`
	Body   string      `json:"body"`
}

func (s *Sandbox) notifyFaulty(event string, resource json.RawMessage, faults []FaultKind) (notificationView, error) {
	request, err := s.Notify(event, controlResource(resource), faults...)
	if err != nil {
		return notificationView{}, err
	}
	body, err := io.ReadAll(request.Body)
	return notificationView{request.Header, string(body)}, err
}
