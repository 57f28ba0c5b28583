package wxpay

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/autofill"
	"github.com/wxpay-go/wxpay/internal/call"
	"github.com/wxpay-go/wxpay/internal/keylist"
	"github.com/wxpay-go/wxpay/internal/keyring"
	"github.com/wxpay-go/wxpay/internal/preflight"
	"github.com/wxpay-go/wxpay/internal/queue"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/sensitive"
	"github.com/wxpay-go/wxpay/internal/target"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/transport"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Client makes calls for one merchant, or for one brand. It is immutable except for the platform's
// certificates and a [KeyRing], and safe for concurrent use. Make one and keep it, since it holds
// the connection pool.
type Client struct {
	config
	merchant Merchant // only the ID once the client is built
	apiv3Key func() string
	line     *call.Line // of all its calls
	stages   []stage
	ages     *middleware.Ages // how old responses are
	queue    *queue.Queue
	origin   *Client // the client that As made this one from, else nil
	stores   stores  // of its Config
}

// New returns a client. It makes no call. It checks its arguments offline; its error names every
// fault that it found and says where to find the right value. It needs a source of platform
// keys: [WithPublicKey], [WithCertificates] or [WithPlatformCertificates].
func New(merchant Merchant, options ...Option) (*Client, error) {
	c := &Client{merchant: merchant, config: defaults()}
	return c.build(options)
}

