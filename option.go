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

// WithPublicKey adds the WeChat Pay public key and its id (PUB_KEY_ID_…); the merchant platform
// shows both under API security. [LoadPublicKey] reads the file pub_key.pem. Requests name this
// key, so the platform signs its responses with it.
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

// WithPlatformCertificates adds platform certificates that you manage yourself. The client uses
// them while they are valid and does not renew them; see [WithCertificates].
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

// WithCatalog replaces the catalogue of operations. The default is the embedded one, catalog.V3(),
// which is unpacked at the first call; WithCatalog(nil) removes it. With a catalogue the client
// encrypts the fields that the manual marks as sensitive in every body and query, and decrypts them
// in every response ([Response.DecryptErr]). It checks calls before it sends them ([WithPreflight]).
// It knows the paging of lists ([Chain.Each]) and the queries for [Chain.Ensure]. Without one,
// and for operations that it does not know, every call still works: [Secret], [Chain.Encrypt] and
// [Chain.Paging] replace its facts.
func WithCatalog(catalog Catalog) Option {
	return func(c *config) error {
		c.embedded, c.catalog, c.plans = false, catalog, nil
		return nil
	}
}

// WithBaseURL sets the gateway, scheme and host, such as https://apihk.mch.weixin.qq.com, and
// backups that serve the same resources. Plain http is accepted only for this machine, for a
// sandbox; see [WithInsecureHTTP]. The default is [DefaultBaseURL] with the backup https://api2.mch.weixin.qq.com; a
// gateway set without backups has none.
//
// A request that gets no connection goes to the next host at once, and a retry goes to another host
// after a failure of the first. After several consecutive failures of the primary the backup comes
// first, until single calls find that the primary works again.
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
				return fmt.Errorf("WithBaseURL: %s appears twice", redact.Quote(u.Host))
			}
			names = append(names, u.Host)
		}
		c.base, c.backups, c.hosts = base, names[1:], nil
		return nil
	}
}

// WithInsecureHTTP permits [WithBaseURL] to reach host by plain http, for tests with a sandbox on
// another machine, such as another container. host is a name or address, with a port or for all
// ports. Everyone on the way reads and changes what is sent, sensitive fields excepted, so it is for
// closed networks without real data. A warning is logged once for a client ([WithLogger], else
// slog.Default).
func WithInsecureHTTP(host string) Option {
	return func(c *config) error {
		if err := visible.Word(host); err != nil {
			return fmt.Errorf("WithInsecureHTTP: of the host %s, %w", redact.Quote(host), err)
		}
		if host == "" || strings.ContainsAny(host, "/@") {
			return fmt.Errorf("WithInsecureHTTP: %s is not a host such as sandbox or sandbox:8080", redact.Quote(host))
		}
		c.insecure = append(c.insecure, strings.ToLower(host))
		return nil
	}
}

// WithAttempts sets the most requests of one call, the first included: 1 means no retry. Default 3.
// [middleware.Retry] has the rules for retries.
func WithAttempts(attempts int) Option {
	return func(c *config) error {
		c.attempts = attempts
		return checkCount("WithAttempts", int64(attempts))
	}
}

// WithLimiter makes every request, retries and queries included, wait for limiter.
// middleware.NewLimits() keeps the rates that the catalogue knows. By default no request waits,
// because the platform often raises the documented rates for a merchant, and they apply to all its
// processes together, which one process cannot see.
func WithLimiter(limiter middleware.Limiter) Option {
	return func(c *config) error {
		c.limiter = limiter
		return nil
	}
}

