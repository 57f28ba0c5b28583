package sandbox

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/visible"
)

// Sandbox is one gateway as one of its merchants sees it: with that merchant's keys, state and users, and with the clock,
// journal, faults and deliveries that all merchants share. It is an http.Handler, which answers every merchant, and safe for
// concurrent use. The zero value is not usable; see [New] and [Start], and [Sandbox.AddMerchant] for further merchants.
type Sandbox struct {
	*gateway
	*tenant
}

// gateway is what all merchants of a sandbox share.
type gateway struct {
	time    *Clock
	scheme  apiv3.Scheme
	brand   brandSide
	journal journal
	faults  faults
	records *records
	tenants tenants
	courier *courier
	files   files
	rules   rules

	refusals atomic.Pointer[func(Entry)] // see OnRefusal

	billRows     int64 // of an invented bill; 0 for bills from the ledger
	lenientCards bool  // see WithLenientCards

	network bool // see WithNetwork
	names   []string
}

// tenant is what one merchant has for itself.
type tenant struct {
	merchant Merchant
	platform atomic.Pointer[platform]
	shifts   atomic.Uint64 // signatures that Shift decided on
	shares   atomic.Uint64 // signatures that SetPublicKeyShare decided on
	state    *state
}

// Option changes how a Sandbox is made.
type Option func(*settings) error

type settings struct {
	clock      func() time.Time
	merchantID string
	scheme     apiv3.Scheme
	seed       uint64
	hosts      []string
	mode       KeyMode
	billRows   int64

	lenientCards bool
	store        Store

	network bool
	names   []string
}

// WithClock sets the time that the sandbox takes for the real one, time.Now by default: it decides on the window of requests, and
// the validity of certificates is laid around its first reading. [Sandbox.Clock] begins with it.
func WithClock(clock func() time.Time) Option {
	return func(s *settings) error {
		if clock == nil {
			return errors.New("sandbox: WithClock: the clock is nil")
		}
		s.clock = clock
		return nil
	}
}

// WithMerchant sets the merchant number, 8 to 10 digits, "1900000109" by default. Each number has a key of its own,
// which takes a fraction of a second to generate when the process first uses the number.
func WithMerchant(id string) Option {
	return func(s *settings) error {
		s.merchantID = id
		return checkMerchantNumber("WithMerchant", id)
	}
}

// WithScheme sets the scheme of requests, answers and notifications, apiv3.RSA by default. Its identity is the merchant
// number, and it must work with RSA keys of 2048 bits. It is for tests that cannot wait for RSA.
func WithScheme(scheme apiv3.Scheme) Option {
	return func(s *settings) error {
		if scheme == nil {
			return errors.New("sandbox: WithScheme: the scheme is nil")
		}
		s.scheme = scheme
		return nil
	}
}

// WithSeed sets the seed from which the hits of faults, canned answers and invented bills are drawn, 0 by default.
func WithSeed(seed uint64) Option {
	return func(s *settings) error {
		s.seed = seed
		return nil
	}
}

// WithNotifyHosts permits notifications to these hosts, names or addresses without a port, besides loopback. What is sent
// is signed with keys that nobody should trust.
func WithNotifyHosts(hosts ...string) Option {
	return func(s *settings) error {
		for _, host := range hosts {
			if err := visible.Word(host); err != nil {
				return fmt.Errorf("sandbox: WithNotifyHosts: of the host %s, %w", redact.Quote(host), err)
			}
			if host == "" || strings.ContainsAny(host, "/: ") && net.ParseIP(host) == nil {
				return fmt.Errorf("sandbox: WithNotifyHosts: %q is not a host without scheme and port", host)
			}
		}
		s.hosts = append(s.hosts, hosts...)
		return nil
	}
}

// New returns a sandbox that listens nowhere: serve it as an http.Handler, or use [Sandbox.Transport] or
// [Sandbox.Listen]. In a testing/synctest bubble call it inside the bubble, so that its certificates fit the bubble's
// time. It works until Close, or until nothing refers to it any more.
func New(options ...Option) (*Sandbox, error) {
	set := settings{clock: time.Now, merchantID: "1900000109", scheme: apiv3.RSA()}
	for _, option := range options {
		if err := option(&set); err != nil {
			return nil, err
		}
	}
	g := &gateway{time: &Clock{base: set.clock}, scheme: set.scheme, faults: faults{seed: set.seed}, courier: newCourier(set.hosts), billRows: set.billRows, lenientCards: set.lenientCards}
	g.rules.init()
	g.network, g.names = set.network, set.names
	g.records = newRecords(g.time)
	g.time.records, g.time.courier = g.records, g.courier
	g.records.deliveries.ripen = func(_ *state, id string, d delivery, _ time.Time) { g.attempts(id, d.Faults, d.Copies, false) }
	if set.store != nil {
		g.records.kept.store = set.store
		if err := g.load(); err != nil {
			return nil, err
		}
	}
	s, err := g.add(set.merchantID, set.mode)
	if err == nil && set.store != nil {
		g.records.mu.Lock()
		g.records.realarm()
		g.records.mu.Unlock()
	}
	return s, err
}

// String names the sandbox without its keys.
func (s Sandbox) String() string { return "sandbox of merchant " + s.merchant.ID }

// Format prints what String returns for every verb, so that no key is printed by accident.
func (s Sandbox) Format(f fmt.State, verb rune) { redact.Format(f, verb, s.String()) }

// MarshalText gives encodings what String returns.
func (s Sandbox) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
