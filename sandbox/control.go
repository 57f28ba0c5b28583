package sandbox

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox/fault"
	"github.com/wxpay-go/wxpay/sandbox/internal/console"
	"github.com/wxpay-go/wxpay/sandbox/internal/journal"
	"github.com/wxpay-go/wxpay/sandbox/internal/keyring"
	"github.com/wxpay-go/wxpay/sandbox/internal/ledger"
	"github.com/wxpay-go/wxpay/sandbox/internal/post"
)

// ControlPath is where a [Server] serves what [Sandbox.Control] does.
const ControlPath = console.Path

// Control returns a handler that does what the methods of the sandbox do, for programs in other
// languages and for the command line. It takes and returns JSON; an error is {"message": …} with
// status 400 (409 where an expectation is not met). Paths begin with [ControlPath]; docs/sandbox.md
// lists them, and the response to an unknown one is the list. A query parameter merchant=NUMBER
// says whose view is meant where there are several, by default the first merchant's. A [Server]
// serves it beside the platform's paths.
//
// GET /_sandbox/health is for watchdogs: 200, or 503 when the store has failed. Everybody may ask.
//
// It is for programs on this machine and no one else. It rejects peers that are not on loopback and
// names for this machine that are not of it, which a foreign page could have brought about;
// [WithNetwork] permits both. It always rejects a request of a page in a browser.
func (s *Sandbox) Control() http.Handler { return s.shared.console }

// orders returns the orders of a merchant, or of the first one if the number is empty.
func (s *shared) orders(id string) (orders []console.Order, known bool) {
	view := s.find(id)
	if id == "" {
		view = s.all()[0]
	}
	if view == nil {
		return nil, false
	}
	return slices.Concat(view.merchant.Orders, view.control()), true
}

