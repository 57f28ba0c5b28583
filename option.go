package wxpay

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/keyring"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/target"
	"github.com/wxpay-go/wxpay/internal/visible"
	"github.com/wxpay-go/wxpay/middleware"
)

// WithPublicKey adds the WeChat Pay public key and its id (PUB_KEY_ID_…), both shown by the merchant platform under API
// security. [LoadPublicKey] reads the file pub_key.pem. Requests name this key, so answers are signed with it.
func WithPublicKey(id string, key crypto.PublicKey) Option {
	return func(c *config) error {
		if err := checkPublicKey(id, key); err != nil {
			return fmt.Errorf("WithPublicKey: %w", err)
		}
		c.platformKeys = append(c.platformKeys, apiv3.PlatformKey{Serial: id, Key: key})
		return nil
	}
}

func checkPublicKey(id string, key crypto.PublicKey) error {
	const source = "the merchant platform shows it beside the key, it is PUB_KEY_ID_ and digits"
	hidden := visible.Word(id)
	switch {
	case id == "":
		return errors.New("the id is missing; " + source)
	case apiv3.IsSerial(id):
		return fmt.Errorf("%s is the serial of a certificate, not the id of the public key; %s", id, source)
	case hidden != nil:
		return fmt.Errorf("the id is %s: %w", redact.Quote(id), hidden)
	case !apiv3.IsPublicKeyID(id):
		return fmt.Errorf("%s is not the id of a public key; %s", redact.Quote(id), source)
	case key == nil:
		return errors.New("the key is missing; LoadPublicKey reads pub_key.pem")
	}
	return nil
}

// WithPlatformCertificates adds platform certificates that you keep yourself. They are used while they are valid and are
// not renewed; see [WithCertificates].
func WithPlatformCertificates(certificates ...*x509.Certificate) Option {
	return func(c *config) error {
		for _, certificate := range certificates {
			if certificate == nil {
				return errors.New("WithPlatformCertificates: a certificate is nil")
			}
			if keyring.IsMerchants(certificate) {
				return fmt.Errorf("WithPlatformCertificates: %s is the API certificate of merchant %s (apiclient_cert.pem), not one of the platform", apiv3.Serial(certificate), redact.Quote(certificate.Subject.CommonName))
			}
			c.platformKeys = append(c.platformKeys, apiv3.CertificateKey(certificate))
		}
		return nil
	}
}

// WithCatalog replaces the catalogue of operations. The default is the embedded one, catalog.V3(), which is unpacked at the
// first call; WithCatalog(nil) has none. By the catalogue, members that the manual marks as sensitive are encrypted in every
// body and query and decrypted in every answer ([Response.DecryptErr]), lists know their paging ([Chain.Each]), calls are
// checked before they are sent ([WithPreflight]), and [Chain.Ensure] knows whom to ask. Without a catalogue, and for
// operations that it does not know, every call still works: [Secret], [Chain.Encrypt] and [Chain.Paging] say what it would.
func WithCatalog(catalog Catalog) Option {
	return func(c *config) error {
		c.embedded, c.catalog, c.plans = false, catalog, nil
		return nil
	}
}

// WithBaseURL sets the gateway, scheme and host, such as https://apihk.mch.weixin.qq.com, and backups
// that serve the same resources. Plain http is accepted for this machine only, for a sandbox. The
// default is [DefaultBaseURL] with https://api2.mch.weixin.qq.com behind it; a gateway given without
// backups has none.
//
// A request for which no connection could be had goes to the next host at once, and a retry goes to
// another host after trouble with the first. After several failures of the primary in a row, the
// backup goes first until single calls find the primary well again.
func WithBaseURL(primary string, backups ...string) Option {
	return func(c *config) error {
		base, err := target.BaseURL(primary)
		if err != nil {
			return err
		}
		names := []string{base.Host}
		for _, backup := range backups {
			u, err := target.BaseURL(backup)
			switch {
			case err != nil:
				return err
			case u.Scheme != base.Scheme:
				return fmt.Errorf("WithBaseURL: %s and %s differ in their scheme", base.Scheme, u.Scheme)
			case slices.Contains(names, u.Host):
				return fmt.Errorf("WithBaseURL: %s stands twice", redact.Quote(u.Host))
			}
			names = append(names, u.Host)
		}
		c.base, c.backups, c.hosts = base, names[1:], nil
		return nil
	}
}

// WithAttempts sets how many requests one call may make, the first included: 1 repeats nothing. Default 3. What may be
// repeated is told by [middleware.Retry].
func WithAttempts(attempts int) Option {
	return func(c *config) error {
		c.attempts = attempts
		return checkCount("WithAttempts", int64(attempts))
	}
}

// WithLimiter has every request wait for limiter, repeats and queries included. middleware.NewLimits() keeps the rates
// that the catalogue knows. By default nothing is held back, because the documented rates are often raised for a merchant
// and hold for all its processes together, which one process cannot see.
func WithLimiter(limiter middleware.Limiter) Option {
	return func(c *config) error {
		c.limiter = limiter
		return nil
	}
}

// WithTransport replaces the last hop, for example by transport.New with another configuration, by a recorder, or by
// Sandbox.Transport. It stands below signing and verifying, and is believed: a *transport.UnsentError in its error, or one
// whose method Unsent() bool says so, makes the outcome NotSent. Any other error leaves it unknown, since nobody knows whether
// anything was sent. So a round tripper that sends a request more than once, or by another way too, must not pass on an
// UnsentError after the first. Nothing else of this module is found in its errors. Of net/http's own beware of two things
// that package transport prevents: it repeats a write by itself that has an Idempotency-Key, and it writes the beginning of
// an answer that nobody asked for to the global logger.
func WithTransport(rt http.RoundTripper) Option {
	return func(c *config) error {
		if rt == nil {
			return errors.New("WithTransport: the round tripper is nil")
		}
		c.transport = rt
		return nil
	}
}

