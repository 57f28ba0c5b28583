package wxpay

import (
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/middleware"
)

// Merchant is who calls: a merchant number with its API certificate. A service provider signs with its own, also when
// it acts for a sub-merchant. It prints redacted.
type Merchant struct {
	// ID is the merchant number (mchid), decimal digits.
	ID string
	// Serial is the serial of the merchant API certificate: 40 upper-case hex digits, leading zeros kept. The merchant
	// platform shows it under account centre, API security; openssl x509 -in apiclient_cert.pem -noout -serial prints it.
	Serial string
	// PrivateKey belongs to that certificate (apiclient_key.pem). Any crypto.Signer will do: see [LoadPrivateKey] for a
	// file, or bring a KMS or an HSM.
	PrivateKey crypto.Signer `json:"-"`
	// APIv3Key is the 32-byte key set in the merchant platform, as typed. Only notifications and platform certificates
	// need it; leave it empty otherwise.
	APIv3Key string `json:"-"`
}

// Format prints number and serial under every verb; keys are left out.
func (m Merchant) Format(s fmt.State, verb rune) {
	formatText(s, verb, fmt.Sprintf("wxpay.Merchant{ID %s, Serial %s, keys redacted}", m.ID, m.Serial))
}

// LogValue gives slog number and serial.
func (m Merchant) LogValue() slog.Value {
	return slog.GroupValue(slog.String("mchid", m.ID), slog.String("serial", m.Serial))
}

// Lookup is what the client asks a catalogue of operations, such as catalog.V3(). path is a template or a concrete path
// with a leading slash. A catalogue may also have the methods Nearest and Methods of that one; then the findings of
// [WithPreflight] name what was probably meant.
type Lookup interface {
	Lookup(method, path string) (*fact.Operation, bool)
}

// Client makes calls for one merchant. It is immutable and safe for concurrent use; make one and keep it, since it
// holds the connection pool.
type Client struct {
	merchant Merchant
	config
	keys     *platformKeys
	signer   *middleware.Signer
	stages   []stage
	pipeline http.RoundTripper
	queue    *queue
	plans    *plans

	usualLimits map[time.Duration]error // what the time limits say when they end a call
}

