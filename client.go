package wxpay

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/keylist"
	"github.com/wxpay-go/wxpay/internal/keyring"
	"github.com/wxpay-go/wxpay/internal/preflight"
	"github.com/wxpay-go/wxpay/internal/redact"
	"github.com/wxpay-go/wxpay/internal/sensitive"
	"github.com/wxpay-go/wxpay/middleware"
	"github.com/wxpay-go/wxpay/transport"
	"github.com/wxpay-go/wxpay/wxcode"
)

// Lookup is what the client asks a catalogue of operations, such as catalog.V3(). path is a template or a concrete path
// with a leading slash. A catalogue may also have the methods Nearest, Methods and HasSegment of that one; then the findings
// of [WithPreflight] name what was probably meant, and [Client.At] knows the names of its paths.
type Lookup interface {
	Lookup(method, path string) (*fact.Operation, bool)
}

// Client makes calls for one merchant, or for one brand. It is immutable but for the certificates that it holds, and safe
// for concurrent use; make one and keep it, since it holds the connection pool.
type Client struct {
	merchant Merchant // once the client is built, the ID alone
	apiv3Key func() string
	config
	own      *keyring.Ring // the caller's API certificates
	keys     *keylist.Keys // the platform's; another client of the same merchant may share them
	signer   *middleware.Signer
	stages   []stage
	pipeline http.RoundTripper
	queue    *queue
	ages     *middleware.Ages // how old answers are
	echoes   *sync.Map        // what was logged of answers that repeat a member otherwise
	origin   *Client          // the client that this one was derived from, nil if it was not

	limits  *middleware.TimeLimits // of calls that set none of their own
	headers usualHeaders
}

// New returns a client. It checks everything that can be checked offline at once, names what is wrong and where to find
// it, and makes no call. A source of platform keys is needed: [WithPublicKey], [WithCertificates] or
// [WithPlatformCertificates].
func New(merchant Merchant, options ...Option) (*Client, error) {
	c := &Client{merchant: merchant, config: defaults()}
	return c.build(options)
}

