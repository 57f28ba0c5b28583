package wxpay

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/fact"
	"github.com/wxpay-go/wxpay/internal/autofill"
	"github.com/wxpay-go/wxpay/internal/keylist"
	"github.com/wxpay-go/wxpay/internal/keyring"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// As returns a client for another merchant that shares the expensive parts: the transport with its connections, the
// catalogue, and the queue of asynchronous calls. It has the options of c, then those given here. A brand beside a merchant
// is As(brand, WithScheme(apiv3.Brand()), WithPublicKey(id, key)), and a merchant beside a brand names apiv3.RSA() likewise.
//
// Platform keys belong to a merchant. A client made with [WithCertificates] passes that on, and the new one fetches its own
// list; a public key has to be given: As(merchant, WithPublicKey(id, key)), and then nothing is fetched unless
// WithCertificates is given too. For the merchant of c, say with another certificate, As shares the keys of c unless others
// are given.
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

// inherit takes from the client that c was derived from what c was not given.
func (c *Client) inherit() error {
	origin := c.origin
	switch {
	case c.concurrency != origin.concurrency || c.queueSize != origin.queueSize:
		return errors.New("WithConcurrency and WithQueue are for the client that As was called on: the queue is shared")
	case len(c.platformKeys) > 0 || c.certificates != nil || c.isBrand() != origin.isBrand():
	case c.merchant.ID != origin.merchant.ID && origin.certificates == nil:
		return fmt.Errorf("there is no platform key for merchant %s: pass WithPublicKey(id, key), both shown by its merchant platform under API security; the public key of %s is not its own", redact.Quote(c.merchant.ID), redact.Quote(origin.merchant.ID))
	default:
		c.certificates = origin.certificates
	}
	return nil
}

// sharedKeys returns the platform keys of the client that c was derived from if c uses them as well: for the same
// merchant, when c was given none. It returns nil otherwise.
func (c *Client) sharedKeys() *keylist.Keys {
	origin := c.origin
	if origin == nil || c.merchant.ID != origin.merchant.ID || c.isBrand() != origin.isBrand() || len(c.platformKeys) > 0 ||
		c.certificates != origin.certificates || c.keyShare != origin.keyShare {
		return nil
	}
	return origin.keys
}

// checkPlatformKeys reports what is wrong with the sources of platform keys.
func (c *Client) checkPlatformKeys() error {
	var problems []error
	switch {
	case c.isBrand() && c.certificates != nil:
		problems = append(problems, errors.New("WithCertificates is not for brands, who have a public key only"))
	case c.isBrand() && !slices.ContainsFunc(c.platformKeys, func(k apiv3.PlatformKey) bool { return !k.IsCertificate() }):
		problems = append(problems, errors.New("a brand names its WeChat Pay public key with every call: pass WithPublicKey(id, key), both shown by the brand's platform under API security"))
	case c.certificates != nil && c.merchant.APIv3Key == "":
		problems = append(problems, errors.New("WithCertificates needs Merchant.APIv3Key, under which the platform encrypts its certificates: it is set in the merchant platform under API security"))
	case c.certificates == nil && len(c.platformKeys) == 0:
		problems = append(problems, errors.New("there is no platform key, so no response could be verified: pass WithPublicKey(id, key), both shown by the merchant platform under API security; or WithCertificates() if the merchant still has platform certificates, WithPlatformCertificates if you keep them yourself"))
	}
	for _, key := range c.platformKeys {
		if err := c.scheme.CheckPublicKey(key.Key); err != nil {
			problems = append(problems, fmt.Errorf("platform key %s: %w", key.Serial, err))
		} else if c.own != nil && c.own.Owns(key) {
			problems = append(problems, fmt.Errorf("platform key %s is the merchant's own: apiclient_cert.pem was given where the platform's certificate or public key belongs", key.Serial))
		}
	}
	return errors.Join(problems...)
}

// isBrand reports whether the caller is a brand rather than a merchant.
func (c *Client) isBrand() bool { return keyring.IsBrand(c.scheme) }

// wrongScheme says which client to make where the platform refuses the signature of this kind of caller for an operation,
// which may be nil; empty if it does not.
func (c *Client) wrongScheme(operation *fact.Operation, path string) string {
	direct := strings.HasPrefix(path, "/brand/")
	if operation != nil {
		direct = operation.Scheme == fact.BrandScheme
	}
	switch {
	case direct && !c.isBrand():
		return "a brand signs it, with a scheme and a certificate of its own: WithScheme(apiv3.Brand()) makes a client that calls as one"
	case !direct && c.isBrand():
		return "a merchant signs it, and this client calls as a brand, whose paths begin with /brand/: a client without WithScheme(apiv3.Brand()) calls as a merchant"
	}
	return ""
}
