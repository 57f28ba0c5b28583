package wxpay

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/catalog"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/autofill"
	"github.com/wxpay-go/wxpay/internal/call"
	"github.com/wxpay-go/wxpay/internal/keylist"
	"github.com/wxpay-go/wxpay/internal/keyring"
	"github.com/wxpay-go/wxpay/internal/preflight"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/sensitive"
	"github.com/wxpay-go/wxpay/internal/target"
	"github.com/wxpay-go/wxpay/internal/visible"
	"github.com/wxpay-go/wxpay/middleware"
)

// Option sets up a client. A bad value is an error of [New]; where two options set the same thing, the later wins.
type Option func(*config) error

// config is what the options fill.
type config struct {
	scheme         apiv3.Scheme
	base           *url.URL
	backups        []string          // other hosts of the gateway, each with its port if it needs one
	hosts          *middleware.Hosts // base and backups, and how they do; nil until the client is put together
	platformKeys   []apiv3.PlatformKey
	certificates   *keylist.Settings // nil: the certificate list is not fetched
	keyShare       float64           // percent of the calls that use the public key; see WithPublicKeyShare
	embedded       bool              // the catalogue is the embedded one
	catalog        Catalog           // another one; nil: there is none
	plans          *sensitive.Plans  // of the catalogue's operations; nil until the client is put together
	strict         bool              // PreflightStrict
	silenced       []string          // kinds of findings
	told           *preflight.Told   // the findings that were logged; nil until the client is put together
	defaults       autofill.Caller
	transport      http.RoundTripper // nil until the client is put together, unless WithTransport gave one
	attempts       int
	limiter        middleware.Limiter // nil: nothing is held back
	middlewares    []middleware.Middleware
	logger         *slog.Logger
	logNumbers     bool
	observer       func(context.Context, middleware.Observation)
	timeout        time.Duration
	attemptTimeout time.Duration
	maxResponse    int64
	concurrency    int
	queueSize      int
	userAgent      string
	language       string
	clock          func() time.Time
	nonce          func() string
}

// Catalog is what the client asks a catalogue of operations, such as catalog.V3(). path is a template or a concrete path
// with a leading slash. A catalogue may also have the methods Nearest, Methods and HasSegment of that one; then the findings
// of [WithPreflight] name what was probably meant, and [Client.At] knows the names of its paths.
type Catalog interface {
	Lookup(method, path string) (*fact.Operation, bool)
}

// DefaultBaseURL is the mainland gateway.
const DefaultBaseURL = "https://api.mch.weixin.qq.com"

func defaults() config {
	return config{
		scheme:         apiv3.RSA(),
		base:           &url.URL{Scheme: "https", Host: strings.TrimPrefix(DefaultBaseURL, "https://")},
		keyShare:       100,
		embedded:       true,
		backups:        []string{"api2.mch.weixin.qq.com"},
		attempts:       3,
		timeout:        30 * time.Second,
		attemptTimeout: 10 * time.Second,
		maxResponse:    16 << 20,
		concurrency:    64,
		queueSize:      10_000,
		userAgent:      defaultUserAgent,
		clock:          time.Now,
		nonce:          rand.Text,
	}
}

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

// facts returns the catalogue, nil if there is none. The embedded one is unpacked when it is first asked for.
func (c *config) facts() call.Catalog {
	if c.embedded {
		return catalog.V3()
	}
	return c.catalog
}

// WithBaseURL sets the gateway: scheme and host, such as https://apihk.mch.weixin.qq.com. Plain http is accepted for
// this machine only, for a sandbox. It has no backup then; see [WithHosts]. The default is [DefaultBaseURL] with its
// backup.
func WithBaseURL(address string) Option {
	return func(c *config) (err error) {
		base, err := target.BaseURL(address)
		if err == nil {
			c.base, c.backups, c.hosts = base, nil, nil
		}
		return err
	}
}

// WithHosts sets the gateway as [WithBaseURL] does, and backups that serve the same resources. The default is
// https://api.mch.weixin.qq.com with https://api2.mch.weixin.qq.com behind it; merchants abroad may have
// https://apihk.mch.weixin.qq.com first.
//
// A request for which no connection could be had goes to the next host at once, and a repeated one goes to another host
// after trouble with the first. When the primary failed several times in a row, the backup goes first until single calls
// find the primary well again.
func WithHosts(primary string, backups ...string) Option {
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
				return fmt.Errorf("WithHosts: %s and %s differ in their scheme", base.Scheme, u.Scheme)
			case slices.Contains(names, u.Host):
				return fmt.Errorf("WithHosts: %s stands twice", redact.Quote(u.Host))
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

// WithConcurrency sets how many asynchronous calls run at once. Default 64.
func WithConcurrency(calls int) Option {
	return func(c *config) error {
		c.concurrency = calls
		return checkCount("WithConcurrency", int64(calls))
	}
}

// WithQueue sets how many asynchronous calls may wait for their turn. Default 10,000.
func WithQueue(calls int) Option {
	return func(c *config) error {
		c.queueSize = calls
		if calls < 0 {
			return fmt.Errorf("WithQueue is %d, it must not be negative", calls)
		}
		return nil
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

func checkCount(what string, n int64) error {
	if n <= 0 {
		return fmt.Errorf("%s is %d, it must be positive", what, n)
	}
	return nil
}

func checkLimit(what string, limit time.Duration) error {
	if limit <= 0 {
		return fmt.Errorf("%s is %s, it must be positive", what, limit)
	}
	return nil
}