// New returns a client. It checks everything that can be checked offline at once, names what is wrong and where to find
// it, and makes no call. At least one platform key is needed: [WithPublicKey] or [WithPlatformCertificates].
func New(merchant Merchant, options ...Option) (*Client, error) {
	c := &Client{merchant: merchant, config: defaults()}
	var problems []error
	for _, option := range options {
		if option == nil {
			problems = append(problems, errors.New("an option is nil"))
			continue
		}
		problems = append(problems, option(&c.config))
	}
	problems = append(problems, c.checkMerchant(), c.checkPlatformKeys())
	if c.preflight != PreflightOff && c.catalog == nil {
		problems = append(problems, errors.New("WithPreflight has nothing to check against: pass WithCatalog(catalog.V3()) too"))
	}
	set, err := apiv3.NewKeySet(c.platformKeys...)
	problems = append(problems, err)
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("wxpay: the client is not usable: %s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	c.keys = &platformKeys{set: set, clock: c.clock}
	c.signer = &middleware.Signer{
		Scheme: c.scheme, ID: merchant.ID, Serial: merchant.Serial, Key: merchant.PrivateKey, Clock: c.clock, Nonce: c.nonce,
	}
	c.queue = newQueue(c.concurrency, c.queueSize)
	c.plans = &plans{all: c.preflight != PreflightOff}
	c.usualLimits = map[time.Duration]error{c.timeout: timeLimit(c.timeout), c.attemptTimeout: timeLimit(c.attemptTimeout)}
	c.assemble()
	return c, nil
}

// stage is one named part of the pipeline.
type stage struct {
	name string
	wrap middleware.Middleware
}

// assemble puts the pipeline together, outermost first. It is the only place that does; the order is explained in
// package middleware.
func (c *Client) assemble() {
	if c.observer != nil {
		c.stages = append(c.stages, stage{"observe", middleware.Observe(c.clock, c.observer)})
	}
	if c.logger != nil {
		c.stages = append(c.stages, stage{"log", middleware.Log(c.logger, c.clock)})
	}
	for _, own := range c.middlewares {
		c.stages = append(c.stages, stage{"yours", own})
	}
	c.stages = append(c.stages,
		stage{"sign", middleware.Sign(c.signer)},
		stage{"verify", middleware.Verify(&middleware.Verifier{Scheme: c.scheme, Keys: c.keys, Clock: c.clock, MaxAnswer: c.maxAnswer})})
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

// CloseIdleConnections closes the connections that no call uses. A client needs no closing; this only frees them sooner.
func (c *Client) CloseIdleConnections() {
	if pool, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		pool.CloseIdleConnections()
	}
}

// Format prints merchant and base URL under every verb.
func (c *Client) Format(s fmt.State, verb rune) {
	formatText(s, verb, fmt.Sprintf("wxpay.Client{merchant %s, serial %s, %s}", c.merchant.ID, c.merchant.Serial, c.base))
}

// LogValue gives slog merchant and base URL.
func (c *Client) LogValue() slog.Value {
	return slog.GroupValue(slog.String("mchid", c.merchant.ID), slog.String("serial", c.merchant.Serial), slog.String("base_url", c.base.String()))
}

func (c *Client) checkMerchant() error {
	m := c.merchant
	var problems []error
	problem := func(format string, a ...any) { problems = append(problems, fmt.Errorf(format, a...)) }
	switch {
	case m.ID == "":
		problem("Merchant.ID is missing: it is the merchant number (mchid) that the merchant platform shows under account centre")
	case strings.Trim(m.ID, "0123456789") != "":
		problem("Merchant.ID is not made of digits: it is the merchant number (mchid), not an appid")
	}
	switch {
	case m.Serial == "":
		problem("Merchant.Serial is missing: openssl x509 -in apiclient_cert.pem -noout -serial prints it")
	case apiv3.IsSerial(strings.ToUpper(m.Serial)) && !apiv3.IsSerial(m.Serial):
		problem("Merchant.Serial has lower-case digits: write it in upper case")
	case strings.HasPrefix(m.Serial, "PUB_KEY_ID_"):
		problem("Merchant.Serial is the id of the WeChat Pay public key: it belongs into WithPublicKey; the serial is that of apiclient_cert.pem")
	case !apiv3.IsSerial(m.Serial):
		problem("Merchant.Serial is not 40 hex digits (keep leading zeros): openssl x509 -in apiclient_cert.pem -noout -serial prints it")
	}
	if m.PrivateKey == nil {
		problem("Merchant.PrivateKey is missing: LoadPrivateKey reads apiclient_key.pem")
	} else if err := c.scheme.CheckPublicKey(m.PrivateKey.Public()); err != nil {
		problem("Merchant.PrivateKey: %w", err)
	}
	if m.APIv3Key != "" {
		if err := apiv3.CheckKey([]byte(m.APIv3Key)); err != nil {
			problem("Merchant.APIv3Key: %w", err)
		}
	}
	return errors.Join(problems...)
}

func (c *Client) checkPlatformKeys() error {
	if len(c.platformKeys) == 0 && !c.keysFailed {
		return errors.New("there is no platform key, so no answer could be verified: pass WithPublicKey(id, key), both shown by the merchant platform under API security, or WithPlatformCertificates")
	}
	var problems []error
	for _, key := range c.platformKeys {
		if err := c.scheme.CheckPublicKey(key.Key); err != nil {
			problems = append(problems, fmt.Errorf("platform key %s: %w", key.Serial, err))
			continue
		}
		own := c.merchant.PrivateKey
		if key.Serial == c.merchant.Serial || own != nil && equalKeys(key.Key, own.Public()) {
			problems = append(problems, fmt.Errorf("platform key %s is the merchant's own: apiclient_cert.pem was given where the platform's certificate or public key belongs", key.Serial))
		}
	}
	return errors.Join(problems...)
}

func equalKeys(a, b crypto.PublicKey) bool {
	key, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && key.Equal(b)
}

// baseURL checks the address of a gateway: scheme and host alone, since a path would be signed and not served.
func baseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("base URL %s is not of the form https://host", quote(text))
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return nil, fmt.Errorf("base URL %s has more than scheme and host: the path belongs into Chain", quote(text))
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return nil, fmt.Errorf("base URL %s is not encrypted: http is accepted for this machine only", quote(text))
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}