// WithTransport replaces the last hop, for example with transport.New and another configuration, a
// recorder, or Sandbox.Transport. It runs below signing and verifying. The client trusts it: a
// *transport.UnsentError in its error, or an error whose method Unsent() bool returns true, makes
// the outcome NotSent; if it joins several errors, then each of them must be one. Any other error
// leaves the outcome unknown, since the request may have been sent. A round tripper that sends a
// request more than once, or also by another way, must therefore not pass on an UnsentError alone
// after the first send. errors.Is and errors.As find no other error of this module in its errors.
// Two faults of net/http's own transport, which package transport prevents: it repeats a write with
// an Idempotency-Key by itself, and it writes the beginning of an unrequested response to the global
// logger.
func WithTransport(rt http.RoundTripper) Option {
	return func(c *config) error {
		if rt == nil {
			return errors.New("WithTransport: the round tripper is nil")
		}
		c.transport = rt
		return nil
	}
}

// WithMiddleware adds your middlewares, outermost first, outside signing: their changes are signed.
// Later options add further in.
//
// A middleware sends the request on with a context that descends from the request's, one request at
// a time, and before it returns. It may return the error that it got unchanged or wrapped with %w.
// In any other error of a middleware, errors.Is and errors.As find no error of this module, so that
// an API error of another call never counts as one of this call. A response that it invents or
// changes counts as unverified, and [Chain.Ensure] and [Client.Resolve] ignore it. The attempts
// alone decide the outcome, whatever a middleware returns.
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

// WithLogger makes the client write a record of each call, see [middleware.Log], and of each
// refresh of its keys. Its warnings go to the same logger: each new finding of the checks before
// sending, see [WithPreflight], and fields of a response that contradict the call or the catalogue.
// Without this option only the warnings are written, to the slog.Default() at the time of [New].
// nil writes nothing.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		c.logger, c.findings, c.told = logger, logger, nil
		return nil
	}
}

// WithLoggedNumbers adds the merchant's own number of a call, such as out_trade_no, to the records
// of [WithLogger] if its field is known. By default no number is logged.
func WithLoggedNumbers() Option {
	return func(c *config) error {
		c.logNumbers = true
		return nil
	}
}

// WithObserver passes every finished call to observe, for metrics and traces; see
// [middleware.Observe].
func WithObserver(observe func(context.Context, middleware.Observation)) Option {
	return func(c *config) error {
		c.observer = observe
		return nil
	}
}

// WithTimeout bounds one call with all its attempts. Default 30 s. Uploads and downloads have no
// total limit; for them it bounds the longest stall, and for a download also the whole time until
// it begins.
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

// WithMaxResponse bounds a response's body, in bytes. A longer one is an error, and never cut.
// Default 16 MiB.
func WithMaxResponse(bytes int64) Option {
	return func(c *config) error {
		c.maxResponse = bytes
		return checkCount("WithMaxResponse", bytes)
	}
}

// WithConcurrency sets the most asynchronous calls that run at once, and the most that wait. The
// defaults are 64 and 10,000.
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
			return fmt.Errorf("WithUserAgent: the product %s: %w", redact.Quote(product), err)
		}
		if product == "" || strings.ContainsFunc(product, func(r rune) bool { return r > '~' }) {
			return fmt.Errorf("WithUserAgent: the product %s is not printable ASCII, such as shop/1.2", redact.Quote(product))
		}
		c.userAgent = product + " " + defaultUserAgent
		return nil
	}
}

// WithLanguage sets the language of the platform's messages: en, zh-CN, zh-HK or zh-TW. By default
// the platform chooses, and uses zh-CN.
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

// WithScheme replaces the authentication scheme. The default is [apiv3.RSA]. With [apiv3.Brand] the
// client calls as a brand (https://pay.weixin.qq.com/doc/brand/4015407568, checked in November
// 2026): paths begin with brand/, Merchant has the brand's id, certificate and key, and
// [WithPublicKey] is required, since brands have no platform certificates.
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

// WithNonce replaces the source of nonces, for golden tests. Each call of nonce must return a
// fresh, unpredictable text of at most 32 characters of [0-9A-Za-z]. The default gives texts like
// those of crypto/rand.Text.
func WithNonce(nonce func() string) Option {
	return func(c *config) error {
		if nonce == nil {
			return errors.New("WithNonce: the source is nil")
		}
		c.nonce = nonce
		return nil
	}
}
