package wxredis

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/wxpay-go/wxpay"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/webhook"
)

// Store keeps processed notifications, shared limits and platform certificates on a server of Redis
// or Valkey. It is a [webhook.Deduper], a [middleware.Limiter] and a [wxpay.KeyStore], and is safe
// for concurrent use.
type Store struct {
	server
	events
	limits
	copies
}

var (
	_ webhook.Deduper    = (*Store)(nil)
	_ webhook.Waiter     = (*Store)(nil)
	_ middleware.Limiter = (*Store)(nil)
	_ wxpay.KeyStore     = (*Store)(nil)
)

// DefaultLease is the default of [WithLease]. It is longer than the default of webhook.WithTimeout,
// one minute.
const DefaultLease = 90 * time.Second

// Option configures a Store. A bad value is an error of [New].
type Option func(*Store) error

// WithPrefix replaces the prefix of all keys, which is "wxpay:". Programs that share a server and
// each process the same notifications need a prefix each; the instances of one program share one.
// It need not contain a hash tag for a cluster: every step uses one key.
func WithPrefix(prefix string) Option {
	return func(s *Store) error {
		s.prefix = prefix
		if prefix == "" {
			return errors.New("WithPrefix: the prefix is empty")
		}
		return nil
	}
}

// WithLease replaces the time after which the event of a dead instance can be claimed again; the
// default is [DefaultLease]. It has to be longer than webhook.WithTimeout: a function that takes
// longer than the lease may be joined by another run of it.
func WithLease(lease time.Duration) Option {
	return func(s *Store) error {
		s.lease = lease
		if lease < time.Second {
			return fmt.Errorf("WithLease is %s, it must be at least a second", lease)
		}
		return nil
	}
}

// WithDeliveriesPassing lets a notification pass while the server cannot be used: the function then
// runs for every delivery, also beside another run of it. Choose it if the function is idempotent
// and should not wait for the server. The default is the response 503, after which the platform
// delivers again by its schedule.
func WithDeliveriesPassing() Option {
	return func(s *Store) error {
		s.passing = true
		return nil
	}
}

// WithProcesses says how many processes share the limits at most. While the server cannot be used,
// each keeps its share of the rate by itself: the rate divided by processes, or one request in so
// many seconds if that is less than one a second. Without it such requests are kept back and not
// sent.
func WithProcesses(processes int) Option {
	return func(s *Store) error {
		s.processes = processes
		if processes < 1 {
			return fmt.Errorf("WithProcesses is %d, it must be at least 1", processes)
		}
		return nil
	}
}

// WithRules puts your own limits before the documented rates; the first rule that fits an operation
// counts. All processes need the same. InFlight is an error: the number of concurrent requests is
// not shared.
func WithRules(rules ...middleware.Rule) Option {
	return func(s *Store) error {
		for _, r := range rules {
			switch {
			case r.InFlight != 0:
				return fmt.Errorf("WithRules: the rule for %q %q bounds concurrent requests, which this store does not share", r.Method, r.Template)
			case r.PerSecond < 0:
				return fmt.Errorf("WithRules: the rule for %q %q has a negative rate", r.Method, r.Template)
			}
		}
		s.rules = append(s.rules, rules...)
		return nil
	}
}

// New returns a Store on client: a single server, Sentinel or Cluster. It asks the server nothing,
// so that a process can start while the server is away; see [Store.Check]. The client stays the
// caller's to close. A *redis.Ring is an error: it forgets the keys of a server that is away, and
// an event would be processed twice.
func New(client redis.UniversalClient, options ...Option) (*Store, error) {
	if client == nil || reflect.ValueOf(client).Kind() == reflect.Pointer && reflect.ValueOf(client).IsNil() {
		return nil, errors.New("wxredis: the client is nil")
	}
	if _, ok := client.(*redis.Ring); ok {
		return nil, errors.New("wxredis: a redis.Ring moves keys to other servers without their values: use Cluster or Sentinel")
	}
	s := &Store{server: server{client: client, prefix: "wxpay:", patience: patience}}
	s.events.server, s.events.lease, s.events.askAgain = &s.server, DefaultLease, askAgain
	s.limits.server, s.limits.known = &s.server, map[middleware.LimitKey]*limit{}
	s.copies.server = &s.server
	for _, option := range options {
		if option == nil {
			return nil, errors.New("wxredis: an option is nil")
		}
		if err := option(s); err != nil {
			return nil, fmt.Errorf("wxredis: %w", err)
		}
	}
	s.events.ends = ends{client: client, channel: s.prefix + "ended"}
	return s, nil
}