// build applies the options, checks everything, and puts the client together.
func (c *Client) build(options []Option) (*Client, error) {
	var problems []error
	for _, option := range options {
		if option == nil {
			problems = append(problems, errors.New("an option is nil"))
			continue
		}
		problems = append(problems, option(&c.config))
	}
	failed := errors.Join(problems...) != nil // what an option would have brought is not missed then
	if c.origin != nil && !failed {
		problems = append(problems, c.inherit())
	}
	var err error
	c.own, err = c.merchant.caller().Check(c.scheme, c.clock())
	problems = append(problems, err)
	if !failed && c.sharedKeys() == nil {
		problems = append(problems, c.checkPlatformKeys())
	}
	if c.strict && !c.embedded && c.catalog == nil {
		problems = append(problems, errors.New("WithPreflight(PreflightStrict) has nothing to check against: leave WithCatalog(nil) out"))
	}
	problems = append(problems, c.defaults.Check(c.merchant.ID, c.isBrand(), c.embedded || c.catalog != nil))
	set, err := apiv3.NewKeySet(c.platformKeys...)
	problems = append(problems, err)
	if c.own != nil && errors.Join(problems...) == nil {
		problems = append(problems, c.own.Serve(c.scheme, c.merchant.ID))
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("wxpay: the client is not usable: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	c.apiv3Key = redact.Hide(c.merchant.APIv3Key)
	c.merchant = Merchant{ID: c.merchant.ID}
	c.signer = &middleware.Signer{Scheme: c.scheme, ID: c.merchant.ID, Identity: c.own, Clock: c.clock, Nonce: c.nonce}
	if c.queue == nil {
		c.queue = newQueue(c.concurrency, c.queueSize)
	}
	if c.hosts == nil {
		c.hosts = middleware.NewHosts(time.Now, c.base.Host, c.backups...)
	}
	if c.transport == nil {
		c.transport = transport.New(transport.Config{Hosts: append([]string{c.base.Host}, c.backups...)})
	}
	if c.ages, c.echoes = new(middleware.Ages), new(sync.Map); c.origin != nil {
		c.ages, c.echoes = c.origin.ages, c.origin.echoes
	}
	if c.plans == nil {
		if c.plans = new(sensitive.Plans); c.embedded {
			c.plans = &embeddedPlans
		}
	}
	if c.told == nil {
		c.told = preflight.NewTold()
	}
	c.limits = timeLimits(c.timeout, c.attemptTimeout)
	c.headers = newUsualHeaders(c.userAgent, c.language)
	if c.keys = c.sharedKeys(); c.keys == nil {
		c.keys = keylist.New(set, c.clock, c.keyShare)
		if c.certificates != nil {
			c.follow()
		}
	}
	c.assemble(c.keys)
	return c, nil
}

// embeddedPlans are those of the embedded catalogue, which bounds them. Clients share them.
var embeddedPlans sensitive.Plans

// stage is one named part of the pipeline.
type stage struct {
	name string
	wrap middleware.Middleware
}

// assemble puts the pipeline together, outermost first, verifying with keys. It is the only place that does; the order is
// explained in package middleware.
func (c *Client) assemble(keys middleware.Keys) {
	c.stages = nil
	if c.observer != nil {
		c.stages = append(c.stages, stage{"observe", middleware.Observe(c.clock, c.observer)})
	}
	if c.logger != nil {
		c.stages = append(c.stages, stage{"log", middleware.Log(c.logger, c.clock)})
	}
	if len(c.middlewares) > 0 {
		c.stages = append(c.stages, stage{"yours", yours(c.middlewares)})
	}
	c.stages = append(c.stages, stage{"retry", middleware.Retry(&middleware.RetryConfig{Attempts: c.attempts, Passing: func(status int, code string) bool { return wxcode.Passing(status, wxcode.Code(code)) }, Hosts: c.hosts})})
	if c.limiter != nil {
		c.stages = append(c.stages, stage{"limit", middleware.Limit(c.limiter, c.Identity())})
	}
	c.stages = append(c.stages,
		stage{"sign", middleware.Sign(c.signer)},
		stage{"verify", middleware.Verify(&middleware.VerifyConfig{Scheme: c.scheme, Keys: keys, Clock: c.clock, MaxResponse: c.maxResponse, Ages: c.ages})})
	c.pipeline = c.transport
	for i := len(c.stages) - 1; i >= 0; i-- {
		c.pipeline = c.stages[i].wrap(c.pipeline)
	}
}

// Pipeline returns the names of the stages that a call passes, outermost first, ending with the transport.
func (c *Client) Pipeline() []string {
	names := make([]string, 0, len(c.stages)+1)
	for _, s := range c.stages {
		names = append(names, s.name)
	}
	return append(names, "transport")
}

// Close ends what the client does by itself: a certificate list that is being read, and [Client.WatchKeys]. It waits
// until a reading has ended, and closes the connections that no call uses. A client that was never closed leaves nothing
// behind but those, for seconds; and one that was closed still makes calls, with the keys that it has. Closing a client
// made by [Client.As] leaves the one it came from as it is. The error is always nil.
func (c *Client) Close() error {
	if c.origin == nil || c.keys != c.origin.keys {
		c.keys.Close()
	}
	if c.origin == nil {
		c.CloseIdleConnections()
	}
	return nil
}

// CloseIdleConnections closes the connections that no call uses, which frees them sooner.
func (c *Client) CloseIdleConnections() {
	if pool, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		pool.CloseIdleConnections()
	}
}

// Identity is who calls, with the kind of the number before it, such as "mchid 1900000109": what limits are counted by
// ([middleware.LimitKey]).
func (c *Client) Identity() string { return c.scheme.Identity() + " " + c.merchant.ID }

// MchID is the merchant number that signs, empty for a brand.
func (c *Client) MchID() string {
	if c.isBrand() {
		return ""
	}
	return c.merchant.ID
}

// Serial is the serial of the API certificate that signs now; a [KeyRing] may go on to another.
func (c *Client) Serial() string {
	serial, _ := c.own.SigningKey()
	return serial
}

// String returns merchant or brand, and base URL. Keys are not in it.
func (c *Client) String() string {
	who := "merchant"
	if c.isBrand() {
		who = "brand"
	}
	return fmt.Sprintf("wxpay.Client{%s %s, serial %s, %s}", who, c.merchant.ID, c.Serial(), c.base)
}

// Format prints what String returns under every verb.
func (c *Client) Format(s fmt.State, verb rune) { redact.Format(s, verb, c.String()) }

// MarshalText gives encodings what String returns.
func (c *Client) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// LogValue gives slog merchant or brand, and base URL.
func (c *Client) LogValue() slog.Value {
	return slog.GroupValue(slog.String(c.scheme.Identity(), c.merchant.ID), slog.String("serial", c.Serial()), slog.String("base_url", c.base.String()))
}
