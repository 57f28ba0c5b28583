package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
)

// Option configures a Handler. A bad value is an error of [New]; the later of two equal options
// wins.
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
}

// longestBudget is the platform's wait for a response.
const longestBudget = 5 * time.Second

func defaults() config {
	return config{
		embedded: true, usual: true, maxBody: 1 << 20, budget: 4500 * time.Millisecond, timeout: time.Minute,
		clock: time.Now,
	}
}

// WithCatalog replaces the catalogue of events. The default is the embedded one, catalog.V3(),
// unpacked at its first use; WithCatalog(nil) uses none. With a catalogue, a handler with a private
// key decrypts the encrypted fields of resources, and knows further inquiries. Everything else
// works without one.
func WithCatalog(catalog Lookup) Option {
	return func(c *config) error {
		c.embedded, c.catalog = false, catalog
		return nil
	}
}

// facts returns the catalogue, nil if there is none. It unpacks the embedded one at its first use.
func (c *config) facts() Lookup {
	if c.embedded {
		return catalog.V3()
	}
	return c.catalog
}

// WithDeduper replaces the store of processed events. The default is a [Memory] of the default
// size. Several instances behind one address need a shared store.
func WithDeduper(d Deduper) Option {
	return func(c *config) error {
		c.deduper = d
		if d == nil {
			return errors.New("WithDeduper: the store is nil")
		}
		return nil
	}
}

// WithResponseSigner replaces the signer of responses to inquiries; see [ResponseSigner].
func WithResponseSigner(sign ResponseSigner) Option {
	return func(c *config) error {
		c.signer = sign
		if sign == nil {
			return errors.New("WithResponseSigner: the function is nil")
		}
		return nil
	}
}

// WithLogger writes a log record of each delivery: at level Info for success, at Warn for a
// rejected notification and an event without a function, at Error for a failure of this side. Such
// is a body that was read before, a resource that cannot be decrypted, or an error of the function
// or the store. A signature test of the platform is Info. The fields are an allow-list: the log
// contains no body, value, signature or error text of a function. Without logger and observer,
// slog.Default() gets the records that would be lost: those at level Error, and events without a
// function. nil logs nothing.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		c.logger, c.usual = logger, false
		return nil
	}
}

// WithObserver passes every delivery to observe once its response is decided, for metrics and
// traces, and again at the end of a function that has overrun ([Observation].Late). It runs before
// the response is sent and on several goroutines: it should be quick. A panic in it is logged and
// does no harm.
func WithObserver(observe func(context.Context, Observation)) Option {
	return func(c *config) error {
		c.observer = observe
		return nil
	}
}

// WithMaxBody bounds a delivery's body in bytes. The handler rejects a longer one and stops reading
// it. Default 1 MiB.
func WithMaxBody(bytes int64) Option {
	return func(c *config) error {
		c.maxBody = bytes
		if bytes <= 0 {
			return fmt.Errorf("WithMaxBody is %d, it must be positive", bytes)
		}
		return nil
	}
}

// WithBudget bounds the time from a delivery's arrival to its response. The platform waits 5 s,
// including the network; the default is 4.5 s. Inquiries have shorter budgets of their own, which a
// longer one here does not change.
func WithBudget(budget time.Duration) Option {
	return func(c *config) error {
		c.budget = budget
		if budget <= 0 || budget > longestBudget {
			return fmt.Errorf("WithBudget is %s, it must be more than zero and at most %s, which is how long the platform waits", budget, longestBudget)
		}
		return nil
	}
}

// WithTimeout bounds the context of a function. A function may take longer than the budget: the
// event's redelivery finds it done. Default one minute. A shared [Deduper] must keep claims for
// longer than this.
func WithTimeout(limit time.Duration) Option {
	return func(c *config) error {
		c.timeout = limit
		if limit <= 0 {
			return fmt.Errorf("WithTimeout is %s, it must be positive", limit)
		}
		return nil
	}
}

// WithClock replaces the clock for signatures, certificates and signed responses. The default is
// time.Now.
func WithClock(now func() time.Time) Option {
	return func(c *config) error {
		c.clock = now
		if now == nil {
			return errors.New("WithClock: the clock is nil")
		}
		return nil
	}
}

// Lookup is a catalogue of events, such as catalog.V3().
type Lookup interface {
	Event(eventType string) (*fact.Event, bool)
}
