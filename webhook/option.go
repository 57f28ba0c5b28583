package webhook

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// Option sets up a Handler. A bad value is an error of [New]; where two options set the same thing, the later wins.
type Option func(*config) error

type config struct {
	embedded bool    // the catalogue is the embedded one
	catalog  Lookup  // another one; nil: there is none
	newer    []route // event types that it lacks
	deduper  Deduper
	signer   ResponseSigner
	logger   *slog.Logger
	usual    bool // nobody chose a logger
	observer func(context.Context, Observation)
	maxBody  int64
	budget   time.Duration
	timeout  time.Duration
	clock    func() time.Time
	nonce    func() string
}

// longestBudget is how long the platform waits for an answer.
const longestBudget = 5 * time.Second

func defaults() config {
	return config{
		embedded: true, usual: true, maxBody: 1 << 20, budget: 4500 * time.Millisecond, timeout: time.Minute,
		clock: time.Now, nonce: rand.Text,
	}
}

// WithCatalog replaces the catalogue of events. The default is the embedded one, catalog.V3(), which is unpacked when it is
// first asked; WithCatalog(nil) has none. By the catalogue, a handler with a private key opens the encrypted members of
// resources, and knows further questions. Without one everything else works.
func WithCatalog(catalog Lookup) Option {
	return func(c *config) error {
		c.embedded, c.catalog = false, catalog
		return nil
	}
}

// facts returns the catalogue, nil if there is none. The embedded one is unpacked when it is first asked for.
func (c *config) facts() Lookup {
	if c.embedded {
		return catalog.V3()
	}
	return c.catalog
}

// WithDeduper replaces the memory of what was done, which is a [Memory] of the default size. Several instances behind
// one address need a store they share.
func WithDeduper(d Deduper) Option {
	return func(c *config) error {
		c.deduper = d
		if d == nil {
			return errors.New("WithDeduper: the store is nil")
		}
		return nil
	}
}

// WithResponseSigner replaces how answers to questions are signed; see [ResponseSigner].
func WithResponseSigner(sign ResponseSigner) Option {
	return func(c *config) error {
		c.signer = sign
		if sign == nil {
			return errors.New("WithResponseSigner: the function is nil")
		}
		return nil
	}
}

// WithLogger makes the handler write what an observer is told: at level Info when it was dealt with, at Warn when it was
// refused or nobody wanted it, at Error when this side failed: the body was read before, the resource does not open, the
// function or the store failed. A signature test of the platform is Info. The fields are an allow-list; no body, value,
// signature or error text of a function is logged. Where there is neither logger nor observer, slog.Default() gets what would
// be lost in silence: the records at level Error, and events that no function is registered for. nil logs nothing.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		c.logger, c.usual = logger, false
		return nil
	}
}

// WithObserver hands every delivery to observe when its answer is decided, for metrics and traces, and once more when a
// function ends that has overrun ([Observation].Late). It runs before the answer is sent and on several goroutines: it
// should be quick. A panic in it is logged and harms nothing.
func WithObserver(observe func(context.Context, Observation)) Option {
	return func(c *config) error {
		c.observer = observe
		return nil
	}
}

// WithMaxBody bounds a delivery's body, in bytes. A longer one is refused, and not read further. Default 1 MiB.
func WithMaxBody(bytes int64) Option {
	return func(c *config) error {
		c.maxBody = bytes
		if bytes <= 0 {
			return fmt.Errorf("WithMaxBody is %d, it must be positive", bytes)
		}
		return nil
	}
}

// WithBudget sets how long after a delivery's arrival it is answered at the latest. The platform waits 5 s, network
// included; the default is 4.5 s. Questions have shorter budgets of their own, which a longer one here does not change.
func WithBudget(budget time.Duration) Option {
	return func(c *config) error {
		c.budget = budget
		if budget <= 0 || budget > longestBudget {
			return fmt.Errorf("WithBudget is %s, it must be more than zero and at most %s, which is how long the platform waits", budget, longestBudget)
		}
		return nil
	}
}

// WithTimeout sets when the context of a function ends. A function may take longer than the budget: the event's
// redelivery finds it done. Default one minute. A shared [Deduper] must keep claims for longer than this.
func WithTimeout(limit time.Duration) Option {
	return func(c *config) error {
		c.timeout = limit
		if limit <= 0 {
			return fmt.Errorf("WithTimeout is %s, it must be positive", limit)
		}
		return nil
	}
}

// WithClock replaces the clock that signatures, certificates and signed answers go by. The default is time.Now.
func WithClock(now func() time.Time) Option {
	return func(c *config) error {
		c.clock = now
		if now == nil {
			return errors.New("WithClock: the clock is nil")
		}
		return nil
	}
}

// WithNonce replaces the source of nonces for signed answers, for golden tests. The default is crypto/rand.Text.
func WithNonce(nonce func() string) Option {
	return func(c *config) error {
		c.nonce = nonce
		if nonce == nil {
			return errors.New("WithNonce: the source is nil")
		}
		return nil
	}
}

// Lookup is what a Handler asks a catalogue of events, such as catalog.V3().
type Lookup interface {
	Event(eventType string) (*fact.Event, bool)
}
