package sandbox

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/visible"
	"github.com/wxpay-go/wxpay/sandbox/internal/keyring"
	"github.com/wxpay-go/wxpay/sandbox/internal/say"
)

// Option changes how a Sandbox is made.
type Option func(*settings) error

type settings struct {
	clock      func() time.Time
	merchantID string
	scheme     apiv3.Scheme
	seed       uint64
	seeded     bool
	hosts      []string
	mode       KeyMode
	billRows   int64
	entries    int // of the journal
	bytes      int

	lenientCards  bool
	classicErrors bool
	store         Store

	tls     *tls.Config
	network bool
	names   []string
}

// WithClock sets the time that the sandbox takes for the real one, time.Now by default. It decides
// on the window of requests, and the validity of certificates is laid around its first reading.
// Clock begins with it.
func WithClock(clock func() time.Time) Option {
	return func(s *settings) error {
		if clock == nil {
			return errors.New("sandbox: WithClock: the clock is nil")
		}
		s.clock = clock
		return nil
	}
}

// WithMerchant sets the merchant number, 8 to 10 digits, "1900000109" by default. Each number has a
// key of its own, which takes a fraction of a second to generate when the process first uses the
// number.
func WithMerchant(id string) Option {
	return func(s *settings) error {
		s.merchantID = id
		return say.CheckMerchantNumber("WithMerchant", id)
	}
}

// WithScheme sets the scheme of requests, responses and notifications, apiv3.RSA by default. Its
// identity is the merchant number, and it must work with RSA keys of 2048 bits. It is for tests
// that cannot wait for RSA.
func WithScheme(scheme apiv3.Scheme) Option {
	return func(s *settings) error {
		if scheme == nil {
			return errors.New("sandbox: WithScheme: the scheme is nil")
		}
		s.scheme = scheme
		return nil
	}
}

// WithSeed sets the seed from which the hits of faults, canned responses and invented bills are
// drawn, 0 by default. With it the numbers of the platform's own, such as transaction ids, count
// from 1. Without it they count from the time of the start, so that a sandbox that is started later
// on the same day does not repeat them.
func WithSeed(seed uint64) Option {
	return func(s *settings) error {
		s.seed, s.seeded = seed, true
		return nil
	}
}

// WithNotifyHosts permits notifications to these hosts, names or addresses without a port, besides
// loopback. They are signed with keys that nobody should trust.
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

// WithNetwork permits [Sandbox.Listen] on addresses that are not loopback, and control from other machines, which must
// call this one by an IP address or by one of these names. Everyone who reaches it can take the sandbox's keys and
// change everything in it, so it is for closed networks, such as that of a test's containers.
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

// WithTLS serves [Sandbox.Listen] over TLS with these settings: over HTTP/1.1 as the platform does, and
// over HTTP/2 too if their NextProtos has h2. By default it is plain HTTP/1.1.
func WithTLS(config *tls.Config) Option {
	return func(s *settings) error {
		if config == nil {
			return errors.New("sandbox: WithTLS: the settings are nil")
		}
		s.tls = config
		return nil
	}
}

// WithBillRows makes every bill and statement one of n rows, which are invented and always the same
// for a seed, a merchant and a day. By default they tell the sandbox's own records. They are
// written while they are read, so that n may be a hundred million: then the first application for a
// bill is answered STATEMENT_CREATING until its digest is known. Encrypted bills come in two parts
// at least, so that clients are seen to join them.
func WithBillRows(n int64) Option {
	return func(s *settings) error {
		if n < 1 {
			return fmt.Errorf("sandbox: WithBillRows: a bill has 1 row at least, not %d", n)
		}
		s.billRows = n
		return nil
	}
}

// WithLenientCards accepts member feeds and the points of members for any card and user, also such
// as do not exist.
func WithLenientCards() Option {
	return func(s *settings) error {
		s.lenientCards = true
		return nil
	}
}

// WithClassicErrors tells errors about fields and signatures as the documentation shows them, with the
// field and the issue in detail. By default they have the form of the platform's responses of the last
// years, whose message says it all.
func WithClassicErrors() Option {
	return func(s *settings) error {
		s.classicErrors = true
		return nil
	}
}

// WithJournal sets how many requests the journal keeps, 1,000 by default, and how many bytes their
// texts take together, 32 MiB by default.
func WithJournal(entries, bytes int) Option {
	return func(s *settings) error {
		if entries < 1 || bytes < 1 {
			return errors.New("sandbox: WithJournal: the journal keeps 1 request and 1 byte at least")
		}
		s.entries, s.bytes = entries, bytes
		return nil
	}
}

// WithKeyMode sets which platform keys the merchant has, BothKeys by default.
func WithKeyMode(mode KeyMode) Option {
	return func(s *settings) error {
		s.mode = mode
		return keyring.Mode(mode).Check()
	}
}

// WithStore keeps the sandbox in a store, and begins with what is in there: orders, refunds and all other records, the
// ledger, notifications that are on their way, the clock, merchants and their keys. By default it lives in memory only.
// The sandbox stores a change before it responds to its call. When the store fails, the change is not made, and every
// later call gets 500 SYSTEM_ERROR. The journal, faults, rules, plans and endings are not kept, nor are the brand's
// keys. Notifications that have become due meanwhile are sent at once, over the network, unless the clock was frozen. A
// merchant in the store keeps the key mode of the store.
func WithStore(store Store) Option {
	return func(s *settings) error {
		if store == nil {
			return errors.New("sandbox: WithStore: the store is nil")
		}
		s.store = store
		return nil
	}
}