// build applies the options, checks everything, and puts the client together.
func (c *Client) build(options []Option) (*Client, error) {
	own, set, err := c.configure(options)
	if err != nil {
		return nil, fmt.Errorf("wxpay: the client is not usable: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	c.apiv3Key = redact.Hide(c.merchant.APIv3Key)
	c.merchant = Merchant{ID: c.merchant.ID}
	c.complete()
	keys, shared := c.sharedKeys(), true
	if keys == nil {
		keys, shared = keylist.New(set, c.clock, c.keyShare), false
	}
	c.line = &call.Line{
		Signer: &middleware.Signer{Scheme: c.scheme, ID: c.merchant.ID, Identity: own, Clock: c.clock, Nonce: c.nonce},
		Caller: c.scheme.Identity() + " " + c.merchant.ID, Own: own, Keys: keys, Scheme: c.scheme, Base: c.base, Backups: c.backups,
		Headers: call.NewHeaders(c.userAgent, c.language), Clock: c.clock,
		Timeout: c.timeout, AttemptTimeout: c.attemptTimeout, Limits: call.TimeLimits(c.timeout, c.attemptTimeout), Attempts: c.attempts,
		Waits: len(c.middlewares) > 0, Facts: c.facts, Plans: c.plans, Fill: c.defaults,
		Checks: call.Checks{Strict: c.strict, Silenced: c.silenced, Told: c.told},
		Logger: c.findings, LogNumbers: c.logNumbers, Echoes: new(call.Echoes), Errors: callErrors(),
	}
	if c.origin != nil {
		c.line.Echoes = c.origin.line.Echoes
	}
	c.stages = c.assemble(keys)
	c.line.Pipeline = c.join(c.stages)
	if c.certificates != nil && !shared {
		c.follow()
	}
	return c, nil
}

// configure applies the options and checks everything. It returns the caller's certificates and the
// platform's keys.
func (c *Client) configure(options []Option) (own *keyring.Ring, set *apiv3.KeySet, err error) {
	var problems []error
	for _, option := range options {
		if option == nil {
			problems = append(problems, errors.New("an option is nil"))
			continue
		}
		problems = append(problems, option(&c.config))
	}
	failed := errors.Join(problems...) != nil // then the values of an invalid option are not reported as missing
	if c.origin != nil && !failed {
		problems = append(problems, c.inherit())
	}
	own, err = c.merchant.caller().Check(c.scheme, c.clock())
	problems = append(problems, err)
	if !failed && c.sharedKeys() == nil {
		problems = append(problems, c.checkPlatformKeys(own))
	}
	gateway := target.Gateway{Base: c.base, Backups: c.backups}
	if hosts := gateway.Unencrypted(c.insecure); len(hosts) > 0 {
		problems = append(problems, fmt.Errorf("base URL http://%s is not encrypted: http is accepted only for this machine, and for a test's host that WithInsecureHTTP names", redact.OneLine(hosts[0])))
	} else if hosts = gateway.Unencrypted(nil); len(hosts) > 0 && c.origin == nil && !failed {
		c.warnOfHTTP(hosts[0])
	}
	if c.strict && !c.embedded && c.catalog == nil {
		problems = append(problems, errors.New("WithPreflight(PreflightStrict) has nothing to check against: leave WithCatalog(nil) out"))
	}
	problems = append(problems, c.defaults.Check(c.merchant.ID, c.isBrand(), c.embedded || c.catalog != nil))
	set, err = apiv3.NewKeySet(c.platformKeys...)
	problems = append(problems, err)
	if own != nil && errors.Join(problems...) == nil {
		problems = append(problems, own.Serve(c.scheme, c.merchant.ID))
	}
	return own, set, errors.Join(problems...)
}

// warnOfHTTP logs that a gateway is not encrypted.
func (c *Client) warnOfHTTP(host string) {
	logger := c.logger
	if logger == nil {
		logger = slog.Default()
	}
	logger.Warn("wxpay: requests and responses are not encrypted; WithInsecureHTTP is for tests in a closed network", "host", host)
}

// complete fills in the parts that neither the options nor the origin of c have set.
func (c *Client) complete() {
	if c.queue == nil {
		c.queue = queue.New(c.concurrency, c.queueSize)
	}
	if c.hosts == nil {
		c.hosts = middleware.NewHosts(time.Now, c.base.Host, c.backups...)
	}
	if c.transport == nil {
		c.transport = transport.New(transport.Config{Hosts: append([]string{c.base.Host}, c.backups...)})
	}
	if c.ages = new(middleware.Ages); c.origin != nil {
		c.ages = c.origin.ages
	}
	if c.plans == nil {
		if c.plans = new(sensitive.Plans); c.embedded {
			c.plans = &embeddedPlans
		}
	}
	if c.told == nil {
		c.told = preflight.NewTold()
	}
}

// embeddedPlans are the plans of the embedded catalogue, whose operations bound their number.
// Clients share them.
var embeddedPlans sensitive.Plans

// stage is one named part of the pipeline.
type stage struct {
	name string
	wrap middleware.Middleware
}

// assemble lists the stages of the pipeline, outermost first; they verify with keys. It is the only
// place that does so; package middleware explains the order.
func (c *Client) assemble(keys middleware.Keys) (stages []stage) {
	if c.observer != nil {
		stages = append(stages, stage{"observe", middleware.Observe(c.clock, c.observer)})
	}
	if c.logger != nil {
		stages = append(stages, stage{"log", middleware.Log(c.logger, c.clock)})
	}
	if len(c.middlewares) > 0 {
		stages = append(stages, stage{"yours", call.Yours(c.middlewares)})
	}
	passing := func(status int, code string) bool { return wxcode.Passing(status, wxcode.Code(code)) }
	stages = append(stages, stage{"retry", middleware.Retry(&middleware.RetryConfig{Attempts: c.attempts, Passing: passing, Hosts: c.hosts})})
	if c.limiter != nil {
		stages = append(stages, stage{"limit", middleware.Limit(c.limiter, c.Identity())})
	}
	return append(stages,
		stage{"sign", middleware.Sign(c.line.Signer)},
		stage{"verify", middleware.Verify(&middleware.VerifyConfig{Scheme: c.scheme, Keys: keys, Clock: c.clock, MaxResponse: c.maxResponse, Ages: c.ages})})
}

// join makes a pipeline of the stages and the transport.
func (c *Client) join(stages []stage) http.RoundTripper {
	pipeline := c.transport
	for _, s := range slices.Backward(stages) {
		pipeline = s.wrap(pipeline)
	}
	return pipeline
}

// follow makes the client's keys follow the platform's certificate list. A separate line reads the
// list; its pipeline verifies with the certificates in the response.
func (c *Client) follow() {
	settings := *c.certificates
	c.line.Keys.Follow(keylist.Source{
		Settings: settings, MchID: c.merchant.ID, Key: c.apiv3Key, Scheme: c.scheme, Logger: c.logger,
		Reader: func(keys middleware.Keys) keylist.Read {
			line := *c.line
			line.Keys = keylist.New(new(apiv3.KeySet), c.clock, 0) // has no key, so the request names none
			line.Pipeline = c.join(c.assemble(keys))
			return readList(&line, settings.Path)
		},
		Failed: func(cause error, next time.Time) error { return &KeysError{Cause: cause, Next: next} },
		Panicked: func(value any) error {
			return newPanicError("a middleware, a store or other code given to the client", value)
		},
	})
}

// Pipeline returns the names of the stages of a call, outermost first; the last is the transport.
func (c *Client) Pipeline() []string {
	names := make([]string, 0, len(c.stages)+1)
	for _, s := range c.stages {
		names = append(names, s.name)
	}
	return append(names, "transport")
}

// Close ends the client's own work: a running refresh of the certificate list, and
// [Client.WatchKeys]. It waits for the end of the refresh, and closes idle connections and the
// stores of its [Config]. A client without such stores that is never closed leaves only idle
// connections behind, for seconds. A closed client still makes calls, with the keys that it has.
// Closing a client made by [Client.As] leaves its origin unchanged. The error is that of a store.
func (c *Client) Close() error {
	if c.origin == nil || c.line.Keys != c.origin.line.Keys {
		c.line.Keys.Close()
	}
	if c.origin == nil {
		c.closeIdle()
	}
	return c.stores.close()
}

// closeIdle closes idle connections, which frees them sooner.
func (c *Client) closeIdle() {
	if pool, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		pool.CloseIdleConnections()
	}
}

// Identity returns the caller's number after its kind, such as "mchid 1900000109". Limits are
// counted by it ([middleware.LimitKey]).
func (c *Client) Identity() string { return c.line.Caller }

// MchID returns the merchant number that signs, empty for a brand.
func (c *Client) MchID() string {
	if c.isBrand() {
		return ""
	}
	return c.merchant.ID
}

// BaseURL returns the address of the gateway; see [WithBaseURL].
func (c *Client) BaseURL() string { return c.base.String() }

// Serial returns the serial of the API certificate that signs now; a [KeyRing] may switch to
// another.
func (c *Client) Serial() string {
	serial, _ := c.line.Own.SigningKey()
	return serial
}

// String returns merchant or brand, serial and base URL, and no key.
func (c *Client) String() string {
	who := "merchant"
	if c.isBrand() {
		who = "brand"
	}
	return fmt.Sprintf("wxpay.Client{%s %s, serial %s, %s}", who, c.merchant.ID, c.Serial(), c.base)
}

// Format prints what String returns under every verb.
func (c *Client) Format(s fmt.State, verb rune) { redact.Format(s, verb, c.String()) }

// MarshalText gives encodings what Format prints.
func (c *Client) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// As returns a client for another merchant that shares the expensive parts: the transport with its
// connections, the catalogue, and the queue of asynchronous calls. The options of c apply first,
// then options. As(brand, WithScheme(apiv3.Brand()), WithPublicKey(id, key)) makes a brand beside a
// merchant; a merchant beside a brand names apiv3.RSA() in the same way.
//
// Platform keys belong to a merchant. A client made with [WithCertificates] passes that option on,
// and the new client fetches its own list. Pass a public key explicitly: As(merchant,
// WithPublicKey(id, key)); the new client then fetches nothing unless WithCertificates is passed
// too. For the merchant of c, with another certificate for example, As shares the keys of c unless
// others are passed.
//
// Clients made by As are as light as their keys; make one for each merchant and keep it.
func (c *Client) As(merchant Merchant, options ...Option) (*Client, error) {
	other := &Client{merchant: merchant, config: c.config, queue: c.queue, origin: c}
	other.platformKeys, other.certificates = nil, nil
	if merchant.ID != c.merchant.ID {
		other.defaults = autofill.Caller{}
	}
	other.middlewares = slices.Clip(c.middlewares)
	return other.build(options)
}

// inherit fills from the origin of c the parts that the options have not set.
func (c *Client) inherit() error {
	origin := c.origin
	switch {
	case c.concurrency != origin.concurrency || c.queueSize != origin.queueSize:
		return errors.New("WithConcurrency belongs to the client that As is called on, because the queue is shared: leave it out of As")
	case len(c.platformKeys) > 0 || c.certificates != nil || c.isBrand() != origin.isBrand():
	case c.merchant.ID != origin.merchant.ID && origin.certificates == nil:
		return fmt.Errorf("there is no platform key for merchant %s: pass WithPublicKey(id, key), both shown by its merchant platform under API security; the public key of %s is not its own", redact.Quote(c.merchant.ID), redact.Quote(origin.merchant.ID))
	default:
		c.certificates = origin.certificates
	}
	return nil
}

// sharedKeys returns the platform keys of the origin of c if c uses them too: for the same
// merchant, when no option sets others. It returns nil otherwise.
func (c *Client) sharedKeys() *keylist.Keys {
	origin := c.origin
	if origin == nil || c.merchant.ID != origin.merchant.ID || c.isBrand() != origin.isBrand() || len(c.platformKeys) > 0 ||
		c.certificates != origin.certificates || c.keyShare != origin.keyShare {
		return nil
	}
	return origin.line.Keys
}

// checkPlatformKeys reports the faults of the sources of platform keys.
func (c *Client) checkPlatformKeys(own *keyring.Ring) error {
	var problems []error
	switch {
	case c.isBrand() && c.certificates != nil:
		problems = append(problems, errors.New("WithCertificates is not for brands, which have only a public key"))
	case c.isBrand() && !slices.ContainsFunc(c.platformKeys, func(k apiv3.PlatformKey) bool { return !k.IsCertificate() }):
		problems = append(problems, errors.New("a brand names its WeChat Pay public key with every call: pass WithPublicKey(id, key), both shown by the brand's platform under API security"))
	case c.certificates != nil && c.merchant.APIv3Key == "":
		problems = append(problems, errors.New("WithCertificates needs Merchant.APIv3Key, because the platform encrypts its certificates with it: set the key in the merchant platform under API security"))
	case c.certificates == nil && len(c.platformKeys) == 0:
		problems = append(problems, errors.New("there is no platform key, so no response can be verified: pass WithPublicKey(id, key), both shown by the merchant platform under API security; or WithCertificates() if the merchant still has platform certificates, WithPlatformCertificates if you keep them yourself"))
	}
	for _, key := range c.platformKeys {
		if err := c.scheme.CheckPublicKey(key.Key); err != nil {
			problems = append(problems, fmt.Errorf("platform key %s: %w", key.Serial, err))
		} else if own != nil && own.Owns(key) {
			problems = append(problems, fmt.Errorf("platform key %s is the merchant's own: pass the platform's certificate or public key, and not apiclient_cert.pem", key.Serial))
		}
	}
	return errors.Join(problems...)
}

// isBrand reports whether the caller is a brand rather than a merchant.
func (c *Client) isBrand() bool { return keyring.IsBrand(c.scheme) }
