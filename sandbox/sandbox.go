package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"sync"

	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/sandbox/internal/console"
	"github.com/wxpay-go/wxpay/sandbox/internal/flow/member"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/inprocess"
	"github.com/wxpay-go/wxpay/sandbox/internal/keyring"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// HeaderSandbox is the header that says how a response came about: "stateful" where the sandbox
// follows what it was told before, "canned" where it only checked the request and made a response
// that looks like the platform's. Every response of a documented operation has it, rejections too.
// The platform has no such header.
const HeaderSandbox = gate.Header

// Sandbox is one gateway as one of its merchants sees it: with that merchant's keys, records and
// users, and with the clock, journal, faults and deliveries that all merchants share. It is an
// http.Handler, which responds to every merchant, and safe for concurrent use. The zero value is
// not usable; see [New] and [Start], and [Sandbox.AddMerchant] for further merchants.
type Sandbox struct {
	Users      *Users      // what users do: pay, open cards, complain
	Ledger     *Ledger     // what took effect, and how it ends
	Keys       *Keys       // the keys of both sides
	Deliveries *Deliveries // notifications
	Faults     *Faults     // what goes wrong
	Journal    *Journal    // the requests that came
	Rules      *Rules      // the platform's limits of time and pace
	Clock      *Clock      // the time of the business

	merchant *gate.Merchant
	flows    flows
	shared   *shared
}

// shared is what all views of a sandbox share.
type shared struct {
	gate    *gate.Gate
	set     settings
	console *console.Console

	mu    sync.Mutex
	views []*Sandbox // in the order in which the merchants came
}

// find returns the view of a merchant; nil if there is none.
func (s *shared) find(id string) *Sandbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, view := range s.views {
		if view.merchant.ID == id {
			return view
		}
	}
	return nil
}

func (s *shared) all() []*Sandbox {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.views)
}

// ids are the merchants' numbers, in the order in which they came.
func (s *shared) ids() []string {
	var list []string
	for _, view := range s.all() {
		list = append(list, view.merchant.ID)
	}
	return list
}

// add returns the view of a merchant, who is made unless there is one of that number.
func (s *shared) add(id string, mode KeyMode) (*Sandbox, error) {
	if known := s.find(id); known != nil {
		return known, nil
	}
	keys, err := keyring.New(id, s.set.scheme, keyring.Mode(mode), s.gate.Clock.Now()) // outside of any lock: it takes time
	if err == nil && s.set.store != nil {
		err = keys.Generate()
	}
	if err != nil {
		return nil, err
	}
	b := s.gate.Book.Begin(s.gate.Clock.Now())
	if known := s.find(id); known != nil { // added meanwhile
		return known, b.End()
	}
	if err := b.Failed(); err != nil {
		b.End()
		return nil, err
	}
	view := s.enlist(keys)
	keys.Keep()
	if err := b.End(); err != nil {
		s.dismiss(view)
		return nil, err
	}
	return view, nil
}

// dismiss takes back a merchant who could not be stored. Nothing can change any more then.
func (s *shared) dismiss(view *Sandbox) {
	s.gate.Dismiss(view.merchant)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.views = slices.DeleteFunc(s.views, func(v *Sandbox) bool { return v == view })
}

// enlist gives a merchant records. The book is begun, or nobody knows the gate yet.
func (s *shared) enlist(keys *keyring.Ring) *Sandbox {
	m := s.gate.Enlist(keys)
	view := &Sandbox{
		merchant: m, shared: s, flows: open(m, s.set),
		Ledger: &Ledger{m}, Keys: &Keys{m}, Deliveries: &Deliveries{m}, Faults: &Faults{s.gate.Faults}, Journal: &Journal{s.gate},
		Rules: &Rules{s.gate.Rules}, Clock: &Clock{s.gate.Clock, s.gate.Office},
	}
	view.Users = &Users{view.flows}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.views = append(s.views, view)
	return view
}

// AddMerchant adds a merchant with keys and records of its own, and returns the sandbox as that
// merchant sees it. Its [Sandbox.Merchant], [Sandbox.Env], Users, Ledger and Keys are about the new
// merchant; journal, faults, rules, clock and deliveries are those of all. If the sandbox has the
// merchant already, it is returned as it is. The number has 8 to 10 digits. The merchant in
// Authorization decides whose request it is, whichever view serves it.
func (s *Sandbox) AddMerchant(id string) (*Sandbox, error) {
	if err := say.CheckMerchantNumber("AddMerchant", id); err != nil {
		return nil, err
	}
	return s.shared.add(id, BothKeys)
}

// Merchants returns the sandbox as each of its merchants sees it, in the order in which they were
// added.
func (s *Sandbox) Merchants() []*Sandbox { return s.shared.all() }

// AddSubMerchant makes a merchant number a sub-merchant of this merchant, who is its service
// provider. The number may be that of a merchant of the sandbox, or any other of 8 to 10 digits: a
// sub-merchant needs no keys.
func (s *Sandbox) AddSubMerchant(id string) error {
	if err := say.CheckMerchantNumber("AddSubMerchant", id); err != nil {
		return err
	}
	if id == s.merchant.ID {
		return fmt.Errorf("sandbox: AddSubMerchant: %s is no sub-merchant of its own", id)
	}
	return s.merchant.AddSub(id)
}

// SubMerchants returns the numbers of this merchant's sub-merchants, sorted.
func (s *Sandbox) SubMerchants() []string { return s.merchant.Subs() }

// ServeHTTP responds to one request, of whichever merchant.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.merchant.ServeHTTP(w, r) }