// control are the orders beside those of the flows. A test holds all against the methods of the Go
// API.
func (s *Sandbox) control() []console.Order {
	m, clock, keys, office, faults, rules, requests := s.merchant, s.Clock, s.merchant.Keys, s.merchant.Office, s.merchant.Faults, s.merchant.Rules, s.merchant.Journal
	told := func(err error) (clockView, error) {
		return clockView{m.Clock.Now(), m.Clock.Wire(), m.Clock.Frozen()}, err
	}
	return []console.Order{
		{Method: "POST", Path: "settle", Does: "Ledger.Settle", Run: m.Ledger.Settle, In: "kind number state"},
		{Method: "POST", Path: "endings", Does: "Ledger.SetEnding", Run: s.setEndings, In: "rules"},
		{Method: "GET", Path: "ledger", Does: "Ledger.Effects", Run: m.Ledger.Effects, In: "kind?", Out: "effects"},

		{Method: "GET", Path: "rules", Does: "Rules.Enforced", Run: rules.Held, Out: "rules"},
		{Method: "POST", Path: "rules/enforce", Does: "Rules.Enforce", Run: s.Rules.Enforce, In: "rules"},
		{Method: "POST", Path: "rules/relax", Does: "Rules.Relax", Run: s.Rules.Relax, In: "rules"},

		{Method: "GET", Path: "clock", Does: "Clock.Now", Run: func() (clockView, error) { return told(nil) }},
		{Method: "POST", Path: "clock/jump", Does: "Clock.Jump", Run: func(by time.Duration) (clockView, error) { return told(clock.Jump(by)) }, In: "by"},
		{Method: "POST", Path: "clock/freeze", Does: "Clock.Freeze", Run: func() (clockView, error) { return told(clock.Freeze()) }},
		{Method: "POST", Path: "clock/unfreeze", Does: "Clock.Unfreeze", Run: func() (clockView, error) { return told(clock.Unfreeze()) }},

		{Method: "POST", Path: "faults", Does: "Faults.Inject", Run: s.injectLines, In: "rules"},
		{Method: "GET", Path: "faults", Does: "Faults.All", Run: faults.Rules, Out: "rules"},
		{Method: "DELETE", Path: "faults", Does: "Faults.Clear", Run: faults.Clear},
		{Method: "POST", Path: "faults/remove", Does: "Faults.Remove", Run: s.removeLine, In: "rule"},
		{Method: "GET", Path: "faults/tallies", Does: "Faults.Tallies", Run: faults.Tallies, Out: "tallies"},
		{Method: "GET", Path: "faults/counts", Does: "Faults.Counts", Run: faults.Counts, Out: "counts"},

		{Method: "GET", Path: "merchants", Does: "Sandbox.Merchants", Run: s.shared.rings, Out: "merchants"},
		{Method: "POST", Path: "merchants", Does: "Sandbox.AddMerchant", Run: s.addRing, In: "mchid"},
		{Method: "GET", Path: "merchant", Does: "Sandbox.Merchant", Run: func() *keyring.Ring { return keys }},
		{Method: "GET", Path: "sub-merchants", Does: "Sandbox.SubMerchants", Run: s.SubMerchants, Out: "sub_merchants"},
		{Method: "POST", Path: "sub-merchants", Does: "Sandbox.AddSubMerchant", Run: s.AddSubMerchant, In: "sub_mchid"},
		{Method: "GET", Path: "brand", Does: "Sandbox.Brand", Run: s.brand},

		{Method: "GET", Path: "keys/mode", Does: "Keys.Mode", Run: func() keyring.Mode { return keys.Platform().Mode }, Out: "mode"},
		{Method: "POST", Path: "keys/mode", Does: "Keys.SetMode", Run: keys.SetMode, In: "mode"},
		{Method: "POST", Path: "keys/public-key-share", Does: "Keys.SetPublicKeyShare", Run: keys.SetPublicKeyShare, In: "percent"},
		{Method: "GET", Path: "keys/certificates", Does: "Keys.Certificates", Run: s.Keys.Certificates, Out: "certificates"},
		{Method: "POST", Path: "keys/certificates", Does: "Keys.AddCertificate", Run: keys.AddCertificate, In: "validity"},
		{Method: "POST", Path: "keys/certificates/sign-with", Does: "Keys.SignWith", Run: keys.SignWith, In: "serial percent"},
		{Method: "POST", Path: "keys/certificates/expire", Does: "Keys.ExpireCertificate", Run: keys.ExpireCertificate, In: "serial"},
		{Method: "POST", Path: "keys/certificates/remove", Does: "Keys.RemoveCertificate", Run: keys.RemoveCertificate, In: "serial"},
		{Method: "GET", Path: "keys/root", Does: "Keys.Root", Run: func() *x509.Certificate { return s.Keys.Root() }},
		{Method: "POST", Path: "keys/merchant-certificates", Does: "Keys.AddMerchantCertificate", Run: keys.AddMerchantCertificate},
		{Method: "POST", Path: "keys/merchant-keys", Does: "Keys.AddMerchantKey", Run: s.addMerchantKey, In: "serial public_key"},
		{Method: "POST", Path: "keys/merchant-certificates/revoke", Does: "Keys.RevokeMerchantCertificate", Run: keys.RevokeMerchantCertificate, In: "serial"},

		{Method: "GET", Path: "deliveries", Does: "Deliveries.All", Run: office.Deliveries, Out: "deliveries"},
		{Method: "POST", Path: "deliveries", Does: "Deliveries.Deliver", Run: s.deliverFaulty, In: "url event resource? faults?", Out: "id"},
		{Method: "POST", Path: "deliveries/resend", Does: "Deliveries.Redeliver", Run: office.Redeliver, In: "id"},
		{Method: "GET", Path: "deliveries/await", Does: "Deliveries.Await", Run: func(ctx context.Context, id string, attempts int) (post.Delivery, error) {
			return office.Await(ctx, id, attempts)
		}, In: "id attempts"},
		{Method: "POST", Path: "deliveries/plans", Does: "Deliveries.Plan", Run: s.setPlans, In: "rules"},
		{Method: "GET", Path: "sample", Does: "Deliveries.Sample", Run: m.Post.Sample, In: "event", Out: "resource"},
		{Method: "POST", Path: "notify", Does: "Deliveries.Notify", Run: s.notifyFaulty, In: "event resource? faults?"},

		{Method: "GET", Path: "journal", Does: "Journal.Find", Run: requests.Find, In: "*", Out: "entries"},
		{Method: "GET", Path: "journal/await", Does: "Journal.Await", Run: requests.Await, In: "after", Out: "entries"},
		{Method: "GET", Path: "journal/explain", Does: "Journal.Explain", Run: requests.Explain, In: "id?", Out: "explanation"},
		{Method: "DELETE", Path: "journal", Does: "Journal.Reset", Run: requests.Reset},
		{Method: "POST", Path: "journal/expect", Does: "Journal.Expect", Run: func(match journal.Match, times int) error { return requests.Expect(match, times) }, In: "match times"},

		{Method: "GET", Path: "snapshot", Does: "Sandbox.Snapshot", Run: func() (json.RawMessage, error) { return s.Snapshot() }},
		{Method: "POST", Path: "restore", Does: "Sandbox.Restore", Run: func(snapshot json.RawMessage) error { return s.Restore(snapshot) }, In: "*"},
		{Method: "POST", Path: "reset", Does: "Sandbox.Reset", Run: s.Reset},
	}
}

