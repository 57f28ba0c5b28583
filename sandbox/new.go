package sandbox

import (
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/sandbox/internal/book"
	"github.com/wxpay-go/wxpay/sandbox/internal/console"
	"github.com/wxpay-go/wxpay/sandbox/internal/gate"
	"github.com/wxpay-go/wxpay/sandbox/internal/journal"
	"github.com/wxpay-go/wxpay/sandbox/internal/keyring"
	"github.com/wxpay-go/wxpay/sandbox/internal/post"
	"github.com/wxpay-go/wxpay/sandbox/internal/trouble"
)

// New returns a sandbox that listens nowhere: serve it as an http.Handler, or use
// [Sandbox.Transport] or [Sandbox.Listen]. In a testing/synctest bubble call it inside the bubble,
// so that its certificates fit the bubble's time. It works until Close, or until nothing refers to
// it any more.
func New(options ...Option) (*Sandbox, error) {
	set := settings{clock: time.Now, merchantID: "1900000109", scheme: apiv3.RSA(), entries: journal.Entries, bytes: journal.Bytes}
	for _, option := range options {
		if err := option(&set); err != nil {
			return nil, err
		}
	}
	records, clock := book.New(set.clock)
	before := uint64(0)
	if !set.seeded {
		before = book.BeforeFirst(set.clock())
	}
	numbers, brand := book.OpenNumbers(records, before), new(keyring.BrandRing)
	s := &shared{set: set, gate: &gate.Gate{
		Book: records, Clock: clock, Numbers: numbers, Journal: journal.New(set.entries, set.bytes), Faults: trouble.Seed(set.seed), Rules: gate.NewRules(),
		Office: post.Open(records, clock, numbers, brand, set.hosts), Brand: brand, Scheme: set.scheme, Seed: set.seed, ClassicErrors: set.classicErrors,
	}}
	s.console = &console.Console{Network: set.network, Names: set.names, Merchants: s.ids, Orders: s.orders, Lost: records.Lost}
	if set.store != nil {
		if err := s.load(); err != nil {
			return nil, err
		}
	}
	first, err := s.add(set.merchantID, set.mode)
	if err == nil && set.store != nil {
		clock.Arm()
	}
	return first, err
}

// load begins with what is in the store.
func (s *shared) load() error {
	err := s.gate.Clock.Load(s.set.store, func(id string) { s.enlist(keyring.Known(id, s.set.scheme)) })
	if err != nil {
		return err
	}
	for _, view := range s.views {
		if err := view.merchant.Keys.Install(); err != nil {
			return err
		}
	}
	return nil
}