// Transport returns a round tripper that calls the sandbox in process, without sockets, whatever
// host a request names. It treats requests as net/http's own transport and server would. The
// request target is the text that would stand on the request line, and a malformed request is an
// error. The body is always closed, and a request whose context ends is given up. It works in a
// testing/synctest bubble. It is safe for concurrent use.
func (s *Sandbox) Transport() http.RoundTripper {
	return inprocess.Transport{Handler: s, Clock: s.merchant.Clock.Wire}
}

// Close ends what the sandbox does by itself: deliveries, and the ways of refunds and transfer
// bills to their final states. It waits for attempts that are under way, which it cuts short. Calls
// are answered as before. A second call does nothing.
func (s *Sandbox) Close() error {
	s.merchant.Office.Close()
	s.merchant.Book.Close()
	return nil
}

// String names the sandbox without its keys.
func (s Sandbox) String() string { return "sandbox of merchant " + s.merchant.ID }

// Format prints what String returns for every verb, so that no key is printed by accident.
func (s Sandbox) Format(f fmt.State, verb rune) { redact.Format(f, verb, s.String()) }

// MarshalText gives encodings what String returns.
func (s Sandbox) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Merchant returns the merchant whom the sandbox knows. The values it points to must not be
// changed.
func (s *Sandbox) Merchant() Merchant { return Merchant(s.merchant.Keys.Merchant()) }

// Brand returns the brand whom the sandbox knows. Its paths begin with /brand/, take the scheme of
// brands and no other, and want the id of the brand's public key in Wechatpay-Serial. The first
// call takes a fraction of a second, to make the keys.
func (s *Sandbox) Brand() (Brand, error) {
	b, err := s.brand()
	return Brand(b), err
}

func (s *Sandbox) brand() (keyring.Brand, error) {
	return s.merchant.Brand.Brand(s.merchant.Keys.Platform().Authority, s.merchant.Clock.Now())
}

// Env returns the variables that connect a client, each as NAME=value: WXPAY_MCHID, WXPAY_SERIAL,
// WXPAY_PRIVATE_KEY (PEM text), WXPAY_APIV3_KEY, and unless the merchant has certificates only
// WXPAY_PUBLIC_KEY_ID and WXPAY_PUBLIC_KEY (PEM text).
func (s *Sandbox) Env() []string { return env(s.merchant.Keys.Variables()) }

// LookupEnv looks one of the variables of [Sandbox.Env] up, in the manner of os.LookupEnv.
func (s *Sandbox) LookupEnv(key string) (string, bool) {
	return lookupEnv(s.merchant.Keys.Variables(), key)
}

func env(variables []keyring.Variable) []string {
	list := make([]string, len(variables))
	for i, v := range variables {
		list[i] = v.Name + "=" + v.Value
	}
	return list
}

func lookupEnv(variables []keyring.Variable, key string) (string, bool) {
	for _, v := range variables {
		if v.Name == key {
			return v.Value, true
		}
	}
	return "", false
}

// OnRepeatedFeed sets what becomes of repeated member feeds, RepeatSame by default.
func (s *Sandbox) OnRepeatedFeed(way RepeatedFeed) {
	s.flows.members.OnRepeatedFeed(member.Repeated(way))
}

// BindAppID binds an appid to this merchant. From the first one on, orders with another are 400
// APPID_MCHID_NOT_MATCH; before that the sandbox knows of no bindings and takes every appid.
func (s *Sandbox) BindAppID(id string) error { return s.flows.orders.BindAppID(id) }

// NotifySharesAt sets where the merchant is notified of every share that arrived and every return:
// PROFITSHARING.SUCCESS and PROFITSHARING.RETURN. In reality the address is set in the merchant
// platform, for no request carries it. Empty, the default, is for nobody.
func (s *Sandbox) NotifySharesAt(address string) error { return s.flows.shares.NotifySharesAt(address) }

// SetBalance sets what a merchant who receives shares has to return them from, fen. Shares that
// arrive later add to it. Until it is set a merchant can return everything; a negative sum makes it
// so again.
func (s *Sandbox) SetBalance(merchantID string, fen int64) error {
	return s.flows.shares.SetBalance(merchantID, fen)
}

// Snapshot returns everything that the merchants and their users have done, as JSON for
// [Sandbox.Restore]: orders, refunds and all other records, the ledger, the log of notifications,
// and the time of the clock. Keys are not in it, nor are the journal, faults, plans and endings;
// personal data is, in the clear.
func (s *Sandbox) Snapshot() ([]byte, error) { return s.merchant.Clock.Snapshot() }

// Restore makes everything as it was when the snapshot was taken, in this sandbox or another, the
// time of the clock included; it is the only way back. Changes that were due later are due later
// again, and notifications on their way are repeated. Restore adds merchants that only the snapshot
// has, with new keys, and empties those that only the sandbox has. Notifications that were
// encrypted for other keys than this sandbox has are given up. If the snapshot cannot be read,
// nothing changes.
func (s *Sandbox) Restore(data []byte) error {
	clock := s.merchant.Clock
	snapshot, merchants, err := clock.ReadSnapshot(data)
	if err != nil {
		return err
	}
	for _, id := range merchants {
		if _, err := s.AddMerchant(id); err != nil {
			return fmt.Errorf("sandbox: restore: %w", err)
		}
	}
	return clock.Restore(snapshot, s.merchant.Office.Forsake)
}

// Reset empties all records, as if nobody had done anything yet, and sets the clock to the time of
// the wire. Merchants stay, with their keys and sub-merchants; so do the journal, faults, plans and
// endings. Transaction ids and other running numbers go on, so that none repeats.
func (s *Sandbox) Reset() error { return s.merchant.Clock.Reset(s.merchant.Office.Forsake) }