// WithMiddleware adds middlewares of your own, outermost first, outside signing: what they change is signed. Options
// given later add further in.
//
// A middleware sends the request on with a context that descends from the request's, one at a time, and before it returns.
// The error that it got may be returned as it is or wrapped with %w. In any other error of its own, errors.Is and errors.As
// find nothing of this module, so that a refusal of another call is never taken for one of this call. An answer that it makes
// up or changes is handed on as not verified, and [Chain.Ensure] and [Client.Resolve] take it for none; what is known of the
// call is what the attempts brought, whatever a middleware says.
func WithMiddleware(middlewares ...middleware.Middleware) Option {
	return func(c *config) error {
		for _, m := range middlewares {
			if m == nil {
				return errors.New("WithMiddleware: a middleware is nil")
			}
		}
		c.middlewares = append(c.middlewares, middlewares...)
		return nil
	}
}

// WithLogger makes the client write one record per call, see [middleware.Log], and one for each new finding of the checks
// before sending, see [WithPreflight]. The default writes none.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		c.logger, c.told = logger, nil
		return nil
	}
}

// WithLoggedNumbers has the records of [WithLogger] name the merchant's own number of a call, such as out_trade_no, where
// it is known which member that is. By default no number is logged.
func WithLoggedNumbers() Option {
	return func(c *config) error {
		c.logNumbers = true
		return nil
	}
}

// WithObserver hands every finished call to observe, for metrics and traces; see [middleware.Observe].
func WithObserver(observe func(context.Context, middleware.Observation)) Option {
	return func(c *config) error {
		c.observer = observe
		return nil
	}
}

// WithTimeout bounds one call with all its attempts. Default 30 s. Uploads and downloads may take as long as they must: of
// these it bounds how long they stand still, and of a download all the time until it begins.
func WithTimeout(limit time.Duration) Option {
	return func(c *config) error {
		c.timeout = limit
		return checkLimit("WithTimeout", limit)
	}
}

// WithAttemptTimeout bounds one attempt of a call. Default 10 s.
func WithAttemptTimeout(limit time.Duration) Option {
	return func(c *config) error {
		c.attemptTimeout = limit
		return checkLimit("WithAttemptTimeout", limit)
	}
}

// WithMaxResponse bounds an answer's body, in bytes. A longer one is refused, never cut. Default 16 MiB.
func WithMaxResponse(bytes int64) Option {
	return func(c *config) error {
		c.maxResponse = bytes
		return checkCount("WithMaxResponse", bytes)
	}
}

// WithConcurrency sets how many asynchronous calls run at once, and how many more may wait for their
// turn. The defaults are 64 and 10,000.
func WithConcurrency(running, waiting int) Option {
	return func(c *config) error {
		c.concurrency, c.queueSize = running, waiting
		if waiting < 0 {
			return fmt.Errorf("WithConcurrency: %d waiting calls, it must not be negative", waiting)
		}
		return checkCount("WithConcurrency: running calls", int64(running))
	}
}

// WithUserAgent puts product, such as "shop/1.2", before the client's own User-Agent.
func WithUserAgent(product string) Option {
	return func(c *config) error {
		if err := visible.Line(product); err != nil {
			return fmt.Errorf("WithUserAgent: of the product %s, %w", redact.Quote(product), err)
		}
		if product == "" || strings.ContainsFunc(product, func(r rune) bool { return r > '~' }) {
			return fmt.Errorf("WithUserAgent: the product %s is not printable ASCII, such as shop/1.2", redact.Quote(product))
		}
		c.userAgent = product + " " + defaultUserAgent
		return nil
	}
}

// WithLanguage chooses the language of the platform's messages: en, zh-CN, zh-HK or zh-TW. The default leaves the choice
// to the platform, which is zh-CN.
func WithLanguage(tag string) Option {
	return func(c *config) error {
		switch tag {
		case "en", "zh-CN", "zh-HK", "zh-TW":
			c.language = tag
			return nil
		}
		return fmt.Errorf("WithLanguage: %s is not one of en, zh-CN, zh-HK, zh-TW", redact.Quote(tag))
	}
}

// WithScheme replaces the authentication scheme. The default is [apiv3.RSA]. [apiv3.Brand] makes a client that calls as a
// brand (https://pay.weixin.qq.com/doc/brand/4015407568, checked in November 2026): paths begin with brand/, Merchant has
// the brand's id, certificate and key, and [WithPublicKey] is required, since brands have no platform certificates.
func WithScheme(scheme apiv3.Scheme) Option {
	return func(c *config) error {
		if scheme == nil {
			return errors.New("WithScheme: the scheme is nil")
		}
		c.scheme = scheme
		return nil
	}
}

// WithClock replaces the clock that signing and verifying use. The default is time.Now.
func WithClock(now func() time.Time) Option {
	return func(c *config) error {
		if now == nil {
			return errors.New("WithClock: the clock is nil")
		}
		c.clock = now
		return nil
	}
}

// WithNonce replaces the source of nonces, for golden tests. Each call must give a fresh, unpredictable text of at most
// 32 characters of [0-9A-Za-z]. The default is crypto/rand.Text.
func WithNonce(nonce func() string) Option {
	return func(c *config) error {
		if nonce == nil {
			return errors.New("WithNonce: the source is nil")
		}
		c.nonce = nonce
		return nil
	}
}
