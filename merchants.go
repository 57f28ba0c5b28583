package wxpay

import (
	"errors"
	"fmt"
	"slices"

	"github.com/wxpay-go/wxpay/apiv3"
	"github.com/wxpay-go/wxpay/internal/redact"
)

// As returns a client for another merchant that shares what costs: the transport with its connections, the catalogue, and
// the queue of asynchronous calls. It has the options of c, then those given here.
//
// Platform keys belong to a merchant. A client made with [WithCertificates] passes that on, and the new one fetches its own
// list; a public key has to be given: As(merchant, WithPublicKey(id, key)), and then nothing is fetched unless
// WithCertificates is given too. For the merchant that c is for, say with another certificate, As shares the keys that c has
// unless others are given.
//
// Clients made by As are as light as their keys; make one for each merchant and keep it.
func (c *Client) As(merchant Merchant, options ...Option) (*Client, error) {
	other := c.derive(merchant)
	if c.isBrand() {
		other.scheme = apiv3.RSA()
	}
	return other.build(append(slices.Clip(options), other.inherit)) // the slice may be shared
}

// derive returns a client that is not built yet, with what c shares.
func (c *Client) derive(merchant Merchant) *Client {
	other := &Client{merchant: merchant, config: c.config, queue: c.queue, origin: c}
	other.platformKeys, other.certificates = nil, nil
	if merchant.ID != c.merchant.ID {
		other.defaults = callerDefaults{}
	}
	other.middlewares = slices.Clip(c.middlewares)
	return other
}

// inherit is the last option of a derived client.
func (c *Client) inherit(set *config) error {
	origin := c.origin
	if set.concurrency != origin.concurrency || set.queueSize != origin.queueSize {
		return errors.New("WithConcurrency and WithQueue are for the client that As was called on: the queue is shared")
	}
	if len(set.platformKeys) > 0 || set.certificates != nil || set.keysFailed || set.scheme.Identity() != origin.scheme.Identity() {
		return nil
	}
	if c.merchant.ID != origin.merchant.ID && origin.certificates == nil {
		set.keysFailed = true
		return fmt.Errorf("there is no platform key for merchant %s: pass WithPublicKey(id, key), both shown by its merchant platform under API security; the public key of %s is not its own", redact.Quote(c.merchant.ID), redact.Quote(origin.merchant.ID))
	}
	set.certificates = origin.certificates
	return nil
}

// sharedKeys returns the platform keys of c if other, which is derived from it, uses them as well: for the same merchant,
// when other was given none.
func (c *Client) sharedKeys(other *Client) *platformKeys {
	same := c != nil && other.merchant.ID == c.merchant.ID && other.scheme.Identity() == c.scheme.Identity()
	if !same || len(other.platformKeys) > 0 || other.keysFailed || other.certificates != c.certificates || other.keyPolicy != c.keyPolicy {
		return nil
	}
	return c.keys
}