// addMerchantKey is Keys.AddMerchantKey with a key in PEM, which may stand in a certificate.
func (s *Sandbox) addMerchantKey(serial, publicKey string) error {
	key, err := apiv3.ParsePublicKey([]byte(publicKey))
	if certificate, failed := apiv3.ParseCertificate([]byte(publicKey)); failed == nil {
		key, err = certificate.PublicKey, nil
	}
	if err != nil {
		return fmt.Errorf("sandbox: public_key: %w", err)
	}
	public, _ := key.(*rsa.PublicKey)
	return s.Keys.AddMerchantKey(serial, public)
}

// clockView is the time after an order about it.
type clockView struct {
	Now    time.Time `json:"now"`
	Wire   time.Time `json:"wire"`
	Frozen bool      `json:"frozen"`
}

func (s *shared) rings() []*keyring.Ring {
	var list []*keyring.Ring
	for _, view := range s.all() {
		list = append(list, view.merchant.Keys)
	}
	return list
}

func (s *Sandbox) addRing(id string) (*keyring.Ring, error) {
	view, err := s.AddMerchant(id)
	if err != nil {
		return nil, err
	}
	return view.merchant.Keys, nil
}

// endingRule is [Ledger.SetEnding] without a function.
type endingRule struct {
	Kind   string            `json:"kind"`
	Number string            `json:"number"` // empty for all
	State  string            `json:"state"`
	After  *console.Duration `json:"after"` // absent for never by itself
}

func (s *Sandbox) setEndings(rules []endingRule) error {
	list := make([]ledger.EndingRule, len(rules))
	for i, rule := range rules {
		list[i] = ledger.EndingRule{Kind: rule.Kind, Number: rule.Number, State: rule.State, After: -1}
		if rule.After != nil {
			list[i].After = time.Duration(*rule.After)
		}
	}
	return s.merchant.Ledger.SetEndings(list)
}

// planRule is [Deliveries.Plan] without a function.
type planRule struct {
	Event  string             `json:"event"` // event_type; empty for all
	URL    string             `json:"url"`   // empty for all
	After  console.Duration   `json:"after"`
	Copies int                `json:"copies"`
	Faults []fault.Kind       `json:"faults"`
	Waits  []console.Duration `json:"waits"` // null or absent keeps the documented ones
}

func (s *Sandbox) setPlans(rules []planRule) error {
	list := make([]post.PlanRule, len(rules))
	for i, rule := range rules {
		plan := post.Plan{After: time.Duration(rule.After), Copies: rule.Copies, Faults: rule.Faults}
		if rule.Waits != nil {
			plan.Waits = make([]time.Duration, len(rule.Waits))
			for j, wait := range rule.Waits {
				plan.Waits[j] = time.Duration(wait)
			}
		}
		list[i] = post.PlanRule{Event: rule.Event, URL: rule.URL, Plan: plan}
	}
	return s.merchant.Office.SetPlans(list)
}

func (s *Sandbox) injectLines(lines []string) error {
	rules := make([]fault.Rule, len(lines))
	for i, line := range lines {
		var err error
		if rules[i], err = fault.Parse(line); err != nil {
			return err
		}
	}
	return s.Faults.Inject(rules...)
}

func (s *Sandbox) removeLine(line string) error {
	rule, err := fault.Parse(line)
	if err != nil {
		return err
	}
	return s.Faults.Remove(rule)
}

// resourceOf is nil, which stands for a sample, if there is no resource.
func resourceOf(resource json.RawMessage) any {
	if resource == nil {
		return nil
	}
	return resource
}

func (s *Sandbox) deliverFaulty(url, event string, resource json.RawMessage, faults []fault.Kind) (string, error) {
	return s.merchant.Post.Deliver(url, event, resourceOf(resource), faults...)
}

// notificationView is a notification that was built and not sent.
type notificationView struct {
	Header http.Header `json:"header"`
	Body   string      `json:"body"`
}

func (s *Sandbox) notifyFaulty(event string, resource json.RawMessage, faults []fault.Kind) (notificationView, error) {
	request, err := s.merchant.Post.Notify(event, resourceOf(resource), faults...)
	if err != nil {
		return notificationView{}, err
	}
	body, err := io.ReadAll(request.Body)
	return notificationView{request.Header, string(body)}, err
}
