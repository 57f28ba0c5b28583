// Package gate takes requests in: it checks them as the platform does, hands them to the operation
// of a flow, and writes and signs the response. Operations of which no flow knows are answered with
// made-up values.
//
// A flow is a package of its own below flow/. Its function Open takes a [Merchant] and the flows on
// which it depends, opens tables in the merchant's book, and registers what it does: operations
// with [Merchant.Serve], kinds of effects with the merchant's Ledger, samples of its events with
// the merchant's Post, and orders of the control API with [Merchant.Control].
package gate

import (
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/sandbox/fault"
	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/clinic"
	"github.com/wxpay-go/wxpay/sandbox/internal/console"
	"github.com/wxpay-go/wxpay/sandbox/internal/journal"
	"github.com/wxpay-go/wxpay/sandbox/internal/keyring"
	"github.com/wxpay-go/wxpay/sandbox/internal/ledger"
	"github.com/wxpay-go/wxpay/sandbox/internal/post"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
	"github.com/wxpay-go/wxpay/sandbox/internal/trouble"
)

// Gate is what all merchants of a sandbox share.
type Gate struct {
	Book    *book.Book
	Clock   *book.Clock
	Numbers book.Numbers
	Journal *journal.Journal
	Faults  *trouble.Faults
	Rules   *Rules
	Office  *post.Office
	Brand   *keyring.BrandRing
	Scheme  apiv3.Scheme
	Seed    uint64
	// ClassicErrors says that errors are told as the documentation shows them; see say.Style.
	ClassicErrors bool
	// OnRejection is told of every request that is rejected, before its response is sent; nil for
	// nobody.
	OnRejection Listener

	links links

	mu        sync.RWMutex
	merchants []*Merchant // in the order in which they came
}

// Merchant is the gate as one merchant uses it.
type Merchant struct {
	*Gate
	ID     string
	Keys   *keyring.Ring
	Ledger *ledger.Ledger
	Post   *post.Box
	Orders []console.Order // of the control API

	subs       book.Table[subMerchant]
	operations map[*fact.Operation]*Operation
}

// subMerchant is a merchant for whom another one is the service provider.
type subMerchant struct {
	Since time.Time `json:"since"`
}

// Operation is one method and path template: its facts, and more than these tell.
type Operation struct {
	*fact.Operation
	// Limits of string fields, by JSON Pointer for the body, without the numbers of elements, and by
	// name for path and query.
	Limits map[string]Limit
	// Do carries the call out. It returns a *Stream, or what is marshalled as the response; nil is
	// an empty response.
	Do func(*Call) (any, *say.Rejection)

	canned bool // Do only makes a response that looks right
}

// Limit bounds a string field: its length, and the characters themselves.
type Limit struct {
	Min, Max int // inclusive; bytes of UTF-8
	// Characters says that Min and Max count characters: a page or a rejection says so.
	Characters bool
	Charset    string // every character permitted; empty permits all
}

// Call is one request on its way through the checks.
type Call struct {
	*Merchant                   // as the caller sees it
	Platform  *keyring.Platform // the keys as they are when the request arrives
	Now       time.Time         // of the business
	Wired     time.Time         // of the wire, when the request arrived
	Request   *http.Request
	Target    string // as on the request line
	Body      []byte
	Language  say.Language

	Operation *Operation
	Path      map[string]string // values of the placeholders, decoded
	Query     url.Values
	Object    map[string]any // the JSON body, or the meta of an upload; numbers are json.Number, encrypted fields are decrypted
	Form      *Form          // the multipart body of an upload; nil otherwise

	Verified bool   // the request's signature was accepted, so the response is signed
	Serial   string // of the key that signs the response, and that the request's fields are encrypted with
	Caller   string // serial of the caller's certificate

	trouble     trouble.Call
	known       bool   // the path is known, perhaps with another method
	explanation string // why the request was rejected, at length; empty where the reason says all
	messages    clinic.Messages
	started     time.Time // as package time tells
}

// Form is the multipart body of an upload, taken apart.
type Form struct {
	meta []byte // as it was sent, which is what the signature covers
	name string // filename of the file's part
	File []byte
	note string // for the journal: what could not be checked
}

// Fault is what goes wrong with the call; the zero value is nothing.
func (c *Call) Fault() fault.Kind { return c.trouble.Fault.Kind }

// Begin takes the book for a change.
func (c *Call) Begin() *book.Book { return c.Book.Begin(c.Now) }

// Begin takes the book for a change that the merchant or a user makes without a request.
func (m *Merchant) Begin() (b *book.Book, now time.Time) {
	now = m.Clock.Now()
	return m.Book.Begin(now), now
}

// Find returns the merchant of that number; nil if there is none.
func (g *Gate) Find(id string) *Merchant {
	g.mu.RLock()
	defer g.mu.RUnlock()
	for _, m := range g.merchants {
		if m.ID == id {
			return m
		}
	}
	return nil
}

// Merchants returns all merchants, in the order in which they came.
func (g *Gate) Merchants() []*Merchant {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return slices.Clone(g.merchants)
}

// served is how many operations the flows serve, roughly.
const served = 100

// Enlist gives a merchant tables. The book is locked, or nobody knows the gate yet.
func (g *Gate) Enlist(keys *keyring.Ring) *Merchant {
	id := keys.Merchant().ID
	keys.Open(g.Book, g.Clock)
	m := &Merchant{
		Gate: g, ID: id, Keys: keys, Ledger: ledger.Open(g.Book, g.Clock, id), Post: g.Office.Box(keys, g.Seed),
		subs: book.OpenTable[subMerchant](g.Book, id, "subs"), operations: make(map[*fact.Operation]*Operation, served),
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.merchants = append(g.merchants, m)
	return m
}

// Dismiss takes a merchant off the list.
func (g *Gate) Dismiss(m *Merchant) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.merchants = slices.DeleteFunc(g.merchants, func(other *Merchant) bool { return other == m })
}

// Control registers orders of the control API.
func (m *Merchant) Control(orders ...console.Order) { m.Orders = append(m.Orders, orders...) }

// Number returns a number of the platform's own: prefix, day and a running number, size digits in
// all. The book must be begun.
func (m *Merchant) Number(prefix string, size int, now time.Time) string {
	return m.Numbers.Dated(prefix, size, now)
}

// Encrypt encrypts a value for the merchant.
func (m *Merchant) Encrypt(value string) string { return m.Keys.Encrypt(value) }

// signedBody is the part of the body that the request's signature covers.
func (c *Call) signedBody() []byte {
	if c.Form != nil {
		return c.Form.meta
	}
	return c.Body
}

// AddSub makes a merchant number a sub-merchant of this merchant.
func (m *Merchant) AddSub(id string) error {
	b, now := m.Begin()
	if _, known := m.subs.Get(id); !known {
		m.subs.Put(id, subMerchant{Since: now})
	}
	return b.End()
}

// Subs returns the numbers of this merchant's sub-merchants, sorted.
func (m *Merchant) Subs() []string {
	b, _ := m.Begin()
	defer b.Commit()
	return m.subs.Keys()
}
